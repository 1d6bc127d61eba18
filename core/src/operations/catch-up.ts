/**
 * Applies what has changed since an earlier supervisor started what runs: that one was killed, and a person starts the system
 * with another config. A supervisor that comes back by itself has the config of the earlier one, and nothing to catch up with.
 */
import { tellPlugins } from '../ad-hoc.ts'
import type { Service } from '../service.ts'
import type { OperationWorld } from './operation-world.ts'
import { putInForce } from './put-in-force.ts'
import { replaceInOrder, type Replaced } from './replace-services.ts'
import { servicesOfConfig } from './services.ts'
import { areGoneOrStuck } from './settled.ts'

/**
 * @param ask - Starts all services but these, which wait until what they need has been replaced. Called when what the
 *   config no longer has is gone: a service may only have got another name.
 */
export const catchUp = async (world: OperationWorld, ask: (later: ReadonlySet<string>) => void): Promise<Replaced> => {
  const { reconciler } = world
  const { roster } = reconciler
  const { names, instances } = putInForce(world, roster.declared, false)
  const removed = [...roster.services.values()].filter(({ isRemoved }) => isRemoved)
  const changed = [...removed.map(({ name }) => name), ...names]
  if (changed.length > 0) world.emit('system.reloaded', {}, { changed })
  const leaving = removed.flatMap(({ living }) => living)
  if (roster.living.length > 0) await tellPlugins(roster.config, roster, world)
  if (leaving.length > 0) await reconciler.until(() => areGoneOrStuck(leaving))
  const later = servicesOfConfig(world).filter((service) => canStart(service) && needsOneOf(world, service, names))
  const starting = later.map(({ name }) => name)
  ask(new Set(starting))
  return replaceInOrder(world, { names, instances, starting })
}

const canStart = ({ living, intent, replicas }: Service): boolean =>
  living.length === 0 && intent.intent === 'up' && !replicas.some(({ state }) => state === 'completed')

const needsOneOf = ({ reconciler }: OperationWorld, { name }: Service, names: readonly string[]): boolean =>
  reconciler.roster.graph.withDependencies([name]).some((other) => other !== name && names.includes(other))
