/**
 * What was true at a moment, told from the events up to it alone: no process, no clock, no store. So the past can be
 * looked at wherever there are events: in a database, in a simulation, in a browser.
 */
import { eventOfState, type EventData, type EventType, type SysgEvent } from './events.ts'
import type { Exit } from './host.ts'
import type { InstanceState, ServiceState } from './states.ts'
import type { DownReplicaView } from './system-api.ts'
import { hostOf } from './transient-name.ts'

/** What events have told so far. Plain JSON, so that it can be kept and gone on from. */
export interface Past {
  /** The number of the last event taken in; 0 before the first. */
  seq: number
  /** Of the supervisor; null when none runs: before the first, and after the system was stopped. */
  startedAt: string | null
  version: string | null
  /** When and why the system was stopped, unless it runs. */
  stopped: { readonly at: string; readonly reason: string | null } | null
  services: Record<string, PastService>
}

export interface PastService {
  /** The system has it: it is not something that runs once, or that only left a trace. */
  isDeclared: boolean
  state: ServiceState
  reason: string | null
  /** Since when it is in that state, ISO 8601. */
  since: string
  restarts: number
  dependsOn: readonly string[]
  replicas: number
  isAdHoc: boolean
  retryAt: string | null
  down: readonly DownReplicaView[]
  /** Everything that had a process and of which something lives, by id. */
  instances: Record<string, PastInstance>
  /** How the last run of each replica ended; null when it never had a process. */
  ends: Record<string, PastEnd | null>
}

export interface PastInstance {
  pid: number | null
  replica: number
  role: 'active' | 'candidate' | 'retired'
  state: InstanceState
  slot: string | null
  isGated: boolean
  /** ISO 8601; null when nobody knows. */
  startedAt: string | null
  end: PastEnd | null
  /** Null but for those that run once, in no config. */
  transient: NonNullable<EventData['instance.started']['transient']> | null
}

export interface PastEnd {
  readonly exit: Exit
  readonly at: string
}

/** Nothing has been told. */
export const nothingTold = (): Past => ({ seq: 0, startedAt: null, version: null, stopped: null, services: {} })

/** What these events tell, in order, after what was told before them. Changes neither. */
export const pastOf = (events: Iterable<SysgEvent>, before: Past = nothingTold()): Past => {
  const past = structuredClone(before)
  for (const event of events) takeIn(past, event)
  return past
}

/** Take one more event into `past`. Events of other versions that say less than is needed change what they can. */
export const takeIn = (past: Past, event: SysgEvent): void => {
  past.seq = event.seq
  tellOf(systemTells, event.type)?.(past, event.data as never, event)
  if (event.service === undefined) return
  const state = stateTold.get(event.type)
  const tell = tellOf(serviceTells, event.type)
  if (state === undefined && tell === undefined) return
  const service = own(past.services, event.service) ?? newService(event.time)
  past.services[event.service] = service
  tell?.(service, event.data as never, event)
  if (state !== undefined) see(service, state, event)
  // What runs once is forgotten with its run.
  const isOver = hostOf(event.service) !== undefined && Object.keys(service.instances).length === 0
  if (isOver) Reflect.deleteProperty(past.services, event.service)
}

type Tells<Of> = { readonly [T in EventType]?: (of: Of, data: EventData[T], event: SysgEvent) => void }

const tellOf = <Of>(tells: Tells<Of>, type: string) =>
  own(tells, type) as ((of: Of, data: never, event: SysgEvent) => void) | undefined

/** A service may be called `constructor`. */
const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

const systemTells: Tells<Past> = {
  'system.booting': (past) => {
    past.services = {}
    past.stopped = null
  },
  'system.started': (past, { version }, { time }) => {
    past.startedAt = time
    past.version = version
    past.stopped = null
  },
  'system.stopped': (past, { reason }, { time }) => {
    past.startedAt = null
    past.stopped = { at: time, reason }
  },
  'service.removed': (past, _, { service = '' }) => {
    Reflect.deleteProperty(past.services, service)
  },
}

/** The state that an event says a service has come into. */
const stateTold: ReadonlyMap<string, ServiceState> = new Map(
  Object.entries(eventOfState).map(([state, type]) => [type, state as ServiceState]),
)

const see = (service: PastService, state: ServiceState, { time, data }: SysgEvent): void => {
  service.state = state
  service.since = typeof data['since'] === 'string' ? data['since'] : time
  if (state !== 'backoff') service.retryAt = null
  explain(service, data)
}

const explain = (service: PastService, { reason, restarts }: { reason?: unknown; restarts?: unknown }): void => {
  service.reason = typeof reason === 'string' ? reason : null
  if (typeof restarts === 'number') service.restarts = restarts
}

const serviceTells: Tells<PastService> = {
  'service.declared': (service, { depends_on: dependsOn, replicas, ad_hoc: isAdHoc, reason }) => {
    Object.assign(service, { isDeclared: true, dependsOn, replicas, isAdHoc })
    if (reason !== undefined) service.reason = reason
    forgetUnwanted(service)
  },
  'service.scaled': (service, { to }) => {
    service.replicas = to
    forgetUnwanted(service)
  },
  'service.reason': explain,
  'service.degraded': (service, { down }) => void (service.down = down),
  'service.restarting': (service, { delay_ms: delayMs }, { time }) => {
    const atMs = Date.parse(time) + delayMs
    service.retryAt = Number.isFinite(atMs) ? new Date(atMs).toISOString() : null
  },
  'service.exited': (service, { pid, replica, role, exit, transient = null }, { instance = '', time }) => {
    // One that ended while no supervisor ran has not been told of before.
    const one = (service.instances[instance] ??= {
      ...{ pid, replica, role, state: 'starting', slot: null, isGated: false, startedAt: null, end: null },
      transient,
    })
    one.end = { exit, at: time }
  },
  'instance.started': (service, { gated: isGated, transient = null, ...told }, { instance = '', time }) => {
    const { pid, replica, role, state, slot } = told
    service.instances[instance] = {
      ...{ pid, replica, role, state, slot, isGated, startedAt: time, end: null, transient },
    }
  },
  'instance.adopted': (service, { started_at: startedAt, transient = null, ...told }, { instance = '' }) => {
    const { pid, replica, role, slot, gated: isGated } = told
    service.instances[instance] = {
      ...{ pid, replica, role, state: 'starting', slot, isGated, startedAt, end: null, transient },
    }
  },
  'instance.given': ({ instances }, { owner }, { instance = '' }) => {
    const one = instances[instance]
    if (one?.transient) one.transient = { ...one.transient, owner }
  },
  'instance.ready': (service, _, { instance }) => moveTo(service, instance, 'ready'),
  'instance.unhealthy': (service, _, { instance }) => moveTo(service, instance, 'unhealthy'),
  'instance.healthy': (service, _, { instance }) => moveTo(service, instance, 'ready'),
  'instance.stopping': (service, _, { instance }) => moveTo(service, instance, 'stopping'),
  'instance.ended': (service, { replica, role }, { instance = '' }) => {
    if (role === 'active') service.ends[replica] = service.instances[instance]?.end ?? null
    Reflect.deleteProperty(service.instances, instance)
    forgetUnwanted(service)
  },
  'replica.restored': (service, { replica, exit, at, retry_at: retryAt }, { time }) => {
    service.retryAt = retryAt ?? service.retryAt
    service.ends[replica] = exit === null ? null : { exit, at: at ?? time }
  },
  'deploy.switched': ({ instances }, { from, to }) => {
    const [old, next] = [from === null ? undefined : instances[from], instances[to]]
    if (old !== undefined) old.role = 'retired'
    if (next !== undefined) next.role = 'active'
  },
}

/** Of replicas that are scaled away and gone nothing is remembered. */
const forgetUnwanted = ({ replicas, instances, ends }: PastService): void => {
  const kept = Math.max(replicas, ...Object.values(instances).map(({ replica }) => replica + 1))
  for (const replica of Object.keys(ends)) if (Number(replica) >= kept) Reflect.deleteProperty(ends, replica)
}

const moveTo = (service: PastService, instance: string | undefined, state: InstanceState): void => {
  const one = service.instances[instance ?? '']
  if (one !== undefined) one.state = state
}

const newService = (time: string): PastService => ({
  ...{ isDeclared: false, state: 'stopped', reason: null, since: time, restarts: 0, dependsOn: [], replicas: 1 },
  ...{ isAdHoc: false, retryAt: null, down: [], instances: {}, ends: {} },
})
