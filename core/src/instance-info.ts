/** What plugins see of an instance: while it runs, when it has ended, and when somebody has judged its health. */
import type { ResolvedService } from './config/types.ts'
import type { SysgError } from './errors.ts'
import type { Exit, TreeRef } from './host.ts'
import type { StopRequest } from './instance-world.ts'
import type { LaunchSpec } from './launch-spec.ts'

/** One run of a service, as plugins see it. Its fields are live: read them when you need them. */
export interface InstanceInfo {
  /** Unique in the system over time, for example `api-3`. */
  readonly id: string
  /** The config it was started with, which may be older than the service's present one. */
  readonly service: ResolvedService
  /** 0 to replicas − 1. */
  readonly replica: number
  /** `active` serves or is to serve; a `candidate` of a deploy serves once it has taken over; `retired` is on its way out. */
  readonly role: 'active' | 'candidate' | 'retired'
  readonly token: string
  readonly tree: TreeRef | undefined
  readonly pid: number | undefined
  /** Wall clock, ms, of the start; undefined until it runs. */
  readonly startedAt: number | undefined
  /**
   * What it was launched with, after every `prepare`. Of one that an earlier supervisor started: folder, command and
   * environment as far as they are known; its descriptors are not.
   */
  readonly launch: LaunchSpec | undefined
  /** `SYSG_SLOT` of its environment; also known of one that an earlier supervisor started. */
  readonly slot: string | undefined
  /** What led to its start. */
  readonly start: StartKind
  /** How many restarts in a row came before it; 0 for a start that is none. */
  readonly restarts: number
  /** It has been ready. */
  readonly wasReady: boolean
  /** How its tracked process ended; undefined while it lives, or when it never did. */
  readonly exit: Exit | undefined
  /** Why it could not be started, or did not become ready. */
  readonly failure: SysgError | undefined
  /** Why it is to end, if it was asked to; undefined when it ends by itself. */
  readonly stopRequest: StopRequest | undefined
  /** It runs once, in no config, and is then forgotten; see `startTransient`. Missing otherwise. */
  readonly transient?: Transient | undefined
}

/** What is known of a transient besides. */
export interface Transient {
  /** What whoever started it calls it. */
  readonly name: string
  /** When the plugin that started it means to end it, wall clock, ms; missing when never. */
  readonly expiresAt?: number | undefined
  /** The instance that it belongs to; missing when it stands for itself. */
  readonly owner?: string | undefined
}

/**
 * `asked`: a person or the boot of the system wants it up (or a schedule its run). `automatic`: it comes back after a
 * crash, its own or a dependency's. `deploy`: it is to replace another one. `adopted`: an earlier supervisor started it.
 */
export type StartKind = 'asked' | 'automatic' | 'deploy' | 'adopted'

/** Passed to hooks about an instance. `signal` aborts when a later intent makes the work pointless. */
export interface InstanceAt {
  readonly service: ResolvedService
  readonly instance: InstanceInfo
  readonly signal: AbortSignal
  /** Do not count the instance as ended before `work` has settled (at most 10 s): what `signal` has called off may take a moment to end. */
  readonly hold: (work: Promise<unknown>) => void
}

/** A run that has ended by itself. */
export interface EndedRun {
  readonly service: ResolvedService
  readonly instance: InstanceInfo
  readonly exit: Exit
  /** The exit code is one of `success_exit_codes`. */
  readonly success: boolean
  /** It had become ready before it ended. */
  readonly wasReady: boolean
  /** How long it had been ready, ms of steady time; 0 when it never was. */
  readonly readyForMs: number
  /** How many restarts in a row came before this one; 0 for the first. Counted anew after `retry` says `forget`. */
  readonly restarts: number
  /** Set when liveness ended it. */
  readonly unhealthy?: string
}

/** A health plugin's judgement of a running instance. */
export interface ProbeVerdict {
  readonly service: ResolvedService
  readonly instance: InstanceInfo
  readonly healthy: boolean
  readonly reason: string | null
}
