/** The table of `sysg status`. Pure. */
import type { CronView } from '@systemg/plugins/cron'
import { formatAge } from './age.ts'
import { formatBytes } from './format-bytes.ts'
import type { ChildStatus, ServiceStatus } from './service-status.ts'
import { styleOfState } from './state-style.ts'
import { renderTable, type Cell, type Column, type Row, type TableOptions } from './table.ts'
import { plain, wrap } from './text.ts'

export interface StatusTableOptions extends Pick<TableOptions, 'width' | 'paint'> {
  /** Wall clock, ms. */
  readonly nowMs: number
  /** Also a line for each instance of services that have several, or are to have several. */
  readonly instances?: boolean
}

/** The table and, behind an empty line, how many services are in which state. */
export const statusTable = (services: readonly ServiceStatus[], options: StatusTableOptions): string[] => {
  if (services.length === 0) return ['No services.']
  const columns = columnsFor(services)
  const rows = services.flatMap((service) => [
    rowOf(service, columns, options.nowMs),
    ...(options.instances === true ? instanceRows(service, columns, options.nowMs) : []),
    ...childRows(service.children, columns, options.nowMs),
  ])
  return [
    ...renderTable(columns, rows, { ...options, noteTitle: 'WHY' }),
    '',
    ...wrap(countStates(services), options.width),
  ]
}

/** The titles, and one line for each service and for each of its children. */
export const serviceLines = (services: readonly ServiceStatus[], options: StatusTableOptions): string[] => {
  const columns = columnsFor(services)
  const rows = services.flatMap((service) => [
    rowOf(service, columns, options.nowMs),
    ...childRows(service.children, columns, options.nowMs),
  ])
  return renderTable(columns, rows, { ...options, noteTitle: 'WHY', oneLine: true })
}

/** `7 services: 5 running, 1 blocked, 1 backoff`. */
export const countStates = (services: readonly { readonly state: string }[]): string => {
  const counts = new Map<string, number>()
  for (const { state } of services) counts.set(state, (counts.get(state) ?? 0) + 1)
  const parts = [...counts]
    .sort(([a], [b]) => rankOf(a) - rankOf(b))
    .map(([state, count]) => `${count} ${state}`)
    .join(', ')
  return `${services.length} ${services.length === 1 ? 'service' : 'services'}${parts === '' ? '' : `: ${parts}`}`
}

/** Why a service is as it is, with what only the moment of looking can say: when it restarts, how long ago it ended. */
export const noteOf = (service: ServiceStatus, nowMs: number): string => {
  const { state, reason, retry_at: retryAt, cron } = service
  const why = reason === null ? '' : plain(reason)
  if (state === 'backoff' && retryAt !== null) return whenAndWhy(retryAt, why, nowMs)
  if (state === 'scheduled' && cron !== null)
    return [...runsOf(cron, nowMs), why].filter((part) => part !== '').join('; ')
  if (!resting.has(state)) return why
  const ago = `${formatAge(nowMs - Date.parse(service.since))} ago`
  return why === '' ? ago : `${why} (${ago})`
}

/** `restart in 3s: exit code 1`. */
const whenAndWhy = (retryAt: string, why: string, nowMs: number): string => {
  const leftMs = Date.parse(retryAt) - nowMs
  const when = leftMs > 0 ? `restart in ${formatAge(Math.ceil(leftMs / 1_000) * 1_000)}` : 'restarts now'
  return why === '' ? when : `${when}: ${why}`
}

/** When a scheduled service runs next, and how it went the last time. */
const runsOf = ({ next_run: nextRun, history }: CronView, nowMs: number): readonly string[] => {
  const leftMs = nextRun === null ? undefined : Date.parse(nextRun) - nowMs
  const next =
    leftMs === undefined
      ? []
      : [leftMs > 0 ? `next run in ${formatAge(Math.ceil(leftMs / 1_000) * 1_000)}` : 'runs now']
  const last = history.at(-1)
  if (last === undefined) return next
  const at = last.finished ?? last.scheduled
  const ago = at === null ? '' : ` ${formatAge(Math.max(0, nowMs - Date.parse(at)))} ago`
  const reason = last.reason === null ? '' : ` (${plain(last.reason)})`
  return [...next, `last run ${last.status === 'success' ? 'succeeded' : last.status}${ago}${reason}`]
}

const order = [
  ...['running', 'running (unsupervised)', 'completed', 'scheduled', 'starting', 'stopping', 'waiting'],
  ...['blocked', 'backoff', 'unhealthy', 'failed', 'ended (unsupervised)', 'stopped', 'skipped'],
]

const rankOf = (state: string): number => (order.indexOf(state) + order.length + 1) % (order.length + 1)

/** States whose end is told by nothing else. */
const resting: ReadonlySet<string> = new Set(['stopped', 'completed', 'failed'])

interface StatusColumn extends Column {
  readonly cell: (service: ServiceStatus) => Cell
}

const none: Cell = { text: '-', style: 'dim' }

const cpuCell = (percent: number | null): Cell => (percent === null ? none : { text: `${percent.toFixed(1)}%` })

const memoryCell = (bytes: number | null): Cell => (bytes === null ? none : { text: formatBytes(bytes) })

const healthStyles = { healthy: 'green', unhealthy: 'red', starting: 'yellow' } as const

/** The highest rank is left out first where the terminal is narrow. */
const allColumns = {
  name: { title: 'NAME', cell: ({ name }) => ({ text: plain(name) }) },
  state: { title: 'STATE', cell: ({ state }) => ({ text: state, style: styleOfState(state) }) },
  health: {
    title: 'HEALTH',
    dropRank: 4,
    cell: ({ health }) => (health === 'none' ? none : { text: health, style: healthStyles[health] }),
  },
  replicas: { title: 'REPLICAS', align: 'right', dropRank: 3, cell: (service) => replicasOf(service) },
  pid: { title: 'PID', align: 'right', dropRank: 2, cell: (service) => pidOf(service) },
  uptime: {
    title: 'UPTIME',
    align: 'right',
    dropRank: 1,
    cell: ({ uptime_ms: uptimeMs }) => (uptimeMs === null ? none : { text: formatAge(uptimeMs) }),
  },
  cpu: {
    title: 'CPU',
    align: 'right',
    dropRank: 7,
    cell: ({ cpu_percent: percent }) => cpuCell(percent),
  },
  memory: {
    title: 'MEMORY',
    align: 'right',
    dropRank: 6,
    cell: ({ memory_bytes: bytes }) => memoryCell(bytes),
  },
  restarts: { title: 'RESTARTS', align: 'right', dropRank: 5, cell: ({ restarts }) => ({ text: `${restarts}` }) },
} as const satisfies Record<string, StatusColumn>

/** CPU and memory are shown when somebody measures them, numbers of replicas when a service has not just one. */
const columnsFor = (services: readonly ServiceStatus[]): readonly StatusColumn[] => {
  const { name, state, replicas, health, pid, uptime, cpu, memory, restarts } = allColumns
  const counted = services.some(hasNotOne)
  const measured = services.some(({ cpu_percent, memory_bytes }) => cpu_percent !== null || memory_bytes !== null)
  const first = [name, state, ...(counted ? [replicas] : [])]
  return [...first, health, pid, uptime, ...(measured ? [cpu, memory] : []), restarts]
}

const rowOf = (service: ServiceStatus, columns: readonly StatusColumn[], nowMs: number): Row => ({
  cells: columns.map(({ cell }) => cell(service)),
  note: noteOf(service, nowMs),
})

const hasNotOne = ({ replicas }: ServiceStatus): boolean => replicas !== 1

/** It is well without an instance. */
const isPassing: ReadonlySet<string> = new Set(['completed', 'scheduled', 'skipped'])

/** Those that are ready, of those that should be. */
const replicasOf = (service: ServiceStatus): Cell => {
  if (service.instances.length === 0 && isPassing.has(service.state)) return none
  const ready = service.instances.filter(({ state, role }) => state.startsWith('running') && role === 'active').length
  const text = `${ready}/${service.replicas}`
  const isShort = service.state === 'running' && ready < service.replicas
  return isShort ? { text, style: 'yellow' } : { text }
}

/** Replica by replica, what serves before what comes or goes. */
const instanceRows = (service: ServiceStatus, columns: readonly StatusColumn[], nowMs: number): readonly Row[] => {
  if (service.instances.length < 2 && !hasNotOne(service)) return []
  const order = ['active', 'candidate', 'retired']
  const living = service.instances.map((instance) => ({
    at: [instance.replica, order.indexOf(instance.role)] as const,
    cells: columns.map((column) => instanceCell(instance, column)),
    note: `replica ${instance.replica}${instance.role === 'active' ? '' : `, ${instance.role}`}`,
  }))
  const down = (service.down ?? []).map(({ replica, state, reason, retry_at: retryAt }) => ({
    at: [replica, 0] as const,
    cells: columns.map((column) => downCell(state, column)),
    note: `replica ${replica}, ${retryAt === null ? plain(reason ?? '') : whenAndWhy(retryAt, plain(reason ?? ''), nowMs)}`,
  }))
  return [...living, ...down].sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1])
}

const downCell = (state: string, { title }: Column): Cell => {
  if (title === 'NAME') return { text: '└ -' }
  return title === 'STATE' ? { text: state, style: styleOfState(state) } : { text: '' }
}

const instanceCell = (instance: ServiceStatus['instances'][number], { title }: Column): Cell => {
  const { id, state, pid, uptime_ms: uptimeMs, cpu_percent: percent = null, memory_bytes: bytes = null } = instance
  if (title === 'NAME') return { text: `└ ${plain(id)}` }
  if (title === 'STATE') return { text: state, style: styleOfState(state) }
  if (title === 'PID') return pid === null ? none : { text: `${pid}` }
  if (title === 'CPU') return cpuCell(percent)
  if (title === 'MEMORY') return memoryCell(bytes)
  return { text: title === 'UPTIME' && uptimeMs !== null ? formatAge(uptimeMs) : '' }
}

/** Of several instances the first, and how many more there are. */
const pidOf = ({ pid, instances }: ServiceStatus): Cell => {
  if (pid === null) return none
  const others = instances.filter((instance) => instance.pid !== null && instance.pid !== pid).length
  return { text: others === 0 ? `${pid}` : `${pid} +${others}` }
}

const childRows = (
  children: readonly ChildStatus[],
  columns: readonly StatusColumn[],
  nowMs: number,
  depth = 1,
): readonly Row[] =>
  children.flatMap((child) => [
    { cells: columns.map((column) => childCell(child, column, depth)), note: timeLeft(child, nowMs) },
    ...childRows(child.children, columns, nowMs, depth + 1),
  ])

/** Of a child that has a time limit. */
export const timeLeft = ({ expires_at: expiresAt, state }: ChildStatus, nowMs: number): string => {
  if (expiresAt === null || state === 'stopping') return ''
  return `ends in ${formatAge(Math.max(0, Date.parse(expiresAt) - nowMs))}`
}

/** By the name that commands take: those of several parents may have one name. */
const childCell = ({ service, state, pid }: ChildStatus, { title }: Column, depth: number): Cell => {
  if (title === 'NAME') return { text: `${'  '.repeat(depth - 1)}└ ${plain(service)}` }
  if (title === 'STATE') return { text: state, style: styleOfState(state) }
  return title === 'PID' && pid !== null ? { text: `${pid}` } : { text: '' }
}
