/** Brings another config into force, and replaces what runs: `plan`, `apply`, `restart`. */
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import { Deploy } from './deploy.ts'
import { SysgError, whyOf } from './errors.ts'
import { Graph } from './graph.ts'
import type { Hooks } from './hooks.ts'
import { changedKeys, isSame, liveKeys } from './plan.ts'
import type { Reconciler } from './reconciler.ts'
import type { Service } from './service.ts'
import { immediate, type Strategy } from './strategy.ts'
import type { PlannedChange } from './system-api.ts'

export interface ReloadWorld {
  readonly reconciler: Reconciler
  readonly hooks: Hooks
  /** Keys that a plugin has at the top level as defaults for the key of the same name in every service. */
  readonly sharedKeys: readonly string[]
  /** Keys that plugins take up without a restart. */
  readonly pluginLiveKeys: readonly string[]
}

/** What `next` would change. `all`: everything that runs is replaced, as `restart` does. */
export const planChanges = (world: ReloadWorld, next: ResolvedSystem, all: boolean): readonly PlannedChange[] => {
  const { services } = world.reconciler.roster
  const gone = [...services.values()]
    .filter(({ name, isRemoved }) => !(name in next.services) && !isRemoved)
    .map(({ name }): PlannedChange => ({ service: name, action: 'stop', because: ['no longer in the config'] }))
  const graph = new Graph(new Map(Object.entries(next.services)))
  const valueIn = (config: ResolvedSystem, key: string): unknown => config[key as keyof ResolvedSystem]
  const shared = world.sharedKeys.filter(
    (key) => !isSame(valueIn(world.reconciler.roster.config, key), valueIn(next, key)),
  )
  const kept = graph.order().map((name) => {
    const spec = next.services[name] as ResolvedService
    const change = planOne({ world, shared }, services.get(name), spec, all)
    return { service: name, ...change }
  })
  return [...gone, ...kept]
}

const planOne = (
  { world, shared }: { readonly world: ReloadWorld; readonly shared: readonly string[] },
  service: Service | undefined,
  spec: ResolvedService,
  all: boolean,
): Omit<PlannedChange, 'service'> => {
  if (service === undefined || service.isRemoved) return { action: 'start', because: ['new in the config'] }
  if (service.intent.intent === 'stopped') return { action: 'keep', because: ['stopped by you'] }
  const running = service.replicas.find(({ active }) => active !== undefined)?.active
  const before = running?.service ?? service.config
  const changed = [...new Set([...changedKeys(before, spec), ...shared])].sort()
  const needRestart = changed.filter((key) => !liveKeys.includes(key) && !world.pluginLiveKeys.includes(key))
  if (running === undefined) {
    const matters = changed.filter((key) => needRestart.includes(key) || key === 'skip')
    const isResting = ['completed', 'skipped', 'scheduled'].includes(service.seen.state ?? '')
    if (isResting && matters.length === 0 && !all)
      return { action: 'keep', because: [`it is ${service.seen.state ?? ''}`] }
    const because = service.isAsked ? 'it does not run' : 'not started yet'
    return { action: 'start', because: matters.length > 0 ? matters.map(says) : [because] }
  }
  if (needRestart.length === 0 && !all)
    return { action: 'keep', because: changed.map((key) => `${says(key)}, taken up at once`) }
  const because = needRestart.length > 0 ? needRestart.map(says) : ['a restart was asked for']
  return { action: strategyName(world, spec, before) === 'immediate' ? 'restart' : 'deploy', because }
}

const says = (key: string) => `\`${key}\` changed`

const strategyName = (world: ReloadWorld, service: ResolvedService, running: ResolvedService): string => {
  try {
    return (world.hooks.replace.call({ service, running }) ?? immediate).name
  } catch {
    return 'unknown'
  }
}

/** Put a config into force without replacing anything that runs: intents, live keys, and what rests. Returns what is left to replace. */
export const takeUp = (world: ReloadWorld, next: ResolvedSystem, all: boolean): readonly string[] => {
  const changes = planChanges(world, next, all)
  world.reconciler.roster.takeUp(next)
  for (const { service: name, action } of changes) {
    const service = world.reconciler.roster.services.get(name)
    if (service === undefined || action === 'stop') continue
    if (action === 'keep') takeUpLive(service)
    if (action === 'start') prepareToStart(service)
  }
  return changes.filter(({ action }) => action === 'restart' || action === 'deploy').map(({ service }) => service)
}

const takeUpLive = (service: Service): void => {
  for (const replica of service.replicas) {
    replica.spec = service.config
    for (const instance of replica.living) instance.service = service.config
  }
}

const prepareToStart = (service: Service): void => {
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
  names: readonly string[],
): Promise<ReadonlyMap<string, SysgError>> => {
  const wanted = new Set(names)
  const errors = new Map<string, SysgError>()
  for (const layer of world.reconciler.roster.graph.layers()) {
    const services = layer.filter((name) => wanted.has(name)).map((name) => world.reconciler.roster.services.get(name))
    const replaced = services
      .filter((service) => service !== undefined)
      .map(async (service) => {
        const error = await replaceService(world, service)
        if (error !== undefined) errors.set(service.name, error)
      })
    await Promise.all(replaced)
    if (errors.size > 0) break
  }
  return errors
}

/** Replace one service by its strategy, or start it when it does not run. */
const replaceService = async (world: ReloadWorld, service: Service): Promise<SysgError | undefined> => {
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
  if (isDeploying(service)) return replaceService(world, service)
  if (service.gate.state !== 'open') {
    const reason = (service.gate.by ?? [])
      .map((name) => `${name} is ${reconciler.roster.services.get(name)?.seen.state ?? 'down'}`)
      .join(', ')
    return new SysgError('SYSG_DEPENDENCY_DOWN', { service: service.name, reason })
  }
  return runDeploy(world, service, target, running.service)
}

const isDeploying = (service: Service) => service.deploy !== undefined

const runDeploy = async (
  world: ReloadWorld,
  service: Service,
  target: ResolvedService,
  running: ResolvedService,
): Promise<SysgError | undefined> => {
  let strategy: Strategy
  try {
    strategy = world.hooks.replace.call({ service: target, running }) ?? immediate
  } catch (thrown) {
    const facts = { service: service.name, step: 'strategy', reason: whyOf(thrown) }
    return new SysgError('SYSG_DEPLOY_FAILED', facts, { cause: thrown })
  }
  const deploy = new Deploy(service, target, strategy, world.reconciler.deployWorld, service.cause)
  service.deploy = deploy
  deploy.begin()
  const error = await deploy.result
  service.deploy = undefined
  world.reconciler.wake([service])
  return error
}
