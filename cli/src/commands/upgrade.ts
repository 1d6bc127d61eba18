/** `sysg upgrade`: this version of systemg takes the supervisor's place; services go on as they are. */
import { connect } from '../client/connect.ts'
import type { Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { locate } from '../project/locate.ts'
import { durationMs } from '../terminal/duration.ts'

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
    const { handOver } = await import('../operations/hand-over.ts')
    const after = await handOver(before, paths, timeoutMs)
    after.close()
    const from = { pid: before.pid, version: before.version }
    const to = { pid: after.pid, version: after.version }
    if (context.globals.json) context.terminal.out(`${JSON.stringify({ from, to })}\n`)
    else context.terminal.err(`The supervisor ${shown(from)} has handed over to ${shown(to)}.\n`)
    return exitCodes.done
  },
}

const shown = (one: { readonly pid: number; readonly version: string }): string => `${one.pid} (${one.version})`
