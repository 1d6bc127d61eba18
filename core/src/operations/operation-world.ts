/** What operations work with. */
import type { PluginUse } from '../plugin.ts'
import type { Reconciler } from '../reconciler.ts'
import type { SystemWorld } from '../system-world.ts'
import type { Replaced } from './replace-services.ts'

export interface OperationWorld extends SystemWorld {
  readonly reconciler: Reconciler
  readonly uses: readonly PluginUse[]
  /** Keys, or parts of them with dots, whose change needs no restart. */
  readonly live: readonly string[]
  /** How it went to apply what had changed before this supervisor came up. */
  catchingUp: Promise<Replaced>
}
