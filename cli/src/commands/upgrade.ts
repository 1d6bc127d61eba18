/** `sysg upgrade`: this version of systemg takes the supervisor's place; services go on as they are. */
import { connect } from '../client/connect.ts'
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
      description: 'Wait no longer than this for starts and deploys that are under way',
      valueHint: '60s',
    },
  },
  async run(context) {
    const { timeout } = context.typed.values
    const timeoutMs = typeof timeout === 'string' ? durationMs(timeout, '--timeout') : undefined
    const { paths } = locate(context)
    const before = await connect(paths)
    const { lastWords, supervisorCommand } = await import('../supervisor/daemon.ts')
    const commands = { data: supervisorCommand(false), code: supervisorCommand(true) }
    const how = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) }
    await before.call('upgrade', { commands }, how).catch((thrown: unknown) => {
      // It ends as soon as it has answered.
      if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST') return
      before.close()
      if (thrown instanceof DOMException)
        throw new Failure('SYSG_TIMEOUT', { what: '`upgrade`', limitMs: timeoutMs ?? 0 })
      throw thrown
    })
    await Promise.race([before.closed, untilGone(before.pid)])
    await untilGone(before.pid)
    before.close()
    const { waitForComeback } = await import('../supervisor/wake.ts')
    const after = await waitForComeback(paths)
    if (after === undefined)
      throw new Failure('SYSG_SUPERVISOR_DIED', { log: paths.boot, words: lastWords(paths.boot) })
    after.close()
    if (after.pid === before.pid || after.version !== version)
      throw new Failure('SYSG_UPGRADE_FAILED', { pid: after.pid, version: after.version })
    const from = { pid: before.pid, version: before.version }
    const to = { pid: after.pid, version: after.version }
    if (context.globals.json) context.terminal.out(`${JSON.stringify({ from, to })}\n`)
    else context.terminal.err(`The supervisor ${said(from)} has handed over to ${said(to)}.\n`)
    return exitCodes.done
  },
}

const said = (one: { readonly pid: number; readonly version: string }): string => `${one.pid} (${one.version})`
