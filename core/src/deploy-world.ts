/** What a deploy needs of its system: the reconciler gives it. */
import type { ResolvedService } from './config/types.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Clock } from './host.ts'
import type { Replacing } from './hooks.ts'
import type { Instance } from './instance.ts'
import type { LaunchSpec } from './launch-spec.ts'
import type { Replica } from './replica.ts'
import type { Service } from './service.ts'

export interface DeployWorld {
  readonly clock: Clock
  emit<T extends EventType>(
    type: T,
    of: { service: string; instance?: Instance; cause?: number | undefined },
    data: EventData[T],
  ): SysgEvent
  /** Start an instance of a replica with `spec`. Becomes the active one when none lives. */
  launch(service: Service, replica: Replica, spec: ResolvedService, refine?: (spec: LaunchSpec) => LaunchSpec): Instance
  record(changed: readonly Instance[]): void
  /** What plugins have to do before anything is touched. @throws {SysgError} when one refuses. */
  beforeReplace(at: Replacing): Promise<void>
  stop(instance: Instance, detail: string): void
  /** A replica's deploy is over and nothing of it is active: what becomes of it is the policy's decision. */
  settle(service: Service, replica: Replica): void
  /** A replica that does not run: start it as on boot, and resolve when it is ready. @throws {SysgError} why it is not. */
  bringUp(service: Service, replica: Replica, signal: AbortSignal): Promise<void>
  changed(service: Service, cause?: number): void
}
