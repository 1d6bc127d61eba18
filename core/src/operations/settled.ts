/** Waits until services have come to rest, one way or the other, and says how it went. */
import { SysgError } from '../errors.ts'
import type { Instance } from '../instance.ts'
import { outcomeOfStart, warningsOfAdHoc, warningsOfUntouched } from '../outcome.ts'
import type { Service } from '../service.ts'
import type { Outcome, SettleOptions } from '../system-api.ts'
import { orAborted } from '../wait.ts'
import type { OperationWorld } from './operation-world.ts'
import { nothingReplaced, type Replaced } from './replace-services.ts'
import { findService, servicesOfConfig } from './services.ts'

export const settled = async (world: OperationWorld, options: SettleOptions = {}): Promise<Outcome> => {
  const { names, signal } = options
  const { errors, untouched } = names === undefined ? await caughtUp(world, signal) : await nothingReplaced
  const wanted = names ?? servicesOfConfig(world).map(({ name }) => name)
  const services = world.reconciler.roster.graph.withDependencies(wanted).map((name) => findService(world, name))
  await untilSettled(world, services, { ...options, errors })
  if (names !== undefined) return outcomeOf(world, services)
  return withWarnings(outcomeOfAll(world, services, errors), [], warningsOfUntouched(untouched, errors))
}

const caughtUp = ({ catchingUp }: OperationWorld, signal: AbortSignal | undefined): Promise<Replaced> =>
  signal === undefined ? catchingUp : orAborted(catchingUp, signal)

/** Those that failed already are not waited for: somebody else may be at work on them. Nothing is, once everything is to end. */
export const untilSettled = (
  { reconciler }: OperationWorld,
  services: readonly Service[],
  options: { readonly errors?: ReadonlyMap<string, SysgError>; readonly signal?: AbortSignal } = {},
): Promise<void> => {
  const open = services.filter(({ name }) => options.errors?.has(name) !== true)
  const { roster } = reconciler
  return reconciler.until(
    () => roster.isShuttingDown || open.every((service) => !roster.isBusy(service)),
    options.signal,
  )
}

/** How a start of these services went: not at all, if everything was stopped meanwhile. */
export const outcomeOf = (
  { reconciler: { roster } }: OperationWorld,
  services: readonly Service[],
  errors?: ReadonlyMap<string, SysgError>,
): Outcome => {
  if (!roster.isShuttingDown) return outcomeOfStart(services, (name) => roster.services.get(name), errors)
  const { code, message, hint = null } = new SysgError('SYSG_STOPPED_MEANWHILE', undefined)
  const [service] = services
  return { ok: false, problems: [{ service: service?.name ?? '', code, message, hint, last_lines: [] }], warnings: [] }
}

/** How a start of everything went. */
export const outcomeOfAll = (
  world: OperationWorld,
  services: readonly Service[],
  errors?: ReadonlyMap<string, SysgError>,
): Outcome => withWarnings(outcomeOf(world, services, errors), [], warningsOfAdHoc(world.reconciler.roster.adHoc))

export const withWarnings = (outcome: Outcome, before: readonly string[], after: readonly string[] = []): Outcome => ({
  ...outcome,
  warnings: [...before, ...outcome.warnings, ...after],
})

/** Those that live now; what a later command starts is not waited for. */
export const areGoneOrStuck = (instances: readonly Instance[]): boolean =>
  instances.every(({ isLiving, stuck }) => !isLiving || stuck.length > 0)

export const isStuck = (service: Service): boolean => service.living.some(({ stuck }) => stuck.length > 0)
