/** Sets up plugins, each with what belongs to it under its own name. */
import { SysgError, whyOf } from './errors.ts'
import type { Hooks } from './hooks.ts'
import type { Host } from './host.ts'
import type { HookAccess } from './plugin-hooks.ts'
import type { Plugin, PluginApi, PluginUse } from './plugin.ts'
import { accessFor, checkRegistered, type Registries } from './registries.ts'
import type { SystemApi } from './system-api.ts'

export interface SetUpWorld {
  readonly host: Host
  readonly hooks: Hooks
  readonly hookOf: HookAccess
  readonly system: SystemApi
  readonly registries: Registries
  /** What plugins want released at the end, in order of registration. */
  readonly releases: (() => void | Promise<void>)[]
  /** Taps registered from now on belong to this plugin. */
  own(plugin: string | undefined): void
}

/** @throws {SysgError} `SYSG_PLUGIN_FAILED` naming the plugin whose `setup` threw. */
export const setUpPlugins = (uses: readonly PluginUse[], world: SetUpWorld): void => {
  for (const { plugin, options } of uses) {
    world.own(plugin.name)
    try {
      plugin.setup?.(apiFor(plugin, options, world))
      checkRegistered(plugin, world.registries)
    } catch (thrown) {
      if (thrown instanceof SysgError) throw thrown
      const facts = { plugin: plugin.name, hook: 'setup', why: whyOf(thrown) }
      throw new SysgError('SYSG_PLUGIN_FAILED', facts, { cause: thrown })
    } finally {
      world.own(undefined)
    }
  }
}

const apiFor = (plugin: Plugin, options: unknown, world: SetUpWorld): PluginApi => ({
  name: plugin.name,
  options,
  hooks: world.hooks,
  hookOf: world.hookOf,
  host: world.host,
  system: world.system,
  registries: world.registries,
  ...accessFor(plugin, world.registries),
  onDispose: (release) => void world.releases.push(release),
})
