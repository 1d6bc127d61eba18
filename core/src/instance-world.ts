/** What an instance is given: how it is started and asked to stop, and whom it tells. */
import type { ResolvedService } from './config/types.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Host } from './host.ts'
import type { Hooks } from './hooks.ts'
import type { InstanceInfo, StartKind, Transient } from './instance-info.ts'
import type { Instance } from './instance.ts'
import type { InstanceRecord } from './journal.ts'
import type { OnMove } from './states.ts'

export interface InstanceStart {
  readonly id: string
  readonly service: ResolvedService
  readonly replica: number
  readonly role: InstanceInfo['role']
  readonly token: string
  /** Restarts in a row before this run. */
  readonly restarts: number
  readonly start: StartKind
  /** Of an instance that an earlier supervisor started. */
  readonly marks?: InstanceRecord['marks']
  readonly transient?: Transient | undefined
  readonly cause?: number | undefined
}

/** Why an instance is stopped. `crash: true` makes its end count as a crash of the service. */
export interface StopRequest {
  readonly why:
    | 'person'
    | 'shutdown'
    | 'cascade'
    | 'replaced'
    | 'scaled'
    | 'removed'
    | 'deploy'
    | 'unhealthy'
    | 'not ready'
    | 'gate'
    | 'called off'
    | 'scheduled'
  readonly detail: string | null
  readonly crash?: boolean
  readonly graceMs?: number | undefined
  readonly cause?: number | undefined
}

/** What an instance needs of its system. */
export interface InstanceWorld {
  readonly project: string
  readonly host: Host
  readonly hooks: Hooks
  readonly onMove: OnMove | undefined
  emit<T extends EventType>(
    type: T,
    of: { instance: Instance; cause?: number | undefined },
    data: EventData[T],
  ): SysgEvent
  record(changed: readonly Instance[]): void
  /** How a run of this service ends matters to others, also when nobody looks. */
  isAwaited(service: ResolvedService): boolean
  /** Its state or its reason changed. */
  changed(instance: Instance, cause?: number): void
  /** Its process has ended without being asked to. Called before anything of it is cleaned up. */
  exitedByItself(instance: Instance, cause: number): void
  /** Nothing of it lives. */
  hasEnded(instance: Instance): void
}
