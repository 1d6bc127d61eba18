/** `sysg inspect`: everything about one service. */
import type { Inspection } from '@systemg/core'
import { tryConnect } from '../client/connect.ts'
import { serviceNames, type Command, type CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import type { InspectReport } from '../inspect/report.ts'
import { locate } from '../project/locate.ts'
import { durationMs, intervalMs } from '../terminal/duration.ts'
import { isLive, showLooks } from '../terminal/show-looks.ts'
import { exitCodeFor, type Seen } from '../terminal/status-look.ts'

export const command: Command = {
  description:
    'Show everything about one service: command and environment with secrets masked, instances, processes, CPU and memory, health, runs, events. It is named by its name, its id, `service/replica` or the id of an instance. Exit code 0: it is well; 1: it is not; 3: no supervisor runs',
  services: true,
  args: {
    window: { type: 'string', description: 'How far back CPU and memory are shown', valueHint: '10m' },
    stream: {
      type: 'string',
      description: 'A view that goes on; elsewhere than on a terminal: look again so often, until Ctrl-C (exit code 0)',
      valueHint: '2s',
    },
  },
  async run(context) {
    const { window, stream: interval } = context.typed.values
    const [name, ...others] = serviceNames(context.typed)
    if (name === undefined || others.length > 0)
      throw new Failure('SYSG_USAGE', { message: 'Name one service.', command: 'inspect' })
    const windowMs = typeof window === 'string' ? durationMs(window, '--window') : defaultWindowMs
    if (windowMs <= 0) throw new Failure('SYSG_USAGE', { message: '`--window` takes a duration above zero.' })
    const isStream = typeof interval === 'string'
    const live = isStream && isLive(context) ? await showLiveOne(context, { name, windowMs, interval }) : undefined
    return live ?? showLooks(context, () => lookAt(context, name, windowMs))
  },
}

const defaultWindowMs = 600_000

/** @returns `undefined` without a supervisor: then there is nothing that changes. */
const showLiveOne = async (
  context: CommandContext,
  { name, windowMs, interval }: { readonly name: string; readonly windowMs: number; readonly interval: string },
): Promise<ExitCode | undefined> => {
  const everyMs = intervalMs(interval, '--stream')
  const { paths } = locate(context)
  const supervisor = await tryConnect(paths)
  if (supervisor === undefined) return undefined
  const { name: service } = (await supervisor
    .call('inspect', { service: name }, { timeoutMs: 10_000 })
    .finally(() => supervisor.close())) as Inspection
  const { showLive } = await import('../live/live-status.ts')
  return showLive(context, { paths, names: [], everyMs, inspected: { service, asked: name, windowMs } })
}

const lookAt = async (context: CommandContext, name: string, windowMs: number): Promise<Seen> => {
  const { paths } = locate(context)
  const { inspectText } = await import('../inspect/text.ts')
  const supervisor = await tryConnect(paths)
  const nowMs = Date.now()
  if (supervisor === undefined) {
    const { recordedInspection } = await import('../inspect/recorded.ts')
    const report = await recordedInspection(paths, name, nowMs)
    return {
      exitCode: exitCodes.noSupervisor,
      json: forPrograms(report),
      lines: (options) => inspectText(report, { ...options, nowMs }),
      failure: new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` }),
    }
  }
  try {
    const { inspectReportOf } = await import('../inspect/report.ts')
    const params = { service: name, window_ms: windowMs }
    const report = inspectReportOf((await supervisor.call('inspect', params, { timeoutMs: 10_000 })) as Inspection)
    return {
      exitCode: exitCodeFor([report]),
      json: forPrograms(report),
      lines: (options) => inspectText(report, { ...options, nowMs: Date.now() }),
    }
  } finally {
    supervisor.close()
  }
}

/** Numbers are enough. */
const forPrograms = (report: InspectReport) => ({ ...report, written: undefined })
