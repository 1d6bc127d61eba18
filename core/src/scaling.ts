/** How many replicas people asked for, and whether the config goes together with that. */
import { maxReplicas } from './config/limits.ts'
import { combinationProblems } from './config/rules.ts'
import type { Problem } from './config/problems.ts'
import type { ResolvedSystem } from './config/types.ts'
import { SysgError } from './errors.ts'
import type { PluginUse } from './plugin.ts'
import type { Service } from './service.ts'

type Counts = ReadonlyMap<string, number>

/** @throws {SysgError} `SYSG_SCALE_COUNT`, or what loading a config with these numbers would report first. */
export const checkScale = (config: ResolvedSystem, counts: Counts, uses: readonly PluginUse[]): void => {
  for (const [service, replicas] of counts) {
    if (!Number.isInteger(replicas) || replicas < 0 || replicas > maxReplicas)
      throw new SysgError('SYSG_SCALE_COUNT', { service, replicas, max: maxReplicas })
  }
  const problem = newProblem(config, counts, uses)
  if (problem !== undefined) throw SysgError.of(problem.code, textOf(problem))
}

/**
 * Services whose number is no longer what `scale` said: their config has another one, or its other keys forbid it.
 *
 * @returns by service why it is forbidden; `undefined` when it was only overtaken.
 */
export const outdatedScales = (
  services: Iterable<Service>,
  config: ResolvedSystem,
  uses: readonly PluginUse[],
): ReadonlyMap<Service, string | undefined> => {
  const outdated = new Map<Service, string | undefined>()
  for (const service of services) {
    const { replicas, scaledFrom } = service.intent
    if (replicas === undefined || !(service.name in config.services)) continue
    if (scaledFrom !== service.config.replicas) outdated.set(service, undefined)
    else {
      const problem = newProblem(config, new Map([[service.name, replicas]]), uses)
      if (problem !== undefined) outdated.set(service, problem.message)
    }
  }
  return outdated
}

/** What the config forbids with these numbers and allows with its own. */
const newProblem = (config: ResolvedSystem, counts: Counts, uses: readonly PluginUse[]): Problem | undefined => {
  const known = new Set(combinationProblems(uses, config).map(identityOf))
  return combinationProblems(uses, scaled(config, counts)).find((problem) => !known.has(identityOf(problem)))
}

const scaled = (config: ResolvedSystem, counts: Counts): ResolvedSystem => {
  const services = Object.entries(config.services).map(([name, service]) => {
    const replicas = counts.get(name)
    return [name, replicas === undefined ? service : { ...service, replicas }] as const
  })
  return { ...config, services: Object.fromEntries(services) }
}

const identityOf = ({ code, message, path }: Problem): string => JSON.stringify([code, message, path])

const textOf = ({ message, hint }: Problem) => ({ message, ...(hint === null ? {} : { hint }) })
