/** Brings another config into force: stops what is gone, starts what is new, replaces what changed. */
import { giveUpNames, requireFree, tellPlugins } from '../ad-hoc.ts'
import type { ResolvedSystem } from '../config/types.ts'
import { warningsOfUntouched } from '../outcome.ts'
import type { ApplyOptions, Outcome, PlannedChange } from '../system-api.ts'
import { orAborted } from '../wait.ts'
import type { OperationWorld } from './operation-world.ts'
import { planChanges } from './planned-changes.ts'
import { putInForce } from './put-in-force.ts'
import { nothingReplaced, replaceInOrder } from './replace-services.ts'
import { forgetOutdatedScales } from './scale.ts'
import { rearmDown, requireOpen, servicesOfConfig } from './services.ts'
import { areGoneOrStuck, outcomeOfAll, untilSettled, withWarnings } from './settled.ts'

export const plan = (
  world: OperationWorld,
  next: ResolvedSystem,
  options: { all?: boolean } = {},
): readonly PlannedChange[] => {
  const { roster } = world.reconciler
  const declared = roster.withoutAdHoc(next)
  requireFree(roster, declared)
  return planChanges(world, declared, options.all === true)
}

export const apply = async (
  world: OperationWorld,
  next: ResolvedSystem,
  { all = false, signal }: ApplyOptions = {},
): Promise<Outcome> => {
  requireOpen(world)
  const work = applyAll(world, next, all)
  // Whoever asked may stop waiting; what was begun is done all the same.
  return signal === undefined ? work : orAborted(work, signal)
}

const applyAll = async (world: OperationWorld, given: ResolvedSystem, all: boolean): Promise<Outcome> => {
  const { reconciler } = world
  const { roster } = reconciler
  const before = roster.config
  const next = roster.withoutAdHoc(given)
  const changed = plan(world, next, { all }).filter(({ action }) => action !== 'keep')
  giveUpNames(roster, next, reconciler, world)
  const toReplace = putInForce(world, next, all)
  // What it says is newer.
  world.catchingUp = nothingReplaced
  const warnings = forgetOutdatedScales(world)
  if (changed.length > 0) world.emit('system.reloaded', {}, { changed: changed.map(({ service }) => service) })
  await tellPlugins(before, roster, world)
  // Of the others all is started or replaced, each in its turn.
  const later = [...toReplace.names, ...(toReplace.starting ?? [])]
  for (const service of servicesOfConfig(world))
    if (service.isIntended && !later.includes(service.name)) rearmDown(service)
  reconciler.wakeAll()
  const removed = [...roster.services.values()].filter(({ isRemoved }) => isRemoved).flatMap(({ living }) => living)
  await reconciler.until(() => areGoneOrStuck(removed))
  const { errors, untouched } = await replaceInOrder(world, toReplace)
  // A later reload may have removed some of them again.
  const services = [...roster.services.values()].filter(({ name }) => Object.hasOwn(next.services, name))
  await untilSettled(world, services, { errors })
  return withWarnings(outcomeOfAll(world, services, errors), warnings, warningsOfUntouched(untouched, errors))
}
