/** What is to be seen of a service: its gate, whether it is up, its state with the reason, told when that changes. */
import { eventOfState } from './events.ts'
import { explain } from './explain.ts'
import { gateOf, type DependencyFacts, type Gate } from './gate.ts'
import type { SystemWorld } from './system-world.ts'
import { isDown, type Replica } from './replica.ts'
import type { Service } from './service.ts'

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
  const before = service.seen
  if (before.state === state && before.reason === reason) return undefined
  const isNew = before.state !== state
  service.seen = { state, reason, sinceMs: isNew ? sinceMs(service, world) : before.sinceMs }
  // A restart is told when it is decided; that nothing was started yet is not worth an event.
  const isTold = state === 'backoff' || (before.state === undefined && state === 'stopped')
  if (isNew && !isTold) {
    const pid = service.serving.find((one) => one.pid !== undefined)?.pid ?? null
    const of = { service: service.name, cause: service.cause }
    service.cause = world.emit(eventOfState[state], of, state === 'running' ? { pid } : { reason }).seq
  }
  return isNew ? 'state' : 'reason'
}

/** A run that an earlier supervisor saw come to rest has rested since then. */
const sinceMs = (service: Service, world: SystemWorld): number => {
  const rested =
    service.seen.state === undefined ? service.replicas.find(({ isOutcomeRecorded }) => isOutcomeRecorded) : undefined
  return rested?.last?.exitAt ?? world.host.clock.now()
}

/** Its process has just ended by itself, and it is not yet known whether it left others behind: no state worth telling. */
const isBeingSettled = (service: Service): boolean =>
  service.serving.length === 0 &&
  service.living.some(
    ({ exit, stopRequest, state, role }) =>
      role === 'active' && exit !== undefined && stopRequest === undefined && state !== 'stopping',
  )
