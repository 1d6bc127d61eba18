/** Replaces services in the order of their dependencies, and starts those that wait for that. */
import type { SysgError } from '../errors.ts'
import type { Instance } from '../instance.ts'
import type { Service } from '../service.ts'
import type { OperationWorld } from './operation-world.ts'
import { replaceService } from './replace-service.ts'

/** Services to replace, and which of their instances; and services to start. */
export interface ToReplace {
  readonly names: readonly string[]
  /** Replaced whatever they run; others are when their config differs. */
  readonly instances: ReadonlySet<Instance>
  /** Started when what they need has been replaced. */
  readonly starting?: readonly string[]
}

/** Every instance of these services that lives now. What starts later needs no replacement. */
export const replacingAll = (services: Iterable<Service>): ToReplace => {
  const all = [...services]
  return { names: all.map(({ name }) => name), instances: new Set(all.flatMap(({ living }) => living)) }
}

/** How replacing services went. */
export interface Replaced {
  /** By service; empty when all went well. */
  readonly errors: ReadonlyMap<string, SysgError>
  /** Left as they were, since one before them failed. */
  readonly untouched: readonly string[]
}

export const nothingReplaced: Promise<Replaced> = Promise.resolve({ errors: new Map(), untouched: [] })

/**
 * Replace these services, dependencies first; those that need each other not at the same time. Stops at the first layer
 * in which one fails.
 */
export const replaceInOrder = async (world: OperationWorld, replacing: ToReplace): Promise<Replaced> => {
  try {
    return await replaceLayers(world, replacing)
  } finally {
    const services = world.reconciler.roster.named(replacing.names)
    for (const service of services) service.isToBeReplaced = false
    world.reconciler.wake(services)
  }
}

const replaceLayers = async (
  world: OperationWorld,
  { names, instances, starting = [] }: ToReplace,
): Promise<Replaced> => {
  const { roster } = world.reconciler
  const wanted = new Set(names)
  const untouched = new Set(names)
  const errors = new Map<string, SysgError>()
  const isFree = (name: string) => !roster.graph.withDependencies([name]).some((other) => wanted.has(other))
  startAll(world, starting.filter(isFree))
  const later = new Set(starting.filter((name) => !isFree(name)))
  for (const layer of roster.graph.layers()) {
    const due = layer.filter((name) => later.delete(name))
    startAll(world, due)
    for (const name of layer) untouched.delete(name)
    const replaced = roster.named(layer.filter((name) => wanted.has(name))).map(async (service) => {
      const error = await replaceService(world, service, instances)
      service.isToBeReplaced = false
      world.reconciler.wake([service])
      if (error !== undefined) errors.set(service.name, error)
    })
    await Promise.all(replaced)
    if (errors.size > 0) break
  }
  startAll(world, [...later])
  return { errors, untouched: [...untouched].filter((name) => roster.services.has(name)) }
}

const startAll = (world: OperationWorld, names: readonly string[]): void => {
  const services = world.reconciler.roster.named(names)
  for (const service of services) service.prepareToStart()
  world.reconciler.wake(services)
}
