/** Brings another config into force, and replaces what runs: `plan`, `apply`, `restart`. */
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import { Deploy, type IsOld } from './deploy.ts'
import { SysgError, whyOf } from './errors.ts'
import { Graph } from './graph.ts'
import type { Hooks } from './hooks.ts'
import type { Instance } from './instance.ts'
import { changedInputs, changedKeys, isLiveChange, isSame } from './changed-keys.ts'
import type { Reconciler } from './reconciler.ts'
import type { Service } from './service.ts'
import { immediate, type Strategy } from './strategy.ts'
import type { PlannedChange } from './system-api.ts'

export interface ReloadWorld {
  readonly reconciler: Reconciler
  readonly hooks: Hooks
  /** Keys that a plugin has at the top level as defaults for the key of the same name in every service. */
  readonly sharedKeys: readonly string[]
  /** Keys, or parts of them with dots, whose change needs no restart. */
  readonly live: readonly string[]
}

/** What `next` would change. `all`: everything that runs is replaced, as `restart` does. */
export const planChanges = (world: ReloadWorld, next: ResolvedSystem, all: boolean): readonly PlannedChange[] => {
  const { services } = world.reconciler.roster
  const gone = [...services.values()]
    .filter(({ name, isRemoved, isAdHoc }) => !Object.hasOwn(next.services, name) && !isRemoved && !isAdHoc)
    .map(({ name }): PlannedChange => ({ service: name, action: 'stop', because: ['no longer in the config'] }))
  const adHoc = world.reconciler.roster.adHoc
    .filter(({ name }) => !Object.hasOwn(next.services, name))
    .map(({ name }): PlannedChange => ({ service: name, action: 'keep', because: ['ad hoc: no config touches it'] }))
  const graph = new Graph(new Map(Object.entries(next.services)))
  const shared = changedDefaults(world, next)
  const kept = graph.order().map((name) => {
    const spec = next.services[name] as ResolvedService
    const change = planOne({ world, shared }, services.get(name), spec, all)
    return { service: name, ...change }
  })
  return [...gone, ...kept, ...adHoc]
}

/** Defaults for all services that `next` has otherwise, and that running instances cannot take up. */
const changedDefaults = (world: ReloadWorld, next: ResolvedSystem): readonly string[] => {
  const valueIn = (config: ResolvedSystem, key: string): unknown => config[key as keyof ResolvedSystem]
  const before = world.reconciler.roster.config
  return world.sharedKeys.filter(
    (key) => !world.live.includes(key) && !isSame(valueIn(before, key), valueIn(next, key)),
  )
}

/** What differs and a running instance cannot take up, in words. `defaults`: changed for all services. */
const reasonsToReplace = (
  world: ReloadWorld,
  before: ResolvedService,
  after: ResolvedService,
  defaults: readonly string[] = [],
): readonly string[] => {
  const valueIn = (service: ResolvedService, key: string): unknown => service[key as keyof ResolvedService]
  const keys = changedKeys(before, after).filter(
    (key) => !isLiveChange(key, valueIn(before, key), valueIn(after, key), world.live),
  )
  const names = [...new Set([...keys, ...defaults])].sort().map(quoted)
  return [...names, ...changedInputs(before, after)].map(says)
}

const planOne = (
  { world, shared }: { readonly world: ReloadWorld; readonly shared: readonly string[] },
  service: Service | undefined,
  spec: ResolvedService,
  all: boolean,
): Omit<PlannedChange, 'service'> => {
  if (service === undefined || service.isRemoved || service.isAdHoc)
    return { action: 'start', because: ['new in the config'] }
  if (service.intent.intent === 'stopped') return { action: 'keep', because: ['stopped by you'] }
  const active = service.replicas.flatMap((replica) => replica.active ?? [])
  // A deploy that failed half-way leaves replicas that run different configs.
  const running = active.find((one) => reasonsToReplace(world, one.service, spec).length > 0) ?? active[0]
  const before = running?.service ?? service.config
  const changed = changedKeys(before, spec)
  const reasons = reasonsToReplace(world, before, spec, shared)
  if (running === undefined) {
    const matters = changed.includes('skip') ? [...reasons, says(quoted('skip'))] : reasons
    const isResting = ['completed', 'skipped', 'scheduled'].includes(service.seen.state ?? '')
    if (isResting && matters.length === 0 && !all)
      return { action: 'keep', because: [`it is ${service.seen.state ?? ''}`] }
    const because = service.isAsked ? 'it does not run' : 'not started yet'
    return { action: 'start', because: matters.length > 0 ? matters : [because] }
  }
  if (reasons.length === 0 && !all)
    return { action: 'keep', because: changed.map((key) => `${says(quoted(key))}, taken up at once`) }
  const because = reasons.length > 0 ? reasons : ['a restart was asked for']
  return { action: strategyName(world, spec, before) === 'immediate' ? 'restart' : 'deploy', because }
}

const quoted = (key: string) => `\`${key}\``

const says = (what: string) => `${what} changed`

const strategyName = (world: ReloadWorld, service: ResolvedService, running: ResolvedService): string => {
  try {
    return (world.hooks.replace.call({ service, running }) ?? immediate).name
  } catch {
    return 'unknown'
  }
}

/** Services to replace, and which of their instances; and services to start. */
export interface Replacing {
  readonly names: readonly string[]
  /** Replaced whatever they run; others are when their config differs. */
  readonly instances: ReadonlySet<Instance>
  /** Started when what they need has been replaced. */
  readonly starting?: readonly string[]
}

/** Every instance of these services that lives now. What starts later needs no replacement. */
export const replacingAll = (services: Iterable<Service>): Replacing => {
  const all = [...services]
  return { names: all.map(({ name }) => name), instances: new Set(all.flatMap(({ living }) => living)) }
}

/** Instances that cannot take up the config of their service. */
const replacingChanged = (services: readonly Service[]): Replacing => ({
  names: services.map(({ name }) => name),
  instances: new Set(),
})

/** Put a config into force without starting or replacing anything: intents, and live keys. Returns what is left to do. */
export const takeUp = (world: ReloadWorld, next: ResolvedSystem, all: boolean): Replacing => {
  const changes = planChanges(world, next, all)
  const isAll = all || changedDefaults(world, next).length > 0
  world.reconciler.roster.takeUp(next)
  for (const { service: name, action } of changes) {
    const service = world.reconciler.roster.services.get(name)
    if (service === undefined || service.isAdHoc) continue
    if (action === 'keep') takeUpLive(service)
  }
  const named = (...actions: readonly PlannedChange['action'][]) =>
    world.reconciler.roster.named(
      changes.filter(({ action }) => actions.includes(action)).map(({ service }) => service),
    )
  const toReplace = named('restart', 'deploy')
  for (const service of toReplace) service.isToBeReplaced = true
  const replacing = isAll ? replacingAll(toReplace) : replacingChanged(toReplace)
  return { ...replacing, starting: named('start').map(({ name }) => name) }
}

const takeUpLive = (service: Service): void => {
  for (const replica of service.replicas) {
    replica.spec = service.config
    for (const instance of replica.living) instance.takeUp(service.config)
  }
}

/** Its next instance is started as soon as the system looks at it, with what is configured now. */
export const prepareToStart = (service: Service): void => {
  service.isAsked = true
  service.planning = 'needed'
  service.planError = undefined
  for (const replica of service.replicas) {
    replica.spec = service.config
    replica.rearm()
  }
}

/**
 * Replace these services, dependencies first; those that need each other not at the same time. Stops at the first layer
 * in which one fails.
 *
 * @returns the errors by service; empty when all went well.
 */
export const replaceInOrder = async (
  world: ReloadWorld,
  replacing: Replacing,
): Promise<ReadonlyMap<string, SysgError>> => {
  try {
    return await replaceLayers(world, replacing)
  } finally {
    const services = world.reconciler.roster.named(replacing.names)
    for (const service of services) service.isToBeReplaced = false
    world.reconciler.wake(services)
  }
}

const replaceLayers = async (
  world: ReloadWorld,
  { names, instances, starting = [] }: Replacing,
): Promise<ReadonlyMap<string, SysgError>> => {
  const { roster } = world.reconciler
  const wanted = new Set(names)
  const errors = new Map<string, SysgError>()
  const isFree = (name: string) => !roster.graph.withDependencies([name]).some((other) => wanted.has(other))
  startAll(world, starting.filter(isFree))
  const later = new Set(starting.filter((name) => !isFree(name)))
  for (const layer of roster.graph.layers()) {
    const due = layer.filter((name) => later.delete(name))
    startAll(world, due)
    const replaced = roster.named(layer.filter((name) => wanted.has(name))).map(async (service) => {
      const error = await replaceService(world, service, instances)
      service.isToBeReplaced = false
      world.reconciler.wake([service])
      if (error !== undefined) errors.set(service.name, error)
    })
    await Promise.all(replaced)
    if (errors.size > 0) break
  }
  startAll(world, [...later])
  return errors
}

const startAll = (world: ReloadWorld, names: readonly string[]): void => {
  const services = world.reconciler.roster.named(names)
  for (const service of services) prepareToStart(service)
  world.reconciler.wake(services)
}

/** Replace one service by its strategy, or start it when it does not run. */
const replaceService = async (
  world: ReloadWorld,
  service: Service,
  instances: ReadonlySet<Instance>,
): Promise<SysgError | undefined> => {
  const { reconciler } = world
  const target = service.config
  for (let { deploy } = service; deploy !== undefined; deploy = service.deploy) {
    const ending = deploy
    if (isSame(deploy.target, target)) return deploy.result
    deploy.abort(new SysgError('SYSG_DEPLOY_SUPERSEDED', { service: service.name, by: 'another restart' }))
    await deploy.result
    await reconciler.until(() => service.deploy !== ending)
  }
  const running = service.replicas.find(({ active }) => active !== undefined)?.active
  if (running === undefined) {
    prepareToStart(service)
    reconciler.wake([service])
    return undefined
  }
  await reconciler.until(
    () => service.gate.state !== 'waiting' || isDeploying(service) || !reconciler.roster.isWanted(service),
  )
  if (isDeploying(service)) return replaceService(world, service, instances)
  if (service.gate.state !== 'open') {
    const reason = (service.gate.by ?? [])
      .map((name) => `${name} is ${reconciler.roster.services.get(name)?.seen.state ?? 'down'}`)
      .join(', ')
    return new SysgError('SYSG_DEPENDENCY_DOWN', { service: service.name, reason })
  }
  const isOld: IsOld = (instance) =>
    instances.has(instance) || reasonsToReplace(world, instance.service, target).length > 0
  return runDeploy(world, service, { target, running: running.service, isOld })
}

const isDeploying = (service: Service) => service.deploy !== undefined

const runDeploy = async (
  world: ReloadWorld,
  service: Service,
  { target, running, isOld }: { target: ResolvedService; running: ResolvedService; isOld: IsOld },
): Promise<SysgError | undefined> => {
  let strategy: Strategy
  try {
    strategy = world.hooks.replace.call({ service: target, running }) ?? immediate
  } catch (thrown) {
    const facts = { service: service.name, step: 'strategy', reason: whyOf(thrown) }
    return new SysgError('SYSG_DEPLOY_FAILED', facts, { cause: thrown })
  }
  const deploy = new Deploy(service, target, strategy, world.reconciler.deployWorld, {
    isOld,
    cause: service.cause,
  })
  service.deploy = deploy
  deploy.begin()
  const error = await deploy.result
  service.deploy = undefined
  world.reconciler.wake([service])
  return error
}
