/** `sysg status`: every service, its state and why. */
import { serviceNames, type Command, type CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { locate } from '../project/locate.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import type { ChildStatus, ServiceStatus, StatusReport } from '../terminal/service-status.ts'
import { isLive, showLooks } from '../terminal/show-looks.ts'
import { askStatus, exitCodeFor, textOf, type Seen } from '../terminal/status-look.ts'
import { statusTable } from '../terminal/status-table.ts'
import { requireKnown } from '../terminal/suggest-service.ts'

export const command: Command = {
  description:
    'Show every service, its state and why; of those that are named also every instance. Exit code 0: each one runs, has completed, is scheduled, skipped or was stopped by somebody; 1: one is not well; 3: no supervisor runs',
  services: true,
  args: {
    all: { type: 'boolean', description: 'Every project, and what is kept of services no longer in the config' },
    at: { type: 'string', description: 'As it was then: so long ago, or a date and time', valueHint: '10m' },
    stream: {
      type: 'string',
      description: 'A view that goes on, with keys (`?` shows them); elsewhere than on a terminal: look again so often',
      valueHint: '5s',
    },
  },
  withoutValue: { stream: '5s' },
  async run(context) {
    const { all, at, stream: interval } = context.typed.values
    const names = serviceNames(context.typed)
    if (typeof at === 'string') return await showPast(context, at, names)
    if (all === true && names.length > 0)
      throw new Failure('SYSG_USAGE', { message: '`--all` shows every service: name none.', command: 'status' })
    if (typeof interval === 'string' && all !== true && isLive(context)) return await live(context, names, interval)
    return showLooks(context, all === true ? await looksAtAll(context) : looksAtOne(context, names))
  },
}

const looksAtAll = async (context: CommandContext): Promise<() => Promise<Seen>> => {
  const { lookAtAll } = await import('../unsupervised/all-projects.ts')
  return () => lookAtAll(context)
}

const showPast = async (context: CommandContext, at: string, names: readonly string[]): Promise<ExitCode> => {
  const { all, stream: interval } = context.typed.values
  if (all === true || interval !== undefined)
    throw new Failure('SYSG_USAGE', {
      message: '`--at` goes together with neither `--all` nor `--stream`.',
      command: 'status',
    })
  const { lookAtPast } = await import('../unsupervised/status-at.ts')
  const seen = await lookAtPast(context, at, names)
  context.terminal.out(textOf(seen, context))
  if (seen.failure !== undefined) throw seen.failure
  return seen.exitCode
}

const live = async (context: CommandContext, names: readonly string[], interval: string): Promise<ExitCode> => {
  const [{ showLive }, { intervalMs }] = await Promise.all([
    import('../live/live-status.ts'),
    import('../terminal/duration.ts'),
  ])
  const everyMs = intervalMs(interval, '--stream')
  return showLive(context, { paths: locate(context).paths, names, everyMs })
}

const looksAtOne = (context: CommandContext, names: readonly string[]) => async (): Promise<Seen> => {
  const { paths, config } = locate(context)
  const all = await askStatus(paths).catch((thrown: unknown) => {
    // It died while it was asked: whoever is there by now answers.
    if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST') return askStatus(paths)
    throw thrown
  })
  if (all === undefined) return withoutSupervisor(paths, config ?? null, names)
  const report = await withNamedChildren(paths, names, all)
  await requireKnown(
    names,
    report.services.map(({ name }) => name),
  )
  const services = only(names, report.services)
  const json = { ...report, services }
  const nowMs = Date.now()
  return {
    json,
    exitCode: exitCodeFor(services),
    lines: (options) => statusTable(services, { ...options, nowMs, instances: names.length > 0 }),
  }
}

/** Children are shown below their services; those that somebody asks for are looked at like any service. */
const withNamedChildren = async (
  paths: ProjectPaths,
  names: readonly string[],
  report: StatusReport,
): Promise<StatusReport> => {
  const children = names.filter((name) => report.services.some((service) => isBelow(service.children, name)))
  const more = children.length === 0 ? undefined : await askStatus(paths, children)
  return more === undefined ? report : { ...report, services: [...report.services, ...more.services] }
}

const isBelow = (children: readonly ChildStatus[], name: string): boolean =>
  children.some((child) => child.service === name || isBelow(child.children, name))

/** Services that go on by themselves are shown; the failure says that nobody looks after them. */
const withoutSupervisor = async (
  paths: ProjectPaths,
  config: string | null,
  names: readonly string[],
): Promise<Seen> => {
  const { leftServices } = await import('../unsupervised/left-services.ts')
  const nowMs = Date.now()
  const services = only(names, leftServices(paths, nowMs))
  return {
    exitCode: exitCodes.noSupervisor,
    json: { project: { id: paths.id, config }, supervisor: null, services } satisfies StatusReport,
    lines: (options) => (services.length === 0 ? [] : statusTable(services, { ...options, nowMs })),
    failure: new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` }),
  }
}

const only = (names: readonly string[], services: readonly ServiceStatus[]): readonly ServiceStatus[] =>
  names.length === 0 ? services : services.filter(({ name }) => names.includes(name))
