/**
 * Services that are in no config: a person started them with their command. They live until a person stops them, also
 * over the supervisor's death, and no config touches them.
 */
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import { SysgError } from './errors.ts'
import type { BootState, InstanceRecord } from './journal.ts'
import { isSame } from './changed-keys.ts'
import type { Reconciler } from './reconciler.ts'
import type { SystemWorld } from './system-world.ts'
import type { Roster } from './roster.ts'
import type { Service } from './service.ts'

type Journal = Pick<SystemWorld, 'hooks'>

/**
 * The service of this name, if it is there and may stand for `spec`.
 *
 * @param isNew - Whoever asks wants a service of its own.
 * @throws {SysgError} `SYSG_NAME_TAKEN`.
 */
export const findAdHoc = (roster: Roster, spec: ResolvedService, isNew: boolean): Service | undefined => {
  const known = roster.services.get(spec.name)
  if (known === undefined || known.isRemoved) return undefined
  const { isAdHoc, config } = known
  const runsTheSame = isAdHoc && isSame(config.argv, spec.argv) && config.working_dir === spec.working_dir
  if (runsTheSame && !isNew) return known
  const isElsewhere = isAdHoc && !runsTheSame && isSame(config.argv, spec.argv)
  const command = isElsewhere ? `${config.command}, in ${config.working_dir}` : config.command
  throw new SysgError('SYSG_NAME_TAKEN', { name: spec.name, command, isAdHoc, isSame: runsTheSame })
}

/** Make it part of the system, for good. It is not started yet. */
export const addAdHoc = async (spec: ResolvedService, reconciler: Reconciler, world: SystemWorld): Promise<void> => {
  const { roster } = reconciler
  const before = roster.config
  const service = roster.takeUpAdHoc(spec)
  service.intent = { intent: 'up' }
  world.hooks.journal.call({ kind: 'ad-hoc', service: spec.name, record: spec })
  // A person may have stopped another service of this name once.
  world.hooks.journal.call({ kind: 'intent', service: spec.name, record: undefined })
  service.cause = world.emit('service.intent', { service: spec.name }, { intent: 'up', by: 'you' }).seq
  await tellPlugins(before, roster, world)
  service.prepareToStart()
}

/** They are no longer part of the system; what of them lives is to be stopped. */
export const removeAdHoc = (services: readonly Service[], reconciler: Reconciler, world: Journal): void => {
  for (const service of services) {
    reconciler.roster.removeAdHoc(service)
    forget(service.name, world)
  }
}

/** Plugins that keep something for each service look again. */
export const tellPlugins = (before: ResolvedSystem, { config: after }: Roster, { hooks }: Journal): Promise<void> =>
  hooks.reload.promise({ before, after, signal: new AbortController().signal })

/** @throws {SysgError} `SYSG_AD_HOC_IN_THE_WAY` when `next` has the name of one that lives. */
export const requireFree = (roster: Roster, next: ResolvedSystem): void => {
  const names = taken(roster, next).filter(({ living }) => living.length > 0)
  if (names.length > 0) throw new SysgError('SYSG_AD_HOC_IN_THE_WAY', { names: names.map(({ name }) => name) })
}

/** Give the names of ad-hoc services that have ended to the services of a config. */
export const giveUpNames = (roster: Roster, next: ResolvedSystem, reconciler: Reconciler, world: Journal): void => {
  for (const service of taken(roster, next)) {
    reconciler.aftermath.forgetOutcomes(service)
    service.intent = { intent: 'up' }
    forget(service.name, world)
  }
}

/**
 * Take up those of an earlier supervisor. One whose name the config has meanwhile is forgotten if nothing of it lives.
 *
 * @returns what is left to adopt.
 * @throws {SysgError} `SYSG_AD_HOC_IN_THE_WAY`.
 */
export const restoreAdHoc = (
  state: BootState,
  { roster }: Reconciler,
  world: Journal,
  lives: (record: InstanceRecord) => boolean,
): BootState => {
  const isTaken = (name: string) => Object.hasOwn(roster.declared.services, name)
  const lost = new Set(state.adHoc.map(({ name }) => name).filter(isTaken))
  const instances = state.instances.filter(({ service }) => lost.has(service.name))
  const names = [...new Set(instances.filter(lives).map(({ service }) => service.name))]
  if (names.length > 0) throw new SysgError('SYSG_AD_HOC_IN_THE_WAY', { names })
  for (const spec of state.adHoc) if (!lost.has(spec.name)) roster.takeUpAdHoc(spec)
  if (lost.size === 0) return state
  for (const name of lost) forget(name, world)
  const outcomes = state.outcomes.filter(({ service }) => lost.has(service))
  for (const { service, replica } of outcomes)
    world.hooks.journal.call({ kind: 'outcome', service, replica, record: undefined })
  world.hooks.journal.call({ kind: 'instances', changed: [], ended: instances.map(({ id }) => id) })
  return {
    ...state,
    instances: state.instances.filter((record) => !instances.includes(record)),
    outcomes: state.outcomes.filter((record) => !outcomes.includes(record)),
    intents: Object.fromEntries(Object.entries(state.intents).filter(([name]) => !lost.has(name))),
  }
}

const taken = (roster: Roster, next: ResolvedSystem): readonly Service[] =>
  roster.adHoc.filter(({ name }) => Object.hasOwn(next.services, name))

const forget = (name: string, { hooks }: Journal): void => {
  hooks.journal.call({ kind: 'ad-hoc', service: name, record: undefined })
  hooks.journal.call({ kind: 'intent', service: name, record: undefined })
}
