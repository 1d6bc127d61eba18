/**
 * Takes up what an earlier supervisor left: instances that live go on under the same pid, what died is handed to its
 * policy, what a deploy had not finished is decided by what was recorded last.
 */
import { restoreAdHoc } from './ad-hoc.ts'
import { describeExit } from './explain.ts'
import type { Adopted, Exit, Host, TreeRef } from './host.ts'
import type { BootState, InstanceRecord, OutcomeRecord } from './journal.ts'
import { isSame } from './changed-keys.ts'
import type { Reconciler } from './reconciler.ts'
import type { SystemWorld } from './system-world.ts'
import type { Service } from './service.ts'
import { pause } from './wait.ts'

/**
 * Adopt every recorded instance. Nothing is started here. Returns how many live.
 *
 * @throws {SysgError} `SYSG_AD_HOC_IN_THE_WAY`. Nothing has been adopted then.
 */
export const adoptAll = async (left: BootState, reconciler: Reconciler, world: SystemWorld): Promise<number> => {
  const all: Found[] = []
  for (const record of left.instances.toSorted(byStart)) {
    reconciler.roster.reserveId(record.id)
    all.push(await find(record, world.host))
  }
  await lookAgain(all, world.host)
  const lives = (record: InstanceRecord) => all.some((one) => one.record === record && isLiving(one))
  const state = restoreAdHoc(left, reconciler, world, lives)
  world.emit('system.booting', {}, { instances: state.instances.length })
  const found = all.filter(({ record }) => state.instances.includes(record))
  for (const [name, intent] of Object.entries(state.intents)) {
    const service = reconciler.roster.services.get(name)
    if (service !== undefined) service.intent = intent
  }
  for (const record of state.outcomes) restoreOutcome(record, reconciler, world)
  for (const one of found) keepPredecessor(one, found, world)
  await planScheduled(found, reconciler, world)
  // All that lives comes first, so that the loss of a dependency reaches its dependents; and first what serves, so that
  // what is left of a deploy is ended when it is known what else there is.
  const living = found.filter(({ spawned }) => spawned !== undefined)
  const isActive = ({ record }: Found) => record.role === 'active'
  // A service is looked at when all its replicas, and all that it needs, have been taken up.
  reconciler.batch(() => {
    for (const one of living.filter(isActive)) adoptOne(one, reconciler, world)
    for (const one of living.filter((other) => !isActive(other))) adoptOne(one, reconciler, world)
  })
  for (const one of found) if (one.spawned === undefined) adoptOne(one, reconciler, world)
  return living.length
}

/**
 * What was started first is taken up first: plugins see instances in that order. By the kernel's clock, which nobody sets, and
 * for those of one tick by the wall clock; one that has no process yet comes last.
 */
const byStart = (a: InstanceRecord, b: InstanceRecord): number => {
  if (a.tree === undefined || b.tree === undefined) return Number(a.tree === undefined) - Number(b.tree === undefined)
  return a.tree.startTime - b.tree.startTime || (a.startedAt ?? 0) - (b.startedAt ?? 0)
}

/** A record, and what of it is still there. */
interface Found {
  record: InstanceRecord
  readonly spawned: Adopted | undefined
  /** Its tree, when the tracked process has ended and others of it live. */
  readonly remains: TreeRef | undefined
  /** How it ended, where that is known. */
  readonly exit?: Exit | undefined
}

const isLiving = ({ spawned, remains }: Found): boolean => spawned !== undefined || remains !== undefined

/**
 * A supervisor that died while it started something leaves a process that may not carry its token yet: between fork and exec
 * it looks like the supervisor itself. Missed now, it would be a second copy for ever.
 */
const lookAgain = async (found: Found[], host: Host): Promise<void> => {
  const isMissing = (one: Found) => one.record.tree === undefined && !isLiving(one)
  if (!found.some(isMissing)) return
  await pause(host.clock, lookAgainMs, new AbortController().signal)
  for (const [index, one] of found.entries()) if (isMissing(one)) found[index] = await find(one.record, host)
}

const lookAgainMs = 250

const find = async (record: InstanceRecord, { processes }: Host): Promise<Found> => {
  const spawned = record.tree === undefined ? undefined : await processes.adopt(record.tree)
  if (spawned !== undefined) return { record, spawned, remains: undefined }
  const tree = record.tree ?? { pid: 0, startTime: 0, bootId: '', token: record.token }
  const members = await processes.members(tree)
  const exit = record.tree === undefined ? undefined : await processes.pastExit(record.tree)
  return { record, spawned, remains: members.length > 0 ? tree : undefined, exit }
}

/** What had taken over from it is dead, and it still lives and was ready: it serves again. */
const keepPredecessor = (one: Found, found: readonly Found[], { hooks }: SystemWorld): void => {
  const { record } = one
  if (record.role !== 'retired' || one.spawned === undefined || !record.wasReady) return
  const successors = found.filter(
    ({ record: { service, replica, role } }) =>
      role === 'active' && service.name === record.service.name && replica === record.replica,
  )
  if (successors.some(({ spawned }) => spawned !== undefined)) return
  one.record = { ...record, role: 'active' }
  for (const successor of successors) successor.record = { ...successor.record, role: 'candidate' }
  hooks.journal.call({
    kind: 'instances',
    changed: [one, ...successors].map(({ record: changed }) => changed),
    ended: [],
  })
}

/** The end of a scheduled run means something else than that of a service that is to be up, so that is known first. */
const planScheduled = async (
  found: readonly Found[],
  reconciler: Reconciler,
  { hooks }: SystemWorld,
): Promise<void> => {
  const { signal } = new AbortController()
  for (const service of reconciler.roster.named(new Set(found.map(({ record }) => record.service.name)))) {
    const decision = await hooks.plan.promise({ service: service.config, signal }).catch(() => undefined)
    if (decision?.mode === 'scheduled') service.plan = decision
  }
}

const adoptOne = (found: Found, reconciler: Reconciler, world: SystemWorld): void => {
  const { record, spawned, remains, exit } = found
  const service = ownerOf(record, reconciler)
  const replica = service.replica(record.replica)
  service.isAsked = true
  if (record.role === 'active') {
    replica.spec = record.service
    replica.restarts = record.restarts
    service.restarts = Math.max(service.restarts, record.restarts)
    service.isUp ||= spawned !== undefined && record.wasReady
  }
  const instance = reconciler.createInstance(service, replica, { ...record, start: 'adopted', cause: undefined })
  replica.isFresh = false
  if (replica.state !== 'live') replica.move('launch')
  if (record.role === 'candidate') {
    const of = { service: service.name, instance: record.id }
    world.emit('deploy.rolled_back', of, { step: 'supervisor', reason: 'the supervisor ended before the switch' })
  }
  if (spawned === undefined) {
    const how = exit === undefined ? 'its exit status is unknown' : describeExit(exit)
    world.host.trace('warn', `${record.id} ended while no supervisor ran; ${how}`)
    instance.lose(exit ?? { code: null, signal: null, unknown: true, unseen: true }, record, remains)
    return
  }
  instance.adopt(spawned, record)
  if (record.role !== 'active') instance.requestStop({ why: 'deploy', detail: 'left over from a deploy' })
}

/** What came to rest under the same config is not begun again by a new supervisor, and waits no longer than it was to. */
const restoreOutcome = (record: OutcomeRecord, reconciler: Reconciler, world: SystemWorld): void => {
  const service = reconciler.roster.services.get(record.service)
  if (service === undefined || !isSame(service.config, record.config)) return
  reconciler.roster.reserveId(record.instance)
  const replica = service.replica(record.replica)
  replica.restore(record)
  const { exit = null, exitAt } = replica.last ?? {}
  const at = exitAt === undefined ? null : new Date(exitAt).toISOString()
  const facts = { replica: record.replica, outcome: record.outcome, exit, at }
  if (record.retry !== undefined) {
    service.isAsked = true
    service.restarts = Math.max(service.restarts, record.retry.restarts - 1)
    reconciler.aftermath.waitOn(service, replica, record.retry)
  }
  const retryAt = replica.retry === undefined ? {} : { retry_at: new Date(replica.retry.at).toISOString() }
  world.emit('replica.restored', { service: service.name, instance: record.instance }, { ...facts, ...retryAt })
}

/** The service of a record; one that the config no longer has is kept until it is stopped. */
const ownerOf = (record: InstanceRecord, reconciler: Reconciler): Service => {
  const known = reconciler.roster.services.get(record.service.name)
  if (known !== undefined) return known
  if (record.transient !== undefined) return reconciler.roster.takeUpTransient(record.service)
  return reconciler.roster.keepRemoved(record.service)
}
