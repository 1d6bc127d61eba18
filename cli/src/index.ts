/** What configs and plugins import: `import { defineConfig } from 'systemg'`. */
import type { SystemConfig } from '@systemg/core'

// A bare import would vanish from the published types, and with it the keys that plugins add to the config.
export type * from '@systemg/plugins'
export type * from '@systemg/core'
export { definePlugin } from '@systemg/core'

/** A config, or a function that makes it when it is loaded. */
export interface DefineConfig {
  (config: () => SystemConfig | Promise<SystemConfig>): () => SystemConfig | Promise<SystemConfig>
  // The last one is the one that TypeScript explains mistakes by.
  (config: SystemConfig): SystemConfig
}

/** Type-checks a config where it is written. Gives it back unchanged. */
export const defineConfig: DefineConfig = <T>(config: T): T => config
