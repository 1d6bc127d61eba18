/** What is to be seen of a service: its gate, whether it is up, its state with the reason, told when that changes. */
import { eventOfState } from './events.ts'
import { explain, mostNamed, type EndedFacts } from './explain.ts'
import { gateOf, type DependencyFacts, type Gate } from './gate.ts'
import type { DownReplicaView } from './system-api.ts'
import type { SystemWorld } from './system-world.ts'
import { isDown, type Replica } from './replica.ts'
import type { Service } from './service.ts'
import { downReplicas } from './view.ts'

/** All wanted replicas serve, or did, and since then one always has. */
export const isUp = (service: Service): boolean => {
  const serves = (replica: Replica) => [...replica.living].some((one) => one.isServing && one.role !== 'candidate')
  if (!service.wanted.some(serves)) return false
  return service.isUp || service.wanted.every(serves)
}

/** Whether the dependencies of a service let it start. */
export const currentGate = (service: Service, services: ReadonlyMap<string, Service>): Gate => {
  const facts = Object.entries(service.config.depends_on).map(([name, { condition }]): DependencyFacts => {
    const dependency = services.get(name)
    return {
      name,
      condition,
      state: dependency?.seen.state ?? (dependency === undefined ? 'failed' : 'waiting'),
      isUp: dependency?.isUp === true,
      hasProcess:
        dependency?.living.some(
          (one) => one.role !== 'candidate' && one.pid !== undefined && one.exit === undefined,
        ) === true,
      isIncomplete: dependency?.wanted.some(isDown) === true,
    }
  })
  return gateOf(facts)
}

/**
 * Bring up to date what people see of a service, and tell it.
 *
 * @returns what others may care about: `state`, `reason`, or nothing.
 */
export const look = (
  service: Service,
  wanted: boolean,
  services: ReadonlyMap<string, Service>,
  world: SystemWorld,
): 'state' | 'reason' | undefined => {
  if (isBeingSettled(service)) return undefined
  const state = service.state(wanted)
  const reason = explain(service, state, (name) => services.get(name))
  const { restarts, seen: before } = service
  const isUnseen = before.state === undefined
  // Of one that runs once it is told that it has started and how it ended.
  const isTold = !service.isTransient
  if (isTold) tellDeclared(service, isUnseen && state === 'stopped' ? reason : undefined, world)
  if (isTold) tellDown(service, world)
  const isNew = before.state !== state
  if (!isNew && before.reason === reason && before.restarts === restarts) return undefined
  const isAtRest = state === 'completed' || state === 'failed'
  const rested = isUnseen && isAtRest ? restedBefore(service) : undefined
  const sinceMs = isNew ? (rested?.exitAt ?? world.host.clock.now()) : before.sinceMs
  service.seen = { state, reason, restarts, sinceMs }
  const of = { service: service.name, cause: service.cause }
  const seen = { reason, restarts }
  if (!isNew) {
    // Of each of a thousand dependencies a thousand dependents would tell: that is told when few are left.
    const isFlood = state === 'waiting' && (service.gate.by?.length ?? 0) > mostNamed
    if (isTold && !isFlood) world.emit('service.reason', of, seen)
  } else if (isTold && (!isUnseen || state !== 'stopped')) {
    const pid = service.serving.find((one) => one.pid !== undefined)?.pid ?? null
    const more = state === 'running' ? { pid } : rested === undefined ? {} : { since: new Date(sinceMs).toISOString() }
    service.cause = world.emit(eventOfState[state], of, { ...seen, ...more }).seq
  }
  return isNew ? 'state' : before.reason === reason ? undefined : 'reason'
}

/**
 * Say what the system has of it, when that is not what was said last. `reason`: why it is `stopped`, of one that is seen
 * for the first time.
 */
const tellDeclared = (service: Service, reason: string | null | undefined, world: SystemWorld): void => {
  const { name, config, isAdHoc, wantedReplicas: replicas, declared: before } = service
  if (before?.config === config && before.replicas === replicas && before.isAdHoc === isAdHoc) return
  service.declared = { config, replicas, isAdHoc }
  const needs = Object.keys(config.depends_on)
  const isSame =
    before?.replicas === replicas &&
    before.isAdHoc === isAdHoc &&
    needs.join() === Object.keys(before.config.depends_on).join()
  if (isSame) return
  const facts = { depends_on: needs, replicas, ad_hoc: isAdHoc }
  world.emit('service.declared', { service: name }, reason === undefined ? facts : { ...facts, reason })
}

/** Say which of several replicas are down, when that is not what was said last. */
const tellDown = (service: Service, world: SystemWorld): void => {
  const down = downReplicas(service)
  if (down.length === 0 && service.toldDown.length === 0) return
  const keyOf = ({ replica, state, reason, retry_at: retryAt }: DownReplicaView) =>
    [replica, state, reason, retryAt].join()
  if (down.map(keyOf).join('\n') === service.toldDown.map(keyOf).join('\n')) return
  service.toldDown = down
  world.emit('service.degraded', { service: service.name, cause: service.cause }, { down })
}

/** The run of one that an earlier supervisor saw come to rest: it has rested since then. */
const restedBefore = (service: Service): EndedFacts | undefined =>
  service.replicas.find(({ recorded }) => recorded !== undefined)?.last

/** Its process has just ended by itself, and it is not yet known whether it left others behind: no state worth telling. */
const isBeingSettled = (service: Service): boolean =>
  service.serving.length === 0 &&
  service.living.some(
    ({ exit, stopRequest, state, role }) =>
      role === 'active' && exit !== undefined && stopRequest === undefined && state !== 'stopping',
  )
