/** `sysg inspect`: everything about one service. */
import type { Inspection } from '@systemg/core'
import { tryConnect } from '../client/connect.ts'
import { serviceNames, type Command, type CommandContext } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import type { InspectReport } from '../inspect/report.ts'
import { locate } from '../project/locate.ts'
import { durationMs } from '../terminal/duration.ts'
import { showLooks } from '../terminal/show-looks.ts'
import { exitCodeFor, type Seen } from '../terminal/status-look.ts'

export const command: Command = {
  description:
    'Show everything about one service: command and environment with secrets masked, instances, processes, CPU and memory, health, runs, events. It is named by its name, its id, `service/replica` or the id of an instance. Exit code 0: it is well; 1: it is not; 3: no supervisor runs',
  services: true,
  args: {
    window: { type: 'string', description: 'How far back CPU and memory are shown', valueHint: '10m' },
    stream: { type: 'string', description: 'Look again so often, until Ctrl-C (exit code 0)', valueHint: '2s' },
  },
  async run(context) {
    const { window } = context.typed.values
    const [name, ...others] = serviceNames(context.typed)
    if (name === undefined || others.length > 0)
      throw new Failure('SYSG_USAGE', { message: 'Name one service.', command: 'inspect' })
    const windowMs = typeof window === 'string' ? durationMs(window, '--window') : defaultWindowMs
    if (windowMs <= 0) throw new Failure('SYSG_USAGE', { message: '`--window` takes a duration above zero.' })
    return showLooks(context, () => lookAt(context, name, windowMs))
  },
}

const defaultWindowMs = 600_000

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
