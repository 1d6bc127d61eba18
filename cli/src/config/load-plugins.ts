/** Loads the plugins that a config lists, and checks each as far as it goes without setting it up. */
import {
  collectCommands,
  composeSchema,
  offeredHooks,
  orderPlugins,
  SysgError,
  type Path,
  type Plugin,
  type PluginUse,
  type Problem,
  type ResolveInput,
} from '@systemg/core'
import { commandNames } from '../commands/names.ts'
import { problemFrom, problemOf } from './errors.ts'
import { findPlugin } from './find-plugin.ts'
import { importModule } from './import-module.ts'
import { moduleProblem } from './module-problem.ts'
import { pluginEntry, type PluginEntry } from './plugin-entry.ts'
import { originOf, type PluginOrigin } from './plugin-origin.ts'
import { checkOptions } from './plugin-options.ts'
import { exportedPlugin, isPlugin, whyNoPlugin, whyNoSchemas } from './plugin-shape.ts'
import type { ReadConfig } from './read-config.ts'
import type { ModuleWatch } from './watch-modules.ts'

export interface LoadedPlugins {
  /** Those of `config.plugins` and those of the config, in the order of their setup. */
  readonly uses: readonly PluginUse[]
  /** Where those of the config come from. */
  readonly origins: ReadonlyMap<Plugin, PluginOrigin>
  readonly problems: readonly Problem[]
}

/** A config as it was read; its `plugins` are the first-party ones. */
export type ConfigToLoad = ResolveInput & Pick<ReadConfig, 'isCode'>

export const loadPlugins = async (config: ConfigToLoad, modules: ModuleWatch): Promise<LoadedPlugins> => {
  const origins = new Map<Plugin, PluginOrigin>()
  const { off, problems } = turnedOff(config)
  let uses: readonly PluginUse[] = orderPlugins(config.plugins).filter(({ plugin }) => !off.has(plugin.name))
  for (const [index, written] of listed(config.value).entries()) {
    const at = ['plugins', index]
    const entry = pluginEntry(written)
    if (entry === undefined || entry.enabled !== true || config.unreadable?.(at) === true) continue
    const loaded = await loadOne({ entry, at, config, modules })
    problems.push(...loaded.problems)
    if (loaded.use === undefined) continue
    try {
      const together = orderPlugins([...uses, loaded.use])
      await composeSchema(together)
      requireFreeCommands(loaded.use)
      collectCommands(together)
      offeredHooks([loaded.use.plugin])
      uses = together
      origins.set(loaded.use.plugin, loaded.origin)
    } catch (thrown) {
      if (!(thrown instanceof SysgError)) throw thrown
      const { code, message, hint } = thrown
      problems.push(problemFrom(code, { message, ...(hint === undefined ? {} : { hint }) }, placeOf(config, at)))
    }
  }
  return { uses, origins, problems }
}

/** @throws {SysgError} `SYSG_PLUGIN_COMMAND` for a name that one of ours has. */
const requireFreeCommands = ({ plugin }: PluginUse): void => {
  const taken: readonly string[] = ['help', ...commandNames]
  const name = Object.keys(plugin.commands ?? {}).find((one) => taken.includes(one))
  if (name === undefined) return
  throw new SysgError('SYSG_PLUGIN_COMMAND', { plugin: plugin.name, name, why: 'systemg has one of this name' })
}

const listed = (value: unknown): readonly unknown[] => {
  const plugins = typeof value === 'object' && value !== null && 'plugins' in value ? value.plugins : undefined
  return Array.isArray(plugins) ? plugins : []
}

/** Without these there is no system to speak of. */
const indispensable: Readonly<Record<string, string>> = {
  control: 'no command could reach the supervisor',
  store: 'a supervisor that was killed would not find its services again',
}

/** First-party plugins that the config does not want: `{ use: cron, enabled: false }`. */
const turnedOff = (config: ConfigToLoad): { off: ReadonlySet<string>; problems: Problem[] } => {
  const off = new Set<string>()
  const problems: Problem[] = []
  for (const [index, written] of listed(config.value).entries()) {
    const { enabled = true, label = '' } = pluginEntry(written) ?? {}
    if (enabled === true) continue
    const at = ['plugins', index, 'enabled']
    const place = { path: at, file: config.file, position: config.positionOf?.(at) }
    const why = Object.hasOwn(indispensable, label) ? indispensable[label] : undefined
    if (enabled !== false)
      problems.push(
        problemOf(['SYSG_PLUGIN_OPTIONS', { message: `\`enabled\` of \`${label}\` must be true or false.` }], place),
      )
    else if (why !== undefined) {
      const message = `\`${label}\` can't be turned off: ${why}.`
      problems.push(problemOf(['SYSG_PLUGIN_OPTIONS', { message, hint: 'Remove this entry.' }], place))
    } else off.add(label)
  }
  return { off, problems }
}

interface ToLoad {
  readonly entry: PluginEntry
  readonly at: Path
  readonly config: ConfigToLoad
  readonly modules: ModuleWatch
}

type LoadedOne = { readonly use: PluginUse; readonly origin: PluginOrigin } | { readonly use?: undefined }

const loadOne = async (toLoad: ToLoad): Promise<LoadedOne & { problems: readonly Problem[] }> => {
  const { entry, at, config } = toLoad
  const found = await pluginOf(toLoad)
  if ('problem' in found) return { problems: [found.problem] }
  const { value, origin } = found
  const invalid = (why: string, hint: string) => ({
    problems: [problemOf(['SYSG_PLUGIN_INVALID', { name: entry.label, why, hint }], placeOf(config, at))],
  })
  if (!isPlugin(value))
    return invalid(
      whyNoPlugin(value) ?? '',
      'A plugin is the default export of its module: `export default definePlugin({ name, … })`.',
    )
  const whyNot = await whyNoSchemas(value)
  if (whyNot !== undefined)
    return invalid(whyNot, 'It gives `{ service, system, options, probes, strategies }`, as far as there are.')
  const { options, problems } = await checkOptions({ plugin: value, entry, at, config })
  return { use: options === undefined ? { plugin: value } : { plugin: value, options }, origin, problems }
}

/** What an entry stands for: not yet known to be a plugin. */
const pluginOf = async ({
  entry,
  at,
  config,
  modules,
}: ToLoad): Promise<{ value: unknown; origin: PluginOrigin } | { problem: Problem }> => {
  const { use, label } = entry
  const place = placeOf(config, at)
  // Data can hold no plugin, only its name.
  if (typeof use !== 'string' && config.isCode !== true) {
    const hint = 'Write `{ use: name, …options }`.'
    return { problem: problemOf(['SYSG_PLUGIN_INVALID', { name: label, why: 'the entry has no `use`', hint }], place) }
  }
  if (typeof use !== 'string') return { value: use, origin: { kind: 'inline' } }
  const firstParty = config.plugins.map(({ plugin }) => plugin.name)
  const found = findPlugin({ name: use, from: config.file, firstParty }, modules)
  if ('finding' in found) return { problem: problemOf(found.finding, place) }
  try {
    return { value: exportedPlugin(await importModule(found.file)), origin: originOf(use, found.file) }
  } catch (thrown) {
    const { finding, position } = await moduleProblem(
      thrown,
      `Plugin \`${label}\``,
      [...modules.files].at(-1) ?? found.file,
    )
    const problem = problemOf(finding, { ...place, position: position ?? place.position })
    return { problem: problem.code === 'SYSG_CONFIG_FAILED' ? { ...problem, code: 'SYSG_PLUGIN_INVALID' } : problem }
  }
}

/** An entry's own line; of one with options the name. */
const placeOf = ({ file, positionOf }: ConfigToLoad, at: Path) => {
  const position = positionOf?.([...at, 'use']) ?? positionOf?.(at)
  return { path: at, file, position }
}
