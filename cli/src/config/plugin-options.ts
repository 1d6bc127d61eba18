/**
 * Checks the options a config gives to a plugin. They are checked as if they were a key of the config, so mistakes in
 * them are explained, placed and suggested for as those of any other key, and `${VAR}` means the same.
 */
import {
  composeSchema,
  resolveConfig,
  schemasOf,
  type Path,
  type Plugin,
  type Problem,
  type ResolveInput,
} from '@systemg/core'
import { problemOf } from './errors.ts'
import type { PluginEntry } from './plugin-entry.ts'

export interface OptionsToCheck {
  readonly plugin: Plugin
  readonly entry: PluginEntry
  /** Where the entry stands. */
  readonly at: Path
  /** The config that has it. */
  readonly config: ResolveInput
}

export const checkOptions = async (
  check: OptionsToCheck,
): Promise<{ options: unknown; problems: readonly Problem[] }> => {
  const { plugin, entry, at, config } = check
  const { options: schema } = schemasOf(plugin)
  if (schema === undefined) return { options: undefined, problems: superfluous(check) }
  const key = await keyFor(plugin, config)
  const inConfig = ([first, ...rest]: Path): Path | undefined => (first === key ? [...at, ...rest] : undefined)
  const asKey: Plugin = { name: `options of ${plugin.name}`, system: { [key]: schema } }
  const { system, problems } = await resolveConfig({
    ...config,
    value: { ...environmentOf(config.value), [key]: entry.options, services: {} },
    plugins: [...config.plugins, { plugin: asKey }],
    problems: [],
    positionOf: (path, ...how) => {
      const place = inConfig(path)
      return place === undefined ? undefined : config.positionOf?.(place, ...how)
    },
    unreadable: (path) => {
      const place = inConfig(path)
      return place !== undefined && config.unreadable?.(place) === true
    },
  })
  const own = problems.flatMap((problem): readonly Problem[] => {
    const path = inConfig(problem.path)
    const code = /^SYSG_CONFIG_(?:VALUE|KEY_UNKNOWN|KEY_MISSING|EMPTY)$/.test(problem.code)
      ? 'SYSG_PLUGIN_OPTIONS'
      : problem.code
    return path === undefined ? [] : [{ ...problem, code, path }]
  })
  return { options: (system as Readonly<Record<string, unknown>> | undefined)?.[key], problems: own }
}

const superfluous = ({ plugin, entry, at, config }: OptionsToCheck): readonly Problem[] =>
  Object.keys(entry.options).map((key) => {
    const path = [...at, key]
    const position = config.positionOf?.(path, 'key')
    const message = `Plugin \`${plugin.name}\` has no option \`${key}\`: it takes none.`
    return problemOf(['SYSG_PLUGIN_OPTIONS', { message, hint: 'Remove it.' }], { path, file: config.file, position })
  })

/** The options as a key of the top level: called like the plugin, so that messages read `redis.port`. */
const keyFor = async ({ name }: Plugin, config: ResolveInput): Promise<string> => {
  const { system: taken } = await composeSchema(config.plugins)
  return name === 'services' || taken.has(name) ? `${name}-options` : name
}

const environmentOf = (value: unknown): object =>
  typeof value === 'object' && value !== null && 'env' in value ? { env: value.env } : {}
