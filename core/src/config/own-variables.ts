/**
 * The variables that a config defines itself (`env`), as the plugins that own such keys tell them.
 *
 * Definitions may refer to each other in any order (`B: "${A}/b"`), so they are expanded again until nothing changes.
 */
import type { KeySchemas, PluginUse, RawConfig } from '../plugin.ts'
import { extensionsOf, keysOf } from '../plugin-keys.ts'
import { checkValue } from './diagnose.ts'
import type { Findings } from './findings.ts'
import { interpolate, isDefinitionOf, isPlainMap, type Lookup, variablesNamed } from './interpolate.ts'
import type { Path } from './problems.ts'

/** Variables by name. */
export type Scope = Readonly<Record<string, string>>

/** What one map (the top level, or a service) defines. */
export interface OwnVariables {
  /** Those whose value is known. */
  readonly known: Scope
  /** Those whose value is not, because something it needs is missing: that is reported where they are defined. */
  readonly broken: ReadonlySet<string>
  /** Those that need each other. */
  readonly circle: readonly string[]
}

export interface OwnVariablesInput {
  readonly uses: readonly PluginUse[]
  readonly raw: Omit<RawConfig, 'system' | 'service'>
  readonly system: Readonly<Record<string, unknown>>
  /** The service, or undefined for the top level. */
  readonly service?: Readonly<Record<string, unknown>>
  /** Where `service` (or `system`) stands. */
  readonly at: Path
  /** What is known outside: the caller's environment, for a service also the global variables. */
  readonly outer: Scope
}

/** Ask every plugin. Plugins whose keys are wrong are not asked: the schema reports those. */
export const ownVariables = async (input: OwnVariablesInput, findings: Findings): Promise<OwnVariables> => {
  const own = input.service ?? input.system
  const asked = input.uses.filter((use) => use.plugin.variables !== undefined)
  const sound = asked.filter((use) => hasSoundKeys(use, input))
  const mentioned = asked.filter((use) => !sound.includes(use)).flatMap((use) => keysWithin(ownKeysOf(use, input)))
  const references = sound.flatMap((use) => variablesNamed(ownKeysOf(use, input)))

  let known: Scope = {}
  let found: Scope = {}
  // Each round settles at least one more definition; one that still changes after all of them feeds itself.
  for (let round = 0; round < Object.keys(found).length + 2; round += 1) {
    const lookup = lookupOpen(input.outer, known, found)
    const expanded = interpolate(own, lookup, ({ name }) => `${open}${name}${open}`).value
    found = await askAll(sound, input, expanded, findings)
    const next = Object.fromEntries(Object.entries(found).filter(([, value]) => !value.includes(open)))
    const isStable = references.length === 0 || isSame(known, next)
    known = next
    if (isStable) return { known, ...unknownOf(found, mentioned) }
    if (Object.values(known).some(({ length }) => length > maxLength)) break
  }
  const unstable = Object.keys(known).filter((name) => references.includes(name))
  return { known: {}, broken: new Set([...Object.keys(found), ...mentioned]), circle: unstable }
}

/** Longer than any value of the environment may be (Linux: 128 KiB). */
const maxLength = 131_072

/** Around a name that has no value yet; no value of a variable can hold this character. */
const open = '\0'

/** Own names that have no value yet stay open until they have one. */
const lookupOpen =
  (outer: Scope, known: Scope, found: Scope): Lookup =>
  (name, path) => {
    if (isDefinitionOf(name, path) || !Object.hasOwn(found, name)) return valueIn(outer, name)
    return valueIn(known, name) ?? `${open}${name}${open}`
  }

/** The value of a variable; `constructor` is none. */
export const valueIn = (scope: Scope, name: string): string | undefined =>
  Object.hasOwn(scope, name) ? scope[name] : undefined

const askAll = async (
  uses: readonly PluginUse[],
  input: OwnVariablesInput,
  expanded: unknown,
  findings: Findings,
): Promise<Scope> => {
  const own = isPlainMap(expanded) ? expanded : {}
  const raw: RawConfig =
    input.service === undefined ? { ...input.raw, system: own } : { ...input.raw, system: input.system, service: own }
  let found: Scope = {}
  for (const { plugin } of uses) {
    try {
      found = { ...found, ...(await plugin.variables?.(raw)) }
    } catch (error) {
      const key = Object.keys(keySchemas(plugin, input)).find((each) => Object.hasOwn(own, each))
      findings.addThrown(error, plugin.name, 'variables', key === undefined ? input.at : [...input.at, key])
    }
  }
  return found
}

/** Which of the definitions stay open, and which of those only because they need each other. */
const unknownOf = (found: Scope, mentioned: readonly string[]): Pick<OwnVariables, 'broken' | 'circle'> => {
  const needs = new Map(
    Object.entries(found).flatMap(([name, value]) => {
      const names = value.split(open).filter((_, index) => index % 2 === 1)
      return names.length === 0 ? [] : [[name, names] as const]
    }),
  )
  const lacking = new Set<string>()
  for (let size = -1; size !== lacking.size;) {
    size = lacking.size
    for (const [name, names] of needs)
      if (names.some((each) => each === name || !needs.has(each) || lacking.has(each))) lacking.add(name)
  }
  return {
    broken: new Set([...needs.keys(), ...mentioned]),
    circle: [...needs.keys()].filter((name) => !lacking.has(name)),
  }
}

const keySchemas = (plugin: PluginUse['plugin'], input: OwnVariablesInput): KeySchemas =>
  keysOf(plugin, input.service === undefined ? 'system' : 'service', extensionsOf(input.uses))

const ownKeysOf = ({ plugin }: PluginUse, input: OwnVariablesInput): Readonly<Record<string, unknown>> => {
  const own = input.service ?? input.system
  const keys = Object.keys(keySchemas(plugin, input)).filter((key) => Object.hasOwn(own, key))
  return Object.fromEntries(keys.map((key) => [key, own[key]]))
}

const hasSoundKeys = ({ plugin }: PluginUse, input: OwnVariablesInput): boolean =>
  Object.entries(ownKeysOf({ plugin }, input)).every(([key, value]) => {
    const schema = keySchemas(plugin, input)[key]
    try {
      return schema === undefined || checkValue(schema, value).success
    } catch {
      return false
    }
  })

/** Every key of every map: names that may be variables. */
const keysWithin = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(keysWithin)
  return isPlainMap(value) ? Object.entries(value).flatMap(([key, item]) => [key, ...keysWithin(item)]) : []
}

const isSame = (a: Scope, b: Scope): boolean => {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === valueIn(b, name))
}
