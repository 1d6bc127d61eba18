/** Which keys plugins add to a config, and what those depend on. */
import type { z } from 'zod'
import { liveKeys } from './changed-keys.ts'
import { SysgError } from './errors.ts'
import { schemasOf } from './plugin-schemas.ts'
import type { Extensions, KeySchemas, Plugin, PluginUse } from './plugin.ts'

/** The keys every plugin adds in one scope. @throws {SysgError} `SYSG_PLUGIN_KEY_TAKEN`. */
export const collectKeys = (
  uses: readonly PluginUse[],
  scope: 'service' | 'system',
  reserved: readonly string[],
): ReadonlyMap<string, { plugin: string; schema: z.ZodType }> => {
  const extensions = extensionsOf(uses)
  const keys = new Map<string, { plugin: string; schema: z.ZodType }>()
  for (const { plugin } of uses) {
    for (const [key, schema] of Object.entries(keysOf(plugin, scope, extensions))) {
      const other = reserved.includes(key) ? 'core' : keys.get(key)?.plugin
      if (other !== undefined) throw new SysgError('SYSG_PLUGIN_KEY_TAKEN', { plugin: plugin.name, other, key, scope })
      keys.set(key, { plugin: plugin.name, schema })
    }
  }
  return keys
}

/** Keys that a plugin has at the top level as defaults for the key of the same name in every service. */
export const sharedKeys = (uses: readonly PluginUse[]): readonly string[] => {
  const extensions = extensionsOf(uses)
  return uses.flatMap(({ plugin }) => {
    const ofServices = keysOf(plugin, 'service', extensions)
    return Object.keys(schemasOf(plugin).system ?? {}).filter((key) => key in ofServices)
  })
}

/** Keys, or parts of them with dots, whose change reaches a running service without a restart. */
export const liveKeysOf = (uses: readonly PluginUse[]): readonly string[] => [
  ...liveKeys,
  ...uses.flatMap(({ plugin }) => plugin.live ?? []),
]

/** The keys one plugin adds in one scope. */
export const keysOf = (plugin: Plugin, scope: 'service' | 'system', extensions: Extensions): KeySchemas => {
  const { system = {}, service = {} } = schemasOf(plugin)
  if (scope === 'system') return system
  return typeof service === 'function' ? service(extensions) : service
}

/** @throws {SysgError} `SYSG_REGISTRY_TAKEN` when two plugins declare one probe or strategy. */
export const extensionsOf = (uses: readonly PluginUse[]): Extensions => {
  const extensions: Extensions = {
    probes: declared(uses, 'probes'),
    strategies: declared(uses, 'strategies'),
    serviceKey: (name) =>
      uses.map(({ plugin }) => keysOf(plugin, 'service', extensions)[name]).find((schema) => schema !== undefined),
  }
  return extensions
}

const declared = (uses: readonly PluginUse[], kind: 'probes' | 'strategies'): KeySchemas => {
  const owners = new Map<string, string>()
  const schemas: [string, z.ZodType][] = []
  for (const { plugin } of uses) {
    for (const [name, schema] of Object.entries(schemasOf(plugin)[kind] ?? {})) {
      const other = owners.get(name)
      const what = kind === 'probes' ? 'probe' : 'deploy strategy'
      if (other !== undefined)
        throw new SysgError('SYSG_REGISTRY_TAKEN', { kind: what, name, plugin: plugin.name, other })
      owners.set(name, plugin.name)
      schemas.push([name, schema])
    }
  }
  return Object.fromEntries(schemas)
}
