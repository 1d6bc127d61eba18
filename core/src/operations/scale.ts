/** Sets how many replicas services have; that holds until a config says something else. */
import { checkScale, outdatedScales } from '../scaling.ts'
import type { Service } from '../service.ts'
import type { Outcome, ScaleOptions } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'
import { findKept, requireOpen, setIntent, warnOfDependents } from './services.ts'
import { outcomeOf, untilSettled, withWarnings } from './settled.ts'

export const scale = async (
  world: OperationWorld,
  counts: Readonly<Record<string, number>>,
  options: ScaleOptions = {},
): Promise<Outcome> => {
  requireOpen(world)
  const { reconciler, uses } = world
  const wanted = new Map(Object.entries(counts))
  const services = [...wanted.keys()].map((name) => findKept(world, name))
  checkScale(reconciler.roster.config, wanted, uses)
  const leaving: Service[] = []
  for (const service of services) {
    const [from, to] = [service.wantedReplicas, wanted.get(service.name) ?? 0]
    setIntent(world, service, { ...service.intent, replicas: to, scaledFrom: service.config.replicas })
    if (to === 0 && service.living.length > 0) leaving.push(service)
    if (from !== to) tellScaled(world, service, from, 'you')
  }
  const warnings = warnOfDependents(world, leaving)
  reconciler.wake(services)
  if (options.wait === false) return { ok: true, problems: [], warnings }
  await untilSettled(world, services, options)
  return withWarnings(outcomeOf(world, services), warnings)
}

/** Take back what a config has overtaken. Returns a warning for each number that the config forbids. */
export const forgetOutdatedScales = (world: OperationWorld): readonly string[] => {
  const { roster } = world.reconciler
  const outdated = outdatedScales(roster.services.values(), roster.config, world.uses)
  return [...outdated].flatMap(([service, why]) => {
    const from = service.wantedReplicas
    const { intent } = service.intent
    setIntent(world, service, { intent })
    const to = service.wantedReplicas
    if (from !== to) tellScaled(world, service, from, 'the config')
    return why === undefined ? [] : [`\`${service.name}\` is scaled back from ${from} to ${to}: ${why}`]
  })
}

const tellScaled = (world: OperationWorld, service: Service, from: number, by: 'you' | 'the config'): void => {
  const facts = { from, to: service.wantedReplicas, by }
  service.cause = world.emit('service.scaled', { service: service.name }, facts).seq
  if (service.declared !== undefined) service.declared = { ...service.declared, replicas: facts.to }
}
