/**
 * `sysg notify ready`: run by a program inside of a service, to say that it is ready. It writes to the descriptor that
 * the service was given for this; where that was closed on the way, it asks the supervisor, and the token in its
 * environment says whose word it is.
 */
import { fstatSync, readlinkSync, writeSync } from 'node:fs'
import { connectInside } from '../client/inside.ts'
import type { Command, CommandContext } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'

/** A supervisor answers at once, or is frozen. */
const answerLimitMs = 10_000

export const command: Command = {
  description: 'Say, from inside of a service with `health_check: { notify: true }`, that it is ready',
  positionals: 'ready',
  async run(context) {
    const [state, ...others] = context.typed.positionals
    if (state !== 'ready' || others.length > 0)
      throw new Failure('SYSG_USAGE', { message: 'There is one thing to say: `sysg notify ready`.', command: 'notify' })
    if (!writeToDescriptor(context.env['SYSG_NOTIFY_FD'], state)) await tellSupervisor(context, state)
    return exitCodes.done
  },
}

/** False when the number stands for something else by now: only a named pipe is what the service was given. */
const writeToDescriptor = (number: string | undefined, state: string): boolean => {
  if (number === undefined || !/^\d+$/.test(number)) return false
  try {
    const isPipe = fstatSync(Number(number)).isFIFO()
    if (!isPipe || !readlinkSync(`/proc/self/fd/${number}`).startsWith('/')) return false
    writeSync(Number(number), `${state}\n`)
    return true
  } catch {
    return false
  }
}

const tellSupervisor = async ({ env, terminal }: CommandContext, state: string): Promise<void> => {
  const { supervisor, token } = await connectInside(env, 'SYSG_NOTIFY_OUTSIDE')
  try {
    const said = (await supervisor.call('notify', { token, state }, { timeoutMs: answerLimitMs })) as {
      service: string
      awaited: boolean
    }
    if (!said.awaited)
      terminal.err(`Nothing waits for this: \`${said.service}\` has no \`health_check: { notify: true }\`.\n`)
  } finally {
    supervisor.close()
  }
}
