/** The services that an operation is about: finds them, and remembers what a person wants of them. */
import { nearest } from '../config/nearest.ts'
import { SysgError } from '../errors.ts'
import type { IntentRecord } from '../journal.ts'
import { isDown } from '../replica.ts'
import type { Service } from '../service.ts'
import type { OperationWorld } from './operation-world.ts'

/** @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
export const findService = ({ reconciler }: OperationWorld, name: string): Service => {
  const { services } = reconciler.roster
  const service = services.get(name)
  if (service === undefined)
    throw new SysgError('SYSG_SERVICE_UNKNOWN', { name, suggestion: nearest(name, services.keys()) })
  return service
}

/** One that is not on its way out, and that may run again. @throws {SysgError} `SYSG_SERVICE_UNKNOWN`, `SYSG_SERVICE_TRANSIENT`. */
export const findKept = (world: OperationWorld, name: string): Service => {
  const service = findService(world, name)
  if (service.isRemoved) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
  if (service.isTransient) throw new SysgError('SYSG_SERVICE_TRANSIENT', { name })
  return service
}

/** Services of the config. */
export const servicesOfConfig = ({ reconciler }: OperationWorld): readonly Service[] =>
  [...reconciler.roster.services.values()].filter(({ isRemoved, isAdHoc }) => !isRemoved && !isAdHoc)

/** @throws {SysgError} `SYSG_SHUTTING_DOWN`. */
export const requireOpen = ({ reconciler }: OperationWorld): void => {
  if (reconciler.roster.isShuttingDown) throw new SysgError('SYSG_SHUTTING_DOWN', undefined)
}

export const setIntent = (world: OperationWorld, service: Service, intent: IntentRecord): void => {
  const isNew = service.intent.intent !== intent.intent
  service.intent = intent
  // Of one that is being forgotten nothing is remembered.
  const isForgotten = service.isAdHoc && service.isRemoved
  if (!isForgotten) world.hooks.journal.call({ kind: 'intent', service: service.name, record: intent })
  if (isNew)
    service.cause = world.emit('service.intent', { service: service.name }, { intent: intent.intent, by: 'you' }).seq
}

/** What has given up or crashed, or waits before it is tried again, is tried now. */
export const rearmDown = (service: Service): void => {
  if (service.planError !== undefined) {
    service.planning = 'needed'
    service.planError = undefined
  }
  for (const replica of service.replicas) if (isDown(replica) || replica.isCrashing) replica.rearm()
}

/** What runs goes on when what it needs is stopped by a person. */
export const warnOfDependents = (
  { reconciler: { roster } }: OperationWorld,
  stopped: readonly Service[],
): readonly string[] => {
  const names = new Set(stopped.map(({ name }) => name))
  const dependents = new Set(
    stopped.flatMap(({ name }) => roster.graph.dependents(name)).filter((name) => !names.has(name)),
  )
  return roster
    .named(dependents)
    .filter(({ living }) => living.length > 0)
    .map(({ name }) => `\`${name}\` depends on what you stopped, and goes on.`)
}
