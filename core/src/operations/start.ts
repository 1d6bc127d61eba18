/** Starts services: all that are wanted, named ones with what they need, or one that is in no config. */
import { addAdHoc, findAdHoc } from '../ad-hoc.ts'
import type { ResolvedService } from '../config/types.ts'
import { SysgError } from '../errors.ts'
import type { Service } from '../service.ts'
import type { Outcome, StartAdHocOptions, StartOptions } from '../system-api.ts'
import { catchUp } from './catch-up.ts'
import type { OperationWorld } from './operation-world.ts'
import { runByHand } from './run.ts'
import { findKept, findService, rearmDown, requireOpen, servicesOfConfig, setIntent } from './services.ts'
import { outcomeOf, settled, untilSettled, withWarnings } from './settled.ts'

export const start = async (world: OperationWorld, options: StartOptions = {}): Promise<Outcome> => {
  requireOpen(world)
  const { names, withDeps = false } = options
  if (names === undefined) return startAll(world, options)
  const services = askNamed(world, names, withDeps)
  world.reconciler.wakeAll()
  const { reconciler } = world
  const named = reconciler.roster.named(names)
  await reconciler.until(() => named.every((one) => one.planning === 'done' || !reconciler.roster.isWanted(one)))
  const runs = named.filter(({ isScheduled }) => isScheduled)
  const errors = await runByHand(world, runs, options)
  await untilSettled(world, services, { ...options, errors })
  return outcomeOf(world, services, errors)
}

const startAll = (world: OperationWorld, options: StartOptions): Promise<Outcome> => {
  const ask = (later?: ReadonlySet<string>) => {
    askAll(world, later)
    world.reconciler.wakeAll()
  }
  if (options.appliesChanges === true) world.catchingUp = catchUp(world, ask)
  else ask()
  return settled(world, options)
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

const askAll = (world: OperationWorld, later: ReadonlySet<string> = new Set()): void => {
  // One that was recorded but had not come up when the supervisor died. Those that have run are left alone.
  for (const service of world.reconciler.roster.adHoc) service.isAsked = true
  for (const service of servicesOfConfig(world)) {
    if (later.has(service.name)) continue
    service.isAsked = true
    if (service.intent.intent === 'up') rearmDown(service)
  }
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
