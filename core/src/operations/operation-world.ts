/** What operations work with. */
import type { PluginUse } from '../plugin.ts'
import type { Reconciler } from '../reconciler.ts'
import type { SystemWorld } from '../system-world.ts'

export interface OperationWorld extends SystemWorld {
  readonly reconciler: Reconciler
  readonly uses: readonly PluginUse[]
  /** Keys that a plugin has at the top level as defaults for the key of the same name in every service. */
  readonly sharedKeys: readonly string[]
  /** Keys, or parts of them with dots, whose change needs no restart. */
  readonly live: readonly string[]
}
