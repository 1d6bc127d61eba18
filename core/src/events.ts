/** What happened, as one ordered stream. Every event knows the event that led to it. */
import type { Exit } from './host.ts'
import type { ServiceState } from './states.ts'

/** What each kind of event says, besides who and when. */
export interface EventData {
  'system.started': { version: string; adopted: number }
  'system.stopped': { reason: string | null }
  'system.reloaded': { changed: readonly string[] }
  'service.waiting': { reason: string }
  'service.blocked': { reason: string }
  'service.starting': { reason: string | null }
  'service.ready': { pid: number | null }
  'service.unhealthy': { reason: string }
  'service.stopping': { reason: string | null }
  'service.stopped': { reason: string | null }
  'service.completed': { reason: string | null }
  'service.restarting': { delay_ms: number; attempt: number; reason: string }
  'service.failed': { reason: string }
  'service.scheduled': { reason: string | null }
  'service.skipped': { reason: string | null }
  /** The tracked process of an instance has ended, expected or not. */
  'service.exited': { pid: number | null; exit: Exit; expected: boolean; last_lines: readonly string[] }
  'service.daemonized': { pids: readonly number[] }
  'service.start_failed': { reason: string }
  'service.intent': { intent: 'up' | 'stopped'; by: string }
  'service.scaled': { from: number; to: number; by: string }
  'instance.started': { pid: number; replica: number; role: 'active' | 'candidate'; argv: readonly string[] }
  'instance.ready': { pid: number; replica: number }
  'instance.stopping': { pid: number | null; why: string }
  'instance.adopted': { pid: number; replica: number }
  'deploy.started': { strategy: string; replicas: number }
  'deploy.step': { step: string; replica: number }
  'deploy.switched': { replica: number; from: string | null; to: string }
  'deploy.succeeded': { duration_ms: number }
  'deploy.rolled_back': { step: string; reason: string }
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
  backoff: 'service.restarting',
  failed: 'service.failed',
  scheduled: 'service.scheduled',
  skipped: 'service.skipped',
} as const satisfies Record<ServiceState, EventType>
