/** What another config changes, service by service, and why. Nothing happens here: `plan` shows it and `apply` does it. */
import { changedInputs, changedKeys, isLiveChange } from '../changed-keys.ts'
import type { ResolvedService, ResolvedSystem } from '../config/types.ts'
import { Graph } from '../graph.ts'
import type { Service } from '../service.ts'
import { immediate } from '../strategy.ts'
import type { PlannedChange } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'

/** What `next` would change. `all`: everything that runs is replaced, as `restart` does. */
export const planChanges = (world: OperationWorld, next: ResolvedSystem, all: boolean): readonly PlannedChange[] => {
  const { services } = world.reconciler.roster
  const gone = [...services.values()]
    .filter(({ name, isRemoved, isAdHoc }) => !Object.hasOwn(next.services, name) && !isRemoved && !isAdHoc)
    .map(({ name }): PlannedChange => ({ service: name, action: 'stop', because: ['no longer in the config'] }))
  const adHoc = world.reconciler.roster.adHoc
    .filter(({ name }) => !Object.hasOwn(next.services, name))
    .map(({ name }): PlannedChange => ({ service: name, action: 'keep', because: ['ad hoc: no config touches it'] }))
  const graph = new Graph(new Map(Object.entries(next.services)))
  const kept = graph.order().map((name) => {
    const spec = next.services[name] as ResolvedService
    const change = planOne(world, services.get(name), spec, all)
    return { service: name, ...change }
  })
  return [...gone, ...kept, ...adHoc]
}

/** What of a service differs and what runs cannot take up, in words. */
export const reasonsToReplace = (
  world: OperationWorld,
  before: ResolvedService,
  after: ResolvedService,
): readonly string[] => {
  const valueIn = (service: ResolvedService, key: string): unknown => service[key as keyof ResolvedService]
  const keys = changedKeys(before, after).filter(
    (key) => !isLiveChange(key, valueIn(before, key), valueIn(after, key), world.live),
  )
  return [...keys.map(quoted), ...changedInputs(before, after)].map(says)
}

const planOne = (
  world: OperationWorld,
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
  const reasons = reasonsToReplace(world, before, spec)
  const atOnce = changed
    .filter((key) => !reasons.includes(says(quoted(key))))
    .map((key) => `${says(quoted(key))}, taken up at once`)
  if (running === undefined) {
    const matters = changed.includes('skip') ? [...reasons, says(quoted('skip'))] : reasons
    const forNextRun = [...reasons.map((reason) => `${reason}, for its next run`), ...atOnce]
    if (service.seen.state === 'scheduled' && !changed.some(isOfKind(world, before, spec)))
      return { action: 'keep', because: forNextRun.length > 0 ? forNextRun : ['it is scheduled'] }
    const isResting = ['completed', 'skipped', 'scheduled'].includes(service.seen.state ?? '')
    if (isResting && matters.length === 0 && !all)
      return { action: 'keep', because: atOnce.length > 0 ? atOnce : [`it is ${service.seen.state ?? ''}`] }
    return { action: 'start', because: matters.length > 0 ? matters : [whyDown(service)] }
  }
  if (service.isScheduled)
    return { action: 'keep', because: [...reasons.map((reason) => `${reason}, for its next run`), ...atOnce] }
  if (reasons.length === 0 && !all) return { action: 'keep', because: atOnce }
  const because = reasons.length > 0 ? reasons : ['a restart was asked for']
  return { action: strategyName(world, spec, before) === 'immediate' ? 'restart' : 'deploy', because }
}

/** Whether a change of `key` may make another kind of service of it: whether it runs by a schedule, or at all. */
const isOfKind =
  ({ live }: OperationWorld, before: ResolvedService, after: ResolvedService) =>
  (key: string): boolean => {
    if (key === 'skip') return true
    const [old, next] = [before, after].map((service): unknown => service[key as keyof ResolvedService])
    // Each part of it could be taken up at once. As a whole it comes or goes.
    return (old === undefined) !== (next === undefined) && isLiveChange(key, {}, old ?? next, live)
  }

const whyDown = ({ isAsked, seen: { state, reason } }: Service): string => {
  if (!isAsked) return 'not started yet'
  if (state === 'backoff') return `it waits in backoff${reason === null ? '' : `: ${reason}`}`
  return 'it does not run'
}

const quoted = (key: string) => `\`${key}\``

const says = (what: string) => `${what} changed`

const strategyName = (world: OperationWorld, service: ResolvedService, running: ResolvedService): string => {
  try {
    return (world.hooks.replace.call({ service, running }) ?? immediate).name
  } catch {
    return 'unknown'
  }
}
