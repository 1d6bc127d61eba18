/** Replaces what runs, with the config that is in force. */
import { warningsOfUntouched } from '../outcome.ts'
import type { Outcome, RestartOptions } from '../system-api.ts'
import { apply } from './apply.ts'
import type { OperationWorld } from './operation-world.ts'
import { replaceInOrder, replacingAll } from './replace-services.ts'
import { findKept, requireOpen, setIntent } from './services.ts'
import { outcomeOf, untilSettled, withWarnings } from './settled.ts'

export const restart = async (world: OperationWorld, options: RestartOptions = {}): Promise<Outcome> => {
  requireOpen(world)
  const { names, causes = {} } = options
  if (names === undefined) return apply(world, world.reconciler.roster.declared, { ...options, all: true })
  const named = names.map((name) => findKept(world, name))
  const services = options.onlyWanted === true ? named.filter((one) => one.isIntended && !one.isSkipped) : named
  for (const service of services) {
    service.cause = causes[service.name] ?? service.cause
    if (options.onlyWanted === true) continue
    setIntent(world, service, { ...service.intent, intent: 'up' })
    service.isAsked = true
    service.ignoresSkip = true
  }
  const { errors, untouched } = await replaceInOrder(world, replacingAll(services))
  await untilSettled(world, services, { ...options, errors })
  return withWarnings(outcomeOf(world, services, errors), [], warningsOfUntouched(untouched, errors))
}
