/** What every part of a system works with. */
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Host } from './host.ts'
import type { Hooks } from './hooks.ts'
import type { OnMove } from './states.ts'

export interface SystemWorld {
  readonly host: Host
  readonly hooks: Hooks
  readonly project: string
  readonly onMove: OnMove | undefined
  /** Told of a failure that only a mistake in systemg can cause; the other services go on. */
  bug(thrown: unknown): void
  /** The same without the secrets that are known: for what is told or kept to be told. */
  hide<T>(value: T): T
  emit<T extends EventType>(
    type: T,
    of: { service?: string | undefined; instance?: string | undefined; cause?: number | undefined },
    data: EventData[T],
  ): SysgEvent
}
