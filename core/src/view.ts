/** A service as people see it, made of what the core knows. */
import type { ResolvedSystem } from './config/types.ts'
import { describeEnd, type EndedFacts } from './explain.ts'
import type { Replica } from './replica.ts'
import type { Service } from './service.ts'
import type { DownReplicaView, InstanceView, ServiceView } from './system-api.ts'
import type { Instance } from './instance.ts'

const iso = (ms: number) => new Date(ms).toISOString()

/** The object of `status --json`. `nowMs` is wall time. */
export const viewOf = (service: Service, config: ResolvedSystem, nowMs: number): ServiceView => {
  const shown = service.living.find((instance) => instance.role === 'active' && instance.pid !== undefined)
  const retryAt = service.replicas.map(({ retry }) => retry?.at).find((at) => at !== undefined)
  const down = downReplicas(service)
  return {
    name: service.name,
    id: shortId(`${config.project.id}/${service.name}`),
    state: service.seen.state ?? 'stopped',
    health: healthOf(service),
    pid: shown?.exit === undefined ? (shown?.pid ?? null) : null,
    since: iso(service.seen.sinceMs),
    uptime_ms: shown === undefined ? null : uptimeOf(shown, nowMs),
    restarts: service.restarts,
    reason: service.seen.reason,
    depends_on: Object.keys(service.config.depends_on),
    exit: exitOf(service),
    last_lines: service.seen.state === 'running' ? [] : (lastRun(service)?.lastLines ?? []),
    replicas: service.wantedReplicas,
    instances: service.living.map((instance) => instanceView(instance, nowMs)),
    retry_at: retryAt === undefined ? null : iso(retryAt),
    ...(down.length > 0 ? { down } : {}),
    ...(service.isAdHoc ? { ad_hoc: true } : {}),
    ...(service.isTransient ? { transient: true } : {}),
  }
}

/** Of several replicas those that are down. */
export const downReplicas = (service: Service): readonly DownReplicaView[] =>
  service.wantedReplicas > 1 ? service.wanted.flatMap(downView) : []

const uptimeOf = ({ startedAt }: Instance, nowMs: number): number | null =>
  startedAt === undefined ? null : Math.max(0, Math.round(nowMs - startedAt))

const instanceView = (instance: Instance, nowMs: number): InstanceView => ({
  id: instance.id,
  pid: instance.pid ?? null,
  state: instance.state,
  role: instance.role,
  replica: instance.replica,
  slot: instance.slot ?? null,
  uptime_ms: uptimeOf(instance, nowMs),
})

const downView = ({ index, state, living, last, retry }: Replica): DownReplicaView[] => {
  if (living.size > 0 || (state !== 'backoff' && state !== 'failed')) return []
  const reason = last === undefined ? null : describeEnd(last)
  return [{ replica: index, state, reason, retry_at: retry === undefined ? null : iso(retry.at) }]
}

const healthOf = (service: Service): ServiceView['health'] => {
  if (!service.living.some(({ isGated }) => isGated)) return 'none'
  if (service.seen.state === 'unhealthy') return 'unhealthy'
  if (service.seen.state === 'running') return 'healthy'
  return service.seen.state === 'starting' ? 'starting' : 'none'
}

const lastRun = (service: Service): EndedFacts | undefined =>
  service.replicas.map(({ last }) => last).findLast((run) => run !== undefined)

const exitOf = (service: Service): ServiceView['exit'] => {
  const run = lastRun(service)
  if (run?.exit === undefined || run.exitAt === undefined) return null
  const { code, signal, unknown, oomKilled } = run.exit
  return {
    code,
    signal,
    at: iso(run.exitAt),
    oom_killed: oomKilled === true,
    ...(unknown === undefined ? {} : { unknown }),
  }
}

/** Eight hex digits that stay the same for the same text (FNV-1a, 32 bit). */
export const shortId = (text: string): string => {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
