/** What a plugin is, and what it gets. First-party plugins use nothing else. */
import type { z } from 'zod'
import type { Inputs } from './config/inputs.ts'
import type { ResolvedSystem } from './config/types.ts'
import type { ReadText } from './config/yaml.ts'
import { SysgError } from './errors.ts'
import type { Host } from './host.ts'
import type { Hooks } from './hooks.ts'
import type { PluginCommand } from './plugin-command.ts'
import type { HookAccess, OfferedHooks } from './plugin-hooks.ts'
import type { Registries, RegistryAccess } from './registries.ts'
import type { SystemApi } from './system-api.ts'

/** The version of this API. A plugin made for another one is refused at load. */
export const pluginApiVersion = 1

/** Keys a plugin adds to the config, each with its schema. */
export type KeySchemas = Readonly<Record<string, z.ZodType>>

/** What the other plugins of a system bring, for keys whose form depends on it. */
export interface Extensions {
  /** The schema of every declared probe, by its key below `health_check`. */
  readonly probes: KeySchemas
  /** The schema of every declared strategy's own key below `deployment`, by its name. */
  readonly strategies: KeySchemas
  /** The schema of a key that a plugin adds to every service; `undefined` when none has it. For use inside `z.lazy`. */
  readonly serviceKey: (name: string) => z.ZodType | undefined
}

/** What `setup` gets. */
export interface PluginApi<Options = unknown> extends RegistryAccess {
  /** The plugin's own name. */
  readonly name: string
  /** Its options, checked by its `options` schema. */
  readonly options: Options
  readonly hooks: Hooks
  /** A hook of a plugin, this one or another, by its name: `hookOf('canary:verdict')`. */
  readonly hookOf: HookAccess
  readonly host: Host
  /** Ask the system, and change it. Not before `boot`. */
  readonly system: SystemApi
  /** What every plugin has registered. */
  readonly registries: Registries
  /** Release what the plugin opened, when the system has ended. Last opened, first released. */
  readonly onDispose: (release: () => void | Promise<void>) => void
}

/** A config as the user wrote it, for plugins that look at it before it is checked. */
export interface RawConfig {
  readonly system: Readonly<Record<string, unknown>>
  readonly service?: Readonly<Record<string, unknown>>
  /** The folder that relative paths start from. */
  readonly folder: string
  readText(path: string): Promise<string | undefined>
}

/** Something that a plugin found in a config. `path` leads to the value: `['services', 'api', 'cron']`. */
export interface ConfigIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
  readonly code?: `SYSG_${string}`
  /** A `warning` is told, and the config is good all the same. Default: `error`. */
  readonly severity?: 'error' | 'warning'
}

/** The options of each command, by its name. */
type CommandArgs = Readonly<Record<string, KeySchemas>>

/** What a plugin adds to configs. */
export interface PluginSchemas<Options = unknown> {
  /** Schema of its own options (`{ use: name, ...options }`). */
  readonly options?: z.ZodType<Options>
  /** Keys it adds to every service; a function when their form depends on what other plugins bring. */
  readonly service?: KeySchemas | ((others: Extensions) => KeySchemas)
  /** Probes it brings, by their key below `health_check`, each with the schema of its value. `setup` registers what they do. */
  readonly probes?: KeySchemas
  /** Deploy strategies it brings, by name, each with the schema of its own key below `deployment`. `setup` registers what they do. */
  readonly strategies?: KeySchemas
  /** Keys it adds to the top level. */
  readonly system?: KeySchemas
}

export interface Plugin<Options = unknown, Commands extends CommandArgs = CommandArgs> extends PluginSchemas<Options> {
  /** Unique; kebab-case. Packages are called `systemg-plugin-<name>`. */
  readonly name: string
  readonly version?: string
  /** The API it was made for. Default: this one. */
  readonly api?: number
  /** Set up before these plugins, if they are there. */
  readonly before?: readonly string[]
  /** Set up after these plugins, if they are there. */
  readonly after?: readonly string[]
  /**
   * The schemas, where they are in a module of their own: `() => import('./schemas.ts')`. It is loaded when a config is read. A
   * supervisor that comes back after its death reads none, and is there sooner without them.
   */
  readonly schemas?: () => Promise<PluginSchemas<Options>>
  /** Commands of `sysg` that it brings, by name. They run where they are typed, without `setup`. */
  readonly commands?: { readonly [Name in keyof Commands]: PluginCommand<Options, Commands[Name]> }
  /** Hooks that it offers to other plugins: `<its name>:<word>`, typed by augmenting `PluginHooks`. It is the one to call them. */
  readonly hooks?: OfferedHooks
  /** Variables that `${VAR}` may use, from keys this plugin owns (`env`). Called for the system, then for each service. */
  variables?(raw: RawConfig): Promise<Readonly<Record<string, string>>>
  /**
   * What services are made of besides their keys, by service: the content of files that keys of this plugin name, by a
   * name for people (`the env file shared.env`). A service whose content changes is a changed service, for `plan` and
   * reload. Called with a config without mistakes. An instance that is made of newer content says so in `prepare`, by
   * `inputs` of its launch spec.
   */
  inputs?(of: {
    readonly config: ResolvedSystem
    readonly readText: ReadText
  }): Promise<Readonly<Record<string, Inputs>>>
  /** Find combinations that cannot work, or that people should know of. Called with the checked config. */
  check?(config: ResolvedSystem): readonly ConfigIssue[]
  /** What is worth knowing of a config that is good, a line each, for `sysg validate`. `nowMs` is wall time. */
  notes?(config: ResolvedSystem, at: { readonly nowMs: number }): readonly string[]
  /**
   * Which changed keys of a service need no restart: `plan` and reload leave the service alone when only these differ.
   * A part of a key is named with dots: `deployment.grace_period`.
   */
  readonly live?: readonly string[]
  /**
   * Which of its service keys also hold for a program that is started on behalf of a service (`startTransient`): where its
   * output goes, who it runs as. Others have their default there.
   */
  readonly inherited?: readonly string[]
  /** Tap hooks and register things. Nothing of the world has happened yet. */
  setup?(api: PluginApi<Options>): void
}

/** Type-checks a plugin where it is written. Gives it back unchanged. */
export const definePlugin = <Options = unknown, Commands extends CommandArgs = CommandArgs>(
  plugin: Plugin<Options, Commands>,
): Plugin<Options> => plugin

/** A plugin with the options a config gave it. */
export interface PluginUse {
  readonly plugin: Plugin
  readonly options?: unknown
}

/**
 * Plugins in the order of their setup: as listed, moved only as `before` and `after` demand.
 *
 * @throws {SysgError} `SYSG_PLUGIN_DUPLICATE`, `SYSG_PLUGIN_API`, `SYSG_PLUGIN_ORDER`.
 */
export const orderPlugins = (uses: readonly PluginUse[]): readonly PluginUse[] => {
  const byName = new Map<string, PluginUse>()
  for (const use of uses) {
    const { name, api = pluginApiVersion } = use.plugin
    if (byName.has(name)) throw new SysgError('SYSG_PLUGIN_DUPLICATE', { plugin: name })
    if (api !== pluginApiVersion)
      throw new SysgError('SYSG_PLUGIN_API', { plugin: name, wants: api, has: pluginApiVersion })
    byName.set(name, use)
  }
  const earlier = (name: string): readonly string[] => [
    ...(byName.get(name)?.plugin.after ?? []),
    ...[...byName.values()].filter(({ plugin }) => plugin.before?.includes(name)).map(({ plugin }) => plugin.name),
  ]
  const ordered = new Map<string, PluginUse>()
  const visit = (name: string, path: readonly string[]): void => {
    const use = byName.get(name)
    if (use === undefined || ordered.has(name)) return
    if (path.includes(name))
      throw new SysgError('SYSG_PLUGIN_ORDER', { path: [...path.slice(path.indexOf(name)), name] })
    for (const other of earlier(name)) visit(other, [...path, name])
    ordered.set(name, use)
  }
  for (const name of byName.keys()) visit(name, [])
  return [...ordered.values()]
}
