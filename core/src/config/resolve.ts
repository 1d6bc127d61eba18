/**
 * From a config as it was read to a config as code reads it, with every mistake found on the way.
 *
 *   value ─► references expanded ─► keys checked, defaults filled in ─► dependencies, rules, plugins' checks ─► inputs ─► system
 *
 * No step stops at a mistake: each goes on with what is sound, and says nothing about what is not.
 */
import type { PluginUse } from '../plugin.ts'
import { checkKeys, pathSet } from './check-keys.ts'
import { checkDependencies } from './dependencies.ts'
import { expandConfig, type Expanded } from './expand.ts'
import { shown } from './expectation.ts'
import { Findings, type FindingsSource } from './findings.ts'
import { withInputs } from './inputs.ts'
import { isPlainMap, variablesNamed } from './interpolate.ts'
import { nearest } from './nearest.ts'
import type { Path, Problem } from './problems.ts'
import { resolveService } from './resolve-service.ts'
import { checkPlugins, checkRules } from './rules.ts'
import { composeSchema, type ComposedSchema } from './schema.ts'
import type { ResolvedService, ResolvedSystem } from './types.ts'
import type { ReadText } from './yaml.ts'

export interface ResolveInput extends FindingsSource {
  /** The config as it was read: of a YAML file (spread the `ParsedYaml` in), or what a config module exports. */
  readonly value: unknown
  /** Absolute; relative paths start from it. */
  readonly folder: string
  /** In the order of their setup. */
  readonly plugins: readonly PluginUse[]
  /** Environment of whoever loads the config. */
  readonly env: Readonly<Record<string, string>>
  readonly readText: ReadText
  /** What the system is called when `project` does not say. */
  readonly projectDefault: { readonly id: string; readonly name: string }
}

export interface ResolveResult {
  /** Not there when the config has errors. */
  readonly system?: ResolvedSystem
  /** Errors and warnings, in the order of the file. */
  readonly problems: readonly Problem[]
  /** Variables that the config names, for a client to send. */
  readonly variables: readonly string[]
}

/** Check and resolve a config. Never rejects for a mistake in it; plugins that fail are problems, too. */
export const resolveConfig = async (input: ResolveInput): Promise<ResolveResult> => {
  const findings = new Findings(input)
  const variables = variablesNamed(isPlainMap(input.value) ? effective(input.value) : input.value)
  const system = await resolveSystem(input, findings)
  const problems = findings.list()
  return { problems, variables, ...(system === undefined || findings.hasErrors ? {} : { system }) }
}

const resolveSystem = async (input: ResolveInput, findings: Findings): Promise<ResolvedSystem | undefined> => {
  const schema = await composed(input.plugins, findings)
  if (schema === undefined || !isConfig(input.value, findings)) return undefined
  const { services, ...system } = withServices(effective(input.value), schema, findings)
  const raw = { system, services: servicesOf(services, findings) }
  const { plugins: uses, folder, env, readText } = input
  const expanded = await expandConfig({ ...raw, uses, folder, env, readText }, findings)
  const resolved = checkedSystem(input, schema, expanded, findings)
  checkDependencies(expanded.services, findings)
  checkRules(resolved, findings)
  checkPlugins(uses, resolved, findings)
  return findings.hasErrors ? resolved : withInputs(uses, resolved, readText, findings)
}

const composed = async (uses: readonly PluginUse[], findings: Findings): Promise<ComposedSchema | undefined> => {
  try {
    return await composeSchema(uses)
  } catch (error) {
    findings.addThrown(error, 'core', 'schema', ['plugins'])
    return undefined
  }
}

const example = 'For example:  services: { web: { command: ./server } }'

const isConfig = (value: unknown, findings: Findings): value is Readonly<Record<string, unknown>> => {
  if (isPlainMap(value)) return true
  if (value === null || value === undefined)
    findings.add(['SYSG_CONFIG_EMPTY', { what: 'The config', hint: example }], [])
  else {
    const message = `The config must be a map of keys such as \`services\`, not ${shown(value)}.`
    findings.add(['SYSG_CONFIG_VALUE', { message, hint: example }], [])
  }
  return false
}

/** Without top-level keys that begin with `x-`: a place for anchors, as in Docker Compose. */
const effective = (value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))

/** A misspelt `services` is read as what it was meant to be, so that what is inside of it is checked, too. */
const withServices = (
  value: Readonly<Record<string, unknown>>,
  schema: ComposedSchema,
  findings: Findings,
): Readonly<Record<string, unknown>> => {
  if (Object.hasOwn(value, 'services')) return value
  const written = Object.keys(value).find((key) => !schema.system.has(key) && nearest(key, ['services']) !== undefined)
  if (written === undefined) return value
  findings.add(['SYSG_CONFIG_KEY_UNKNOWN', { key: written, suggestion: 'services' }], [written], { part: 'key' })
  findings.rename(['services'], written)
  const { [written]: services, ...rest } = value
  return { ...rest, services }
}

const servicesOf = (value: unknown, findings: Findings): Readonly<Record<string, unknown>> => {
  if (isPlainMap(value)) return value
  const path = ['services']
  if (value === undefined)
    findings.add(['SYSG_CONFIG_KEY_MISSING', { what: 'The config', key: 'services', hint: example }], path)
  else if (value === null) findings.add(['SYSG_CONFIG_EMPTY', { what: '`services`', hint: example }], path)
  else {
    const message = `\`services\` must be a map from names to services, not ${shown(value)}.`
    findings.add(['SYSG_CONFIG_VALUE', { message, hint: example }], path)
  }
  return {}
}

const checkedSystem = (
  input: ResolveInput,
  schema: ComposedSchema,
  expanded: Expanded,
  findings: Findings,
): ResolvedSystem => {
  const isExpanded = pathSet(expanded.changed)
  const elsewhere = (key: string, value: unknown): string | undefined => {
    if (schema.service.has(key)) return `\`${key}\` belongs to a service, below \`services\`.`
    const isService = isPlainMap(value) && ('command' in value || 'exec' in value)
    return isService ? 'This looks like a service: it belongs below `services`.' : undefined
  }
  const at: Path = []
  const top = checkKeys({ keys: schema.system, raw: expanded.system, at, elsewhere, isExpanded }, findings)
  const { project, stop_timeout: stopTimeout, max_concurrent_starts: maxConcurrentStarts, ...others } = top
  const rest = Object.entries(others).filter(([key]) => key !== 'version' && key !== 'plugins')
  const services: [string, ResolvedService][] = []
  for (const [name, raw] of Object.entries(expanded.services)) {
    const stopTimeoutMs = stopTimeout as number
    const service = resolveService({ name, raw, schema, folder: input.folder, stopTimeoutMs, isExpanded }, findings)
    if (service !== undefined) services.push([name, service])
  }
  return {
    ...Object.fromEntries(rest),
    stop_timeout: stopTimeout,
    max_concurrent_starts: maxConcurrentStarts ?? Number.MAX_SAFE_INTEGER,
    project: projectOf(project, input.projectDefault),
    folder: input.folder,
    services: Object.fromEntries(services),
  } as unknown as ResolvedSystem
}

const projectOf = (given: unknown, fallback: { id: string; name: string }): ResolvedSystem['project'] => {
  if (typeof given === 'string') return { id: given, name: given }
  const { id, name } = (given ?? {}) as { id?: string; name?: string }
  return { id: id ?? fallback.id, name: name ?? id ?? fallback.name }
}
