/** Starts services: all that are wanted, named ones with what they need, or one that is in no config. */
import { addAdHoc, findAdHoc } from '../ad-hoc.ts'
import type { ResolvedService } from '../config/types.ts'
import { SysgError } from '../errors.ts'
import { isDown } from '../replica.ts'
import type { Service } from '../service.ts'
import type { Outcome, StartAdHocOptions, StartOptions } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'
import { run } from './run.ts'
import { findKept, findService, requireOpen, servicesOfConfig, setIntent } from './services.ts'
import { outcomeOf, outcomeOfAll, untilSettled, withWarnings } from './settled.ts'

export const start = async (world: OperationWorld, options: StartOptions = {}): Promise<Outcome> => {
  requireOpen(world)
  const { names, withDeps = false } = options
  const services = names === undefined ? askAll(world) : askNamed(world, names, withDeps)
  world.reconciler.wakeAll()
  const runs = services.filter((service) => names?.includes(service.name) === true && service.isScheduled)
  await Promise.all(runs.map((service) => run(world, service.name)))
  await untilSettled(world, services, options)
  return names === undefined ? outcomeOfAll(world, services) : outcomeOf(world, services)
}

export const startAdHoc = async (
  world: OperationWorld,
  spec: ResolvedService,
  { isNew = false, ...options }: StartAdHocOptions = {},
): Promise<Outcome> => {
  requireOpen(world)
  const known = findAdHoc(world.reconciler.roster, spec, isNew)
  const isRunning = known !== undefined && known.living.length > 0
  if (known === undefined) await addAdHoc(spec, world.reconciler, world)
  const outcome = await start(world, { ...options, names: [spec.name] })
  return isRunning ? withWarnings(outcome, [`\`${spec.name}\` runs already, with the same command.`]) : outcome
}

const askAll = (world: OperationWorld): readonly Service[] => {
  // One that was recorded but had not come up when the supervisor died. Those that have run are left alone.
  for (const service of world.reconciler.roster.adHoc) service.isAsked = true
  const services = servicesOfConfig(world)
  for (const service of services) {
    service.isAsked = true
    if (service.intent.intent === 'up') rearmDown(service)
  }
  return services
}

const askNamed = (world: OperationWorld, names: readonly string[], withDeps: boolean): readonly Service[] => {
  const named = names.map((name) => findKept(world, name))
  const all = world.reconciler.roster.graph.withDependencies(names).map((name) => findService(world, name))
  const stopped = all.filter((service) => !names.includes(service.name) && service.intent.intent === 'stopped')
  if (stopped.length > 0 && !withDeps) {
    throw new SysgError('SYSG_DEPENDENCY_STOPPED', {
      service: names.join(', '),
      names: stopped.map(({ name }) => name),
    })
  }
  for (const service of [...named, ...stopped]) setIntent(world, service, { ...service.intent, intent: 'up' })
  for (const service of all) {
    service.isAsked = true
    rearmDown(service)
  }
  for (const service of named) {
    service.ignoresSkip = true
    for (const replica of service.replicas) replica.rearm()
  }
  return all
}

/** What has given up, or waits before it is tried again, is tried now. */
const rearmDown = (service: Service): void => {
  if (service.planError !== undefined) {
    service.planning = 'needed'
    service.planError = undefined
  }
  for (const replica of service.replicas) if (isDown(replica)) replica.rearm()
}
