/**
 * `sysg spawn`: run by a program inside of a service, to start a tracked child of it. The token in its environment says
 * whose child that is. Called in loops, so it loads as little as it can.
 */
import { connectInside } from '../client/inside.ts'
import type { Command, CommandContext } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { durationMs } from '../terminal/duration.ts'

/** A start takes as long as the machine needs; a frozen supervisor is given up, ms. */
const answerLimitMs = 60_000

export const command: Command = {
  description: 'Start a tracked child, from inside of a service with `spawn: { mode: dynamic }`; prints its PID',
  positionals: '-- command…',
  args: {
    name: { type: 'string', description: 'What it is called; default: as its program', valueHint: 'w1' },
    ttl: { type: 'string', description: 'It is stopped after this time', valueHint: '1h' },
  },
  async run(context) {
    const { env, globals, terminal } = context
    const asked = askedFor(context)
    const { supervisor, token } = await connectInside(env, 'SYSG_SPAWN_OUTSIDE')
    try {
      const params = { token, env: plain(env), cwd: context.cwd, ...asked }
      const { name, pid, id, service } = (await supervisor.call('spawn', params, {
        timeoutMs: answerLimitMs,
      })) as Started
      terminal.out(globals.json ? `${JSON.stringify({ name, pid, id, service })}\n` : `${pid}\n`)
    } finally {
      supervisor.close()
    }
    return exitCodes.done
  },
}

interface Started {
  readonly name: string
  readonly pid: number
  readonly id: string
  readonly service: string
}

const askedFor = ({ typed: { values, positionals, rest }, globals }: CommandContext) => {
  const argv = rest ?? positionals
  if (argv[0] === '')
    throw new Failure('SYSG_USAGE', { message: 'The command to start is empty text.', command: 'spawn' })
  if (argv.length === 0 || (rest !== undefined && positionals.length > 0)) {
    const message = 'The command to start stands behind `--`: `sysg spawn --name w1 -- ./worker`.'
    throw new Failure('SYSG_USAGE', { message, command: 'spawn' })
  }
  const { name, ttl } = values
  const ttlMs = typeof ttl === 'string' ? durationMs(ttl, '--ttl') : undefined
  if (ttlMs === 0)
    throw new Failure('SYSG_USAGE', { message: '`--ttl` takes a duration above zero.', command: 'spawn' })
  return {
    argv,
    ...(typeof name === 'string' ? { name } : {}),
    ...(ttlMs === undefined ? {} : { ttl_ms: ttlMs }),
    ...(values['log-level'] === undefined ? {} : { log_level: globals.logLevel }),
  }
}

const plain = (env: CommandContext['env']): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
