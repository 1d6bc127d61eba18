/** Services as people saw them at a moment: what `view.ts` makes of a running system, made of what events told. */
import type { Exit } from './host.ts'
import type { Past, PastEnd, PastInstance, PastService } from './past.ts'
import type { InstanceView, ServiceView } from './system-api.ts'
import { shortId } from './view.ts'

/**
 * The services of `status --json` as they were, in the order in which they were told of. Lines of output are in the
 * events `service.exited` alone.
 *
 * @param atMs - The moment, wall clock, ms: for how long things have been. @param project - Its id.
 * @param named - Transients to be shown also when they belong to something.
 */
export const pastViews = (
  past: Past,
  project: string,
  atMs: number,
  named: readonly string[] = [],
): readonly PastView[] => {
  const { services } = past
  const all = Object.values(services)
  const lives = (id: string | null) => id !== null && all.some(({ instances }) => Object.hasOwn(instances, id))
  const isShown = ({ isDeclared, instances }: PastService) =>
    isDeclared || Object.values(instances).some(({ transient }) => transient !== null && !lives(transient.owner))
  const shown = Object.entries(services).filter(([name, service]) => isShown(service) || named.includes(name))
  return shown.map(([name, service]) => {
    const children = Object.keys(service.instances).flatMap((id) => childrenOf(id, past, 1))
    const view = { ...viewOf(name, service, project, atMs), ...runOnce(service) }
    return children.length === 0 ? view : { ...view, children }
  })
}

/** A service of `status --json`; `children` is missing when it has none. */
export interface PastView extends Omit<ServiceView, 'children'> {
  readonly children?: readonly PastChild[]
}

/** A transient, below the instance that it belongs to. */
export interface PastChild {
  readonly name: string
  readonly service: string
  readonly pid: number | null
  readonly state: 'starting' | 'running' | 'stopping'
  readonly depth: number
  /** ISO 8601; null when it has no time limit. */
  readonly expires_at: string | null
  readonly children: readonly PastChild[]
}

const childrenOf = (owner: string, past: Past, depth: number): readonly PastChild[] =>
  Object.entries(past.services).flatMap(([service, { instances }]) =>
    Object.entries(instances).flatMap(([id, one]) => {
      const { pid, transient } = one
      if (transient?.owner !== owner) return []
      const { name, expires_at } = transient
      const children = childrenOf(id, past, depth + 1)
      return [{ name, service, pid, state: stateOfRun(one), depth, expires_at, children }]
    }),
  )

/** Of what runs once, and belongs to nothing any more, no states are told. */
const runOnce = ({ isDeclared, instances, since }: PastService): Partial<ServiceView> => {
  const [run] = Object.values(instances)
  if (isDeclared || run === undefined) return {}
  return { state: stateOfRun(run), since: run.startedAt ?? since, ad_hoc: true, transient: true }
}

/** Of something that runs once no other state is to be seen. */
const stateOfRun = ({ state, end }: PastInstance): 'running' | 'stopping' =>
  state === 'stopping' || end !== null ? 'stopping' : 'running'

const viewOf = (name: string, service: PastService, project: string, atMs: number): ServiceView => {
  const living = Object.entries(service.instances).sort(([, a], [, b]) => a.replica - b.replica)
  const shown = living.find(([, { role, pid }]) => role === 'active' && pid !== null)?.[1]
  const last = Object.values(service.ends).at(-1)
  return {
    name,
    id: shortId(`${project}/${name}`),
    state: service.state,
    health: healthOf(
      service,
      living.map(([, one]) => one),
    ),
    pid: shown?.end === null ? shown.pid : null,
    since: service.since,
    uptime_ms: shown === undefined ? null : uptimeOf(shown, atMs),
    restarts: service.restarts,
    reason: service.reason,
    depends_on: service.dependsOn,
    exit: last === null || last === undefined ? null : exitOf(last),
    last_lines: [],
    replicas: service.replicas,
    instances: living.map(([id, one]) => instanceView(id, one, atMs)),
    retry_at: service.state === 'backoff' ? service.retryAt : null,
    ...(service.down.length > 0 ? { down: service.down } : {}),
    ...(service.isAdHoc ? { ad_hoc: true } : {}),
  }
}

const healthOf = ({ state }: PastService, living: readonly PastInstance[]): ServiceView['health'] => {
  if (!living.some(({ isGated }) => isGated)) return 'none'
  if (state === 'unhealthy') return 'unhealthy'
  if (state === 'running') return 'healthy'
  return state === 'starting' ? 'starting' : 'none'
}

const uptimeOf = ({ startedAt }: PastInstance, atMs: number): number | null =>
  startedAt === null ? null : Math.max(0, atMs - Date.parse(startedAt))

const exitOf = ({ exit, at }: PastEnd): ServiceView['exit'] => {
  const { code, signal, unknown, oomKilled }: Exit = exit
  return { code, signal, at, oom_killed: oomKilled === true, ...(unknown === undefined ? {} : { unknown }) }
}

const instanceView = (id: string, one: PastInstance, atMs: number): InstanceView => {
  const { pid, state, role, replica, slot } = one
  return { id, pid, state, role, replica, slot, uptime_ms: uptimeOf(one, atMs) }
}
