/** Goes on after a supervisor that was killed: what was wanted is started, and nothing is undone. */
import type { Outcome, SettleOptions } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'
import { findService, requireOpen } from './services.ts'
import { outcomeOf, untilSettled } from './settled.ts'

export const resume = async (world: OperationWorld, options: SettleOptions = {}): Promise<Outcome> => {
  requireOpen(world)
  const { roster } = world.reconciler
  const names = options.names?.filter((name) => roster.services.has(name)) ?? [...roster.services.keys()]
  const all = roster.graph.withDependencies(names).map((name) => findService(world, name))
  const services = all.filter(({ isTransient }) => !isTransient)
  // Ad-hoc services are remembered by themselves: one may not have come up yet.
  for (const service of [...services, ...roster.adHoc]) service.isAsked = true
  world.reconciler.wakeAll()
  await untilSettled(world, services, options)
  return outcomeOf(world, services)
}
