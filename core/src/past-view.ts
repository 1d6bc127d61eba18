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
 */
export const pastViews = (past: Past, project: string, atMs: number): readonly ServiceView[] =>
  Object.entries(past.services)
    .filter(([, { isDeclared }]) => isDeclared)
    .map(([name, service]) => viewOf(name, service, project, atMs))

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
