/** `sysg upgrade`: this version of systemg takes the supervisor's place; services go on as they are. */
import { fs } from '../builtin.ts'
import { connect, type Supervisor } from '../client/connect.ts'
import { untilGone } from '../client/until-gone.ts'
import type { Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { locate } from '../project/locate.ts'
import { durationMs } from '../terminal/duration.ts'
import { version } from '../version.ts'

export const command: Command = {
  description: 'Replace the supervisor by this version of systemg; services, their sockets and their output go on',
  args: {
    timeout: {
      type: 'string',
      description:
        'Wait no longer than this for starts and deploys that are under way, and for this version to take over',
      valueHint: '30s',
    },
  },
  async run(context) {
    const { timeout } = context.typed.values
    const timeoutMs = typeof timeout === 'string' ? durationMs(timeout, '--timeout') : undefined
    const { paths } = locate(context)
    const before = await connect(paths)
    const { lastWords, supervisorCommand } = await import('../supervisor/daemon.ts')
    const commands = { data: supervisorCommand(false), code: supervisorCommand(true) }
    const said = sizeOf(paths.boot)
    await ask(before, commands, timeoutMs)
    await Promise.race([before.closed, untilGone(before.pid)])
    await untilGone(before.pid)
    before.close()
    const { waitForSuccessor } = await import('../supervisor/wake.ts')
    // First this version, then the one before.
    const after = await waitForSuccessor(paths, (timeoutMs ?? limitMs) + limitMs)
    const words = lastWords(paths.boot, said)
    if (after === undefined) throw new Failure('SYSG_SUPERVISOR_DIED', { log: paths.boot, words })
    after.close()
    if (after.version !== version || !Object.values(commands).some(isCommandOf(after.pid)))
      throw new Failure('SYSG_UPGRADE_FAILED', { to: version, pid: after.pid, version: after.version, words })
    const from = { pid: before.pid, version: before.version }
    const to = { pid: after.pid, version: after.version }
    if (context.globals.json) context.terminal.out(`${JSON.stringify({ from, to })}\n`)
    else context.terminal.err(`The supervisor ${shown(from)} has handed over to ${shown(to)}.\n`)
    return exitCodes.done
  },
}

/** Rejects when it refuses, or does not answer in time. */
const ask = async (supervisor: Supervisor, commands: object, timeoutMs: number | undefined): Promise<void> => {
  const how = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }
  await supervisor.call('upgrade', { commands, limit_ms: timeoutMs ?? limitMs }, how).catch((thrown: unknown) => {
    // It ends as soon as it has answered.
    if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST') return
    supervisor.close()
    if (thrown instanceof DOMException)
      throw new Failure('SYSG_TIMEOUT', { what: '`upgrade`', limitMs: timeoutMs ?? 0 })
    throw thrown
  })
}

/** How long a version may take until it can be spoken to, ms. */
const limitMs = 30_000

const isCommandOf =
  (pid: number) =>
  (argv: readonly string[]): boolean => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') === argv.map((word) => `${word}\0`).join('')
    } catch {
      return false
    }
  }

const sizeOf = (path: string): number => {
  try {
    return fs.statSync(path).size
  } catch {
    return 0
  }
}

const shown = (one: { readonly pid: number; readonly version: string }): string => `${one.pid} (${one.version})`
