/** Expands the references of a whole config: top level with the global variables, each service with its own as well. */
import type { PluginUse } from '../plugin.ts'
import type { Findings } from './findings.ts'
import { interpolate, isDefinitionOf, isPlainMap } from './interpolate.ts'
import { ownVariables, type OwnVariables, type Scope, valueIn } from './own-variables.ts'
import type { Finding, Path } from './problems.ts'
import type { ReadText } from './yaml.ts'

export interface ExpandInput {
  /** The top level, without `services`. */
  readonly system: Readonly<Record<string, unknown>>
  readonly services: Readonly<Record<string, unknown>>
  readonly folder: string
  readonly uses: readonly PluginUse[]
  /** Environment of whoever loads the config. */
  readonly env: Scope
  readonly readText: ReadText
}

export interface Expanded {
  readonly system: Readonly<Record<string, unknown>>
  readonly services: Readonly<Record<string, unknown>>
  /** Where a reference was expanded. */
  readonly changed: readonly Path[]
}

/** Strings with a mistake stay as written; the mistake is reported and nothing else is said about them. */
export const expandConfig = async (input: ExpandInput, findings: Findings): Promise<Expanded> => {
  const { uses, folder, env } = input
  const raw = { folder, readText: remembering(input.readText) }
  const { plugins, ...expandable } = input.system

  const whole = { ...input.system, services: input.services }
  const global = await ownVariables({ uses, raw, system: whole, at: [], outer: env }, findings)
  const top = expandMap(expandable, [], [global], env, findings)
  const system = plugins === undefined ? top.value : { ...top.value, plugins }

  const outer = { ...env, ...global.known }
  const services: [string, unknown][] = []
  const changed: Path[] = [...top.changed]
  for (const [name, service] of Object.entries(input.services)) {
    const at = ['services', name]
    if (!isPlainMap(service)) {
      services.push([name, service])
      continue
    }
    const seen = { ...system, services: input.services }
    const own = await ownVariables({ uses, raw, system: seen, service, at, outer }, findings)
    const expanded = expandMap(service, at, [own, global], outer, findings)
    services.push([name, expanded.value])
    changed.push(...expanded.changed)
  }
  return { system, services: Object.fromEntries(services), changed }
}

const expandMap = (
  map: Readonly<Record<string, unknown>>,
  at: Path,
  [own, ...around]: readonly [OwnVariables, ...OwnVariables[]],
  outer: Scope,
  findings: Findings,
): { value: Readonly<Record<string, unknown>>; changed: readonly Path[] } => {
  const unknown: Path[] = []
  const result = interpolate(map, (name, path) => {
    const isOuter = isDefinitionOf(name, path)
    const value = (isOuter ? undefined : valueIn(own.known, name)) ?? valueIn(outer, name)
    const scopes = isOuter ? around : [own, ...around]
    if (value !== undefined || !scopes.some(({ broken }) => broken.has(name))) return value
    unknown.push(path)
    return ''
  })
  for (const { path, reference, name, kind, message } of result.problems) {
    const finding: Finding =
      kind === 'syntax'
        ? ['SYSG_CONFIG_VARIABLE_SYNTAX', { reference, why: message ?? 'is wrong' }]
        : ['SYSG_CONFIG_VARIABLE_UNDEFINED', { name, reference, message }]
    findings.add(finding, [...at, ...path], { text: reference })
  }
  if (own.circle.length > 0) {
    const path = unknown.find((each) => own.circle.some((name) => isDefinitionOf(name, each))) ?? []
    findings.add(['SYSG_CONFIG_VARIABLE_CIRCLE', { names: own.circle }], [...at, ...path])
  }
  for (const path of [...result.problems.map((problem) => problem.path), ...unknown]) findings.hush([...at, ...path])
  return {
    value: isPlainMap(result.value) ? result.value : {},
    changed: result.changed.map((path) => [...at, ...path]),
  }
}

/** Each file is read once for one config. */
const remembering = (readText: ReadText): ReadText => {
  const read = new Map<string, Promise<string | undefined>>()
  return (path) => {
    const known = read.get(path) ?? readText(path)
    read.set(path, known)
    return known
  }
}
