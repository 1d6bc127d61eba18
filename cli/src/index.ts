/** What configs and plugins import: `import { defineConfig } from 'systemg'`. */
import type { SystemConfig } from '@systemg/core'

// A bare import would vanish from the published types, and with it the keys that plugins add to the config.
export type * from '@systemg/plugins'
export type {
  Hooks,
  Host,
  Plugin,
  PluginApi,
  ResolvedService,
  ResolvedSystem,
  ServiceConfig,
  SysgEvent,
  SystemConfig,
} from '@systemg/core'
export { definePlugin, z } from '@systemg/core'

/** A config, or a function that makes it when it is loaded. */
export type SystemDefinition = SystemConfig | (() => SystemConfig | Promise<SystemConfig>)

/** Type-checks a config where it is written. Gives it back unchanged. */
// Neither overloads nor a type parameter: only so does TypeScript put a mistake at the key that has it.
export const defineConfig = (config: SystemDefinition): SystemDefinition => config
