/** Puts a config into force without starting or replacing anything: what changes at once, and what is left to do. */
import type { ResolvedSystem } from '../config/types.ts'
import type { Service } from '../service.ts'
import type { PlannedChange } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'
import { planChanges, reasonsToReplace } from './planned-changes.ts'
import { replacingAll, type ToReplace } from './replace-services.ts'

/** `all`: everything that runs is to be replaced. */
export const putInForce = (world: OperationWorld, next: ResolvedSystem, all: boolean): ToReplace => {
  const changes = planChanges(world, next, all)
  world.reconciler.roster.takeUp(next)
  for (const { service: name, action } of changes) {
    const service = world.reconciler.roster.services.get(name)
    if (service === undefined || service.isAdHoc) continue
    if (action === 'keep') takeUpLive(world, service)
  }
  const named = (...actions: readonly PlannedChange['action'][]) =>
    world.reconciler.roster.named(
      changes.filter(({ action }) => actions.includes(action)).map(({ service }) => service),
    )
  const toReplace = named('restart', 'deploy')
  for (const service of toReplace) service.isToBeReplaced = true
  const replacing = all ? replacingAll(toReplace) : replacingChanged(toReplace)
  return { ...replacing, starting: named('start').map(({ name }) => name) }
}

/** A scheduled run ends with what it was started with; whatever its service is from then on is decided anew. */
const takeUpLive = (world: OperationWorld, service: Service): void => {
  if (service.isScheduled) service.planning = 'needed'
  for (const replica of service.replicas) {
    replica.spec = service.config
    for (const instance of replica.living) {
      if (reasonsToReplace(world, instance.service, service.config).length === 0) instance.takeUp(service.config)
    }
  }
}

/** Instances that cannot take up the config of their service. */
const replacingChanged = (services: readonly Service[]): ToReplace => ({
  names: services.map(({ name }) => name),
  instances: new Set(),
})
