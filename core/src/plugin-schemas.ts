/** The schemas of plugins: those that a plugin has, and those that it loads when a config is read. */
import type { Plugin, PluginSchemas, PluginUse } from './plugin.ts'

const loaded = new WeakMap<Plugin, PluginSchemas>()

/** Load what `schemas` of these plugins gives. Everything that reads a config, or says what may be in one, comes behind this. */
export const loadSchemas = async (uses: readonly PluginUse[]): Promise<void> => {
  for (const { plugin } of uses) {
    if (plugin.schemas !== undefined && !loaded.has(plugin))
      loaded.set(plugin, { ...plugin, ...(await plugin.schemas()) })
  }
}

/** The loaded ones. @throws {Error} when they are not. */
export const schemasOf = (plugin: Plugin): PluginSchemas => {
  const known = knownSchemas(plugin)
  if (known === undefined) throw new Error(`the schemas of plugin ${plugin.name} are not loaded`)
  return known
}

/** `undefined` where no config was read, so that they are not loaded. */
export const knownSchemas = (plugin: Plugin): PluginSchemas | undefined =>
  plugin.schemas === undefined ? plugin : loaded.get(plugin)
