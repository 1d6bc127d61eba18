/** What `sysg inspect` shows to people: parts with a title each, no wider than the terminal. Pure. */
import type { ProcessNode } from '@systemg/core'
import { formatAge, formatElapsed } from '../terminal/age.ts'
import { eventLines, localTime } from '../terminal/event-line.ts'
import { formatBytes } from '../terminal/format-bytes.ts'
import { styleOfState } from '../terminal/state-style.ts'
import { noteOf, statusTable, timeLeft } from '../terminal/status-table.ts'
import type { TableOptions } from '../terminal/table.ts'
import { fit, plain, wrap } from '../terminal/text.ts'
import type { InspectReport } from './report.ts'
import { usageChart, type ChartOptions } from './usage-chart.ts'

export interface InspectOptions extends Pick<TableOptions, 'width' | 'paint'> {
  /** Wall clock, ms. */
  readonly nowMs: number
}

const indent = '  '
/** Where nobody looks, charts and trees are so wide. */
const widest = 100

export const inspectText = (report: InspectReport, options: InspectOptions): readonly string[] =>
  [
    headOf(report, options),
    part('COMMAND', commandOf(report), options),
    part('INSTANCES', instancesOf(report, options), options, { isWrapped: false }),
    part(
      'PROCESSES',
      report.tree.flatMap((tree) => processLines(tree.processes, options)),
      options,
      { isWrapped: false },
    ),
    part('CHILDREN', childLines(report.children, options), options, { isWrapped: false }),
    ...chartsOf(report, options),
    part('HEALTH', healthOf(report, options), options),
    part('RUNS', runsOf(report, options), options),
    part(
      'EVENTS',
      report.events.flatMap((event) => eventLines(event, { ...options, width: options.width - indent.length })),
      options,
      { isWrapped: false },
    ),
    part('ENVIRONMENT', report.env.map(variableLine), options),
    part('CONFIG', configOf(report), options),
    ...report.sections.map(({ title, lines }) => part(plain(title).toUpperCase(), lines.map(plain), options)),
  ]
    .filter((lines) => lines.length > 0)
    .flatMap((lines, at) => (at === 0 ? lines : ['', ...lines]))

const part = (
  title: string,
  lines: readonly string[],
  { width, paint }: InspectOptions,
  { isWrapped = true } = {},
): readonly string[] => {
  if (lines.length === 0) return []
  const room = Math.max(1, width - indent.length)
  const shown = isWrapped ? lines.flatMap((line) => hanging(line, room)) : lines
  return [paint('bold', title), ...shown.map((line) => indent + line)]
}

/** Further lines of a long one stand a little to the right. */
const hanging = (line: string, room: number): readonly string[] => {
  const spaces = /^ */.exec(line)?.[0] ?? ''
  const [first = '', ...rest] = wrap(line.trimStart(), Math.max(1, room - spaces.length - indent.length))
  return [spaces + first, ...rest.map((text) => spaces + indent + text)]
}

const headOf = (report: InspectReport, { width, paint, nowMs }: InspectOptions): readonly string[] => {
  const { name, state, health, id, pid, uptime_ms: uptimeMs, restarts, instance } = report
  const facts = [
    `id ${id}`,
    ...(instance === null ? [] : [`instance ${plain(instance)}`]),
    ...(pid === null ? [] : [`pid ${pid}`]),
    ...(uptimeMs === null ? [] : [`up ${formatAge(uptimeMs)}`]),
    `${restarts} ${restarts === 1 ? 'restart' : 'restarts'}`,
    ...(report.depends_on.length === 0 ? [] : [`needs ${report.depends_on.map(plain).join(', ')}`]),
  ]
  const style = styleOfState(state)
  const shown = style === undefined ? state : paint(style, state)
  return [
    [paint('bold', plain(name)), shown, ...(health === 'none' ? [] : [health])].join('  '),
    ...[facts.join(' · '), noteOf(report, nowMs)].flatMap((line) => wrap(line, width)),
    ...report.last_lines.flatMap((line) => wrap(`> ${plain(line)}`, width)),
  ]
}

const commandOf = ({ config }: InspectReport): readonly string[] => {
  const { command, working_dir: folder } = config
  return [
    ...(typeof command === 'string' ? [plain(command)] : []),
    ...(typeof folder === 'string' ? [`in ${plain(folder)}`] : []),
  ]
}

const instancesOf = (report: InspectReport, options: InspectOptions): readonly string[] => {
  if (report.instances.length < 2 && report.replicas === 1) return []
  const width = options.width - indent.length
  const table = statusTable([{ ...report, reason: null }], { ...options, width, instances: true })
  // Without the service itself, and the count behind the table.
  return [...table.slice(0, 1), ...table.slice(2, table.indexOf(''))]
}

const processLines = (nodes: readonly ProcessNode[], { width }: InspectOptions, depth = 0): readonly string[] =>
  nodes.flatMap((node) => {
    const used = `${formatBytes(node.memory_bytes)}, ${(node.cpu_ms / 1_000).toFixed(1)}s`
    const head = `${'  '.repeat(depth)}${depth === 0 ? '' : '└ '}${node.pid}  `
    const room = Math.max(10, Math.min(width, widest) - indent.length - head.length - used.length - 3)
    return [
      `${head}${fit(plain(node.command), room)} (${used})`,
      ...processLines(node.children, { width } as InspectOptions, depth + 1),
    ]
  })

const childLines = (children: InspectReport['children'], options: InspectOptions, depth = 0): readonly string[] =>
  children.flatMap((child) => {
    const { service, state, pid, children: below } = child
    const style = styleOfState(state)
    const facts = [
      `${'  '.repeat(depth)}${depth === 0 ? '' : '└ '}${plain(service)}`,
      style === undefined ? state : options.paint(style, state),
      ...(pid === null ? [] : [`pid ${pid}`]),
      timeLeft(child, options.nowMs),
    ]
    return [facts.filter((fact) => fact !== '').join('  '), ...childLines(below, options, depth + 1)]
  })

const chartsOf = (report: InspectReport, options: InspectOptions): readonly (readonly string[])[] => {
  const { metrics } = report
  if (metrics === null || (metrics.points.length === 0 && metrics.memory_bytes === null)) return []
  const { points, window_ms: windowMs } = metrics
  const width = Math.min(options.width, widest) - indent.length
  const chart = (
    title: string,
    of: (point: (typeof points)[number]) => { mean: number; peak: number },
    now: number | null,
    format: ChartOptions['format'],
  ) => {
    const values = points.map((point) => ({ timeMs: Date.parse(point.time), value: of(point).mean }))
    const peak = Math.max(...points.map((point) => of(point).peak), now ?? 0)
    const summary = [
      ...(now === null ? [] : [`now ${format(now)}`]),
      `highest ${format(peak)} in ${formatAge(windowMs)}`,
    ].join(', ')
    const drawn = usageChart(values, { width, format, nowMs: options.nowMs })
    return part(title, [summary, ...drawn], options, { isWrapped: false })
  }
  return [
    chart(
      'CPU',
      ({ cpu_percent: mean, cpu_percent_max: peak }) => ({ mean, peak }),
      metrics.cpu_percent,
      (percent) => `${percent.toFixed(1)}%`,
    ),
    chart(
      'MEMORY',
      ({ memory_bytes: mean, memory_bytes_max: peak }) => ({ mean, peak }),
      metrics.memory_bytes,
      formatBytes,
    ),
  ]
}

/** So many tries of each instance. */
const triesShown = 5

const healthOf = ({ health_history: history }: InspectReport, { paint, nowMs }: InspectOptions): readonly string[] =>
  history.flatMap(({ instance, results }) =>
    results.slice(-triesShown).map(({ time, healthy, reason, duration_ms: tookMs }) => {
      const verdict = healthy ? paint('green', 'healthy') : paint('red', 'unhealthy')
      const why = reason === null ? '' : `: ${plain(reason)}`
      return `${plain(instance)}  ${formatAge(nowMs - Date.parse(time))} ago  ${verdict} (${Math.round(tookMs)} ms)${why}`
    }),
  )

const runsOf = ({ cron }: InspectReport, { nowMs }: InspectOptions): readonly string[] => {
  if (cron === null) return []
  const next = cron.next_run === null ? 'no run is due' : nextLine(cron.next_run, nowMs)
  return [cron.running ? `${next}; one runs now` : next, ...cron.history.toReversed().map((run) => runLine(run, nowMs))]
}

/** Local time, as that of events. */
const nextLine = (at: string, nowMs: number): string =>
  `next run at ${localTime(at).replace('.000', '')}, in ${formatAge(Date.parse(at) - nowMs)}`

type Run = NonNullable<InspectReport['cron']>['history'][number]

/** `5s ago  success, exit code 0, took 2.5s (schedule)`. */
const runLine = (run: Run, nowMs: number): string => {
  const { scheduled, started, finished, status, reason, trigger, exit_code: code } = run
  const at = finished ?? started ?? scheduled
  const ago = at === null ? '' : `${formatAge(nowMs - Date.parse(at))} ago  `
  const why = reason ?? (code === null ? undefined : `exit code ${code}`)
  const tookMs = started === null || finished === null ? undefined : Date.parse(finished) - Date.parse(started)
  const facts = [
    ...(why === undefined ? [] : [plain(why)]),
    ...(tookMs === undefined ? [] : [`took ${formatElapsed(Math.max(0, tookMs))}`]),
    ...(run.supervisor_replaced ? ['while the supervisor was replaced'] : []),
  ]
  return `${ago}${[`${status} (${trigger})`, ...(facts.length === 0 ? [] : [facts.join(', ')])].join(': ')}`
}

const variableLine = ({ name, value, origin, file }: InspectReport['env'][number]): string =>
  `${plain(name)}=${plain(value)}  (${origin}${file === undefined ? '' : `: ${plain(file)}`})`

/** What is shown elsewhere. */
const shownElsewhere = new Set(['name', 'command', 'argv', 'working_dir', 'env', 'depends_on'])

const configOf = ({ config, written }: InspectReport): readonly string[] =>
  Object.entries(config)
    .filter(([key, value]) => !shownElsewhere.has(key) && isSet(value))
    .map(([key, value]) => `${plain(key)}: ${plain(typeof value === 'string' ? value : yamlOf(value, key, written))}`)

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** On one line, as people write it. */
const yamlOf = (value: unknown, path: string, written: InspectReport['written']): string => {
  const known = Object.hasOwn(written, path) ? written[path] : undefined
  if (known !== undefined) return known
  if (Array.isArray(value)) return `[${value.map((one, at) => yamlOf(one, `${path}.${at}`, written)).join(', ')}]`
  if (typeof value === 'string' && /^[A-Za-z_./][\w@./:+-]*$/.test(value)) return value
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, inner]) => isSet(inner))
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, inner]) => `${key}: ${yamlOf(inner, `${path}.${key}`, written)}`).join(', ')} }`
}
