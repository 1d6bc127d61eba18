/** Stops services and remembers that a person wants them down; those that are in no config are forgotten. */
import { removeAdHoc, tellPlugins } from '../ad-hoc.ts'
import { outcomeOfStop } from '../outcome.ts'
import type { Service } from '../service.ts'
import type { Outcome, StopOptions } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'
import { findService, setIntent, warnOfDependents } from './services.ts'
import { areGoneOrStuck, isStuck } from './settled.ts'

export const stop = async (
  world: OperationWorld,
  names: readonly string[],
  options: StopOptions = {},
): Promise<Outcome> => {
  const { reconciler } = world
  const services = names.map((name) => findService(world, name))
  const before = reconciler.roster.config
  const adHoc = services.filter(({ isAdHoc }) => isAdHoc)
  removeAdHoc(adHoc, reconciler, world)
  for (const service of services) {
    service.stopGraceMs = options.graceMs
    reconciler.aftermath.forgetOutcomes(service)
    for (const replica of service.replicas) {
      replica.askedRun = undefined
      if (replica.isAtRest) replica.rearm()
    }
    setIntent(world, service, { ...service.intent, intent: 'stopped' })
  }
  const warnings = warnOfDependents(world, services)
  const leaving = services.flatMap(({ living }) => living)
  reconciler.wake(services)
  if (adHoc.length > 0) await tellPlugins(before, reconciler.roster, world)
  await reconciler.until(() => areGoneOrStuck(leaving) && services.every(isLeftAlone), options.signal)
  return outcomeOfStop(services, warnings)
}

/** No deploy is at work on it, or one cannot end. */
const isLeftAlone = (service: Service): boolean =>
  service.deploy === undefined || service.isIntended || isStuck(service)
