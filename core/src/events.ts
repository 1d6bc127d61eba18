/** What happened, as one ordered stream. Every event knows the event that led to it. */
import type { Exit } from './host.ts'
import type { InstanceState, ServiceState } from './states.ts'
import type { DownReplicaView } from './system-api.ts'

/** What people see of a service that has come into a state. */
interface Seen {
  reason: string | null
  /** Automatic restarts since the supervisor knows the service. */
  restarts: number
}

/** Of one that runs once, in no config. */
interface OfTransient {
  transient?: {
    /** What whoever started it calls it. */
    name: string
    /** The instance that it belongs to; null when it stands for itself. */
    owner: string | null
    /** ISO 8601; null when it has no time limit. */
    expires_at: string | null
  }
}

/** Of one that an earlier supervisor saw come to rest: when. */
interface Rested {
  since?: string
}

type Role = 'active' | 'candidate' | 'retired'

/**
 * What each kind of event says, besides who and when. Together they say all there is to see: what is shown of a service
 * at any moment can be told from them alone (`past.ts`).
 */
export interface EventData {
  /** A supervisor begins; what was told of services before is told anew. `instances`: those that are recorded. */
  'system.booting': { instances: number }
  'system.started': { version: string; adopted: number }
  'system.stopped': { reason: string | null }
  'system.reloaded': { changed: readonly string[] }
  /** The system has it now, or has it otherwise than before. With a `reason`, that is why it is `stopped`. */
  'service.declared': { depends_on: readonly string[]; replicas: number; ad_hoc: boolean; reason?: string | null }
  /** The system no longer has it. */
  'service.removed': Record<string, never>
  'service.waiting': Seen
  'service.blocked': Seen
  'service.starting': Seen
  'service.ready': Seen & { pid: number | null }
  'service.unhealthy': Seen
  'service.stopping': Seen
  'service.stopped': Seen
  'service.completed': Seen & Rested
  'service.backoff': Seen
  'service.failed': Seen & Rested
  'service.scheduled': Seen
  'service.skipped': Seen
  /** Its state is as it was, and there is something else to say. */
  'service.reason': Seen
  /** Which of several replicas are down, and why; none any more when empty. */
  'service.degraded': { down: readonly DownReplicaView[] }
  /** A replica will start again: the service is in `backoff` only when no other one serves. */
  'service.restarting': { delay_ms: number; attempt: number; reason: string }
  /** The tracked process of an instance has ended, expected or not. */
  'service.exited': OfTransient & {
    pid: number | null
    replica: number
    role: Role
    exit: Exit
    expected: boolean
    last_lines: readonly string[]
  }
  'service.daemonized': { pids: readonly number[] }
  'service.start_failed': { reason: string }
  'service.intent': { intent: 'up' | 'stopped'; by: string }
  'service.scaled': { from: number; to: number; by: string }
  /** `gated`: something other than time says when it is ready. It may be `stopping` already. */
  'instance.started': OfTransient & {
    pid: number
    replica: number
    role: 'active' | 'candidate'
    state: InstanceState
    slot: string | null
    gated: boolean
    argv: readonly string[]
  }
  'instance.ready': { pid: number; replica: number }
  'instance.unhealthy': { pid: number | null; replica: number; reason: string }
  'instance.healthy': { pid: number | null; replica: number }
  'instance.stopping': { pid: number | null; why: string }
  /** Nothing of it lives any more. `pid` is null when it never had a process. */
  'instance.ended': { pid: number | null; replica: number; role: Role }
  'instance.adopted': OfTransient & {
    pid: number
    replica: number
    role: Role
    slot: string | null
    gated: boolean
    /** ISO 8601; null when that is not known. */
    started_at: string | null
  }
  /** A transient belongs to another instance from now on; to none when `owner` is null. */
  'instance.given': { owner: string | null }
  /** How a replica had come to rest under an earlier supervisor, and when. */
  'replica.restored': {
    replica: number
    outcome: 'completed' | 'failed' | 'backoff'
    exit: Exit | null
    at: string | null
    retry_at?: string
  }
  'deploy.started': { strategy: string; replicas: number }
  'deploy.step': { step: string; replica: number }
  'deploy.switched': { replica: number; from: string | null; to: string }
  'deploy.succeeded': { duration_ms: number }
  /** `code` is missing when an earlier supervisor was at work on it. */
  'deploy.rolled_back': { step: string; reason: string; code?: string }
  /** What a deploy that failed had done outside could not be taken back. */
  'deploy.undo_failed': { replica: number; reason: string }
  'plugin.error': { plugin: string; hook: string; message: string }
}

export type EventType = keyof EventData

/**
 * One thing that happened. `seq` grows by one and never repeats, also over a supervisor's death;
 * `cause` is the `seq` of the event that led to this one.
 */
export interface SysgEvent<T extends string = string> {
  readonly seq: number
  /** Wall clock, ISO 8601 with milliseconds, UTC. */
  readonly time: string
  readonly project: string
  readonly service?: string
  readonly instance?: string
  readonly type: T
  readonly cause?: number
  readonly data: T extends EventType ? EventData[T] : Readonly<Record<string, unknown>>
}

/** The event that says a service has come into a state. */
export const eventOfState = {
  waiting: 'service.waiting',
  blocked: 'service.blocked',
  starting: 'service.starting',
  running: 'service.ready',
  unhealthy: 'service.unhealthy',
  stopping: 'service.stopping',
  stopped: 'service.stopped',
  completed: 'service.completed',
  backoff: 'service.backoff',
  failed: 'service.failed',
  scheduled: 'service.scheduled',
  skipped: 'service.skipped',
} as const satisfies Record<ServiceState, EventType>
