/** What commands and plugins may ask of a running system. */
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Exit } from './host.ts'
import type { Inspection } from './inspection.ts'
import type { InstanceInfo } from './instance-info.ts'
import type { InstanceState, ServiceState } from './states.ts'

/** A service as people see it: the object of `status --json`. Plugins add fields of their own, by the hook `view`. */
export interface ServiceView {
  readonly name: string
  /** Short and stable: eight hex digits made of project and name. */
  readonly id: string
  readonly state: ServiceState
  readonly health: 'healthy' | 'unhealthy' | 'starting' | 'none'
  readonly pid: number | null
  /** Wall clock, ISO 8601: since when it has been in this state. */
  readonly since: string
  /** Milliseconds since the serving instance started; null when none runs. */
  readonly uptime_ms: number | null
  readonly restarts: number
  /** Why, down to the root cause; null when there is nothing to say. */
  readonly reason: string | null
  readonly depends_on: readonly string[]
  readonly exit: (Pick<Exit, 'code' | 'signal'> & { at: string; oom_killed: boolean; unknown?: true }) | null
  /** Last lines of output of the run that ended last, when it ended badly. */
  readonly last_lines: readonly string[]
  /** How many replicas it should have now: as the config says, or `scale`. */
  readonly replicas: number
  readonly instances: readonly InstanceView[]
  /** Of several replicas those that have no instance now, and will have one again or have given up. Missing when there is none. */
  readonly down?: readonly DownReplicaView[]
  /** When the next restart is due, ISO 8601; null unless in `backoff`. */
  readonly retry_at: string | null
  /** It is in no config: started with its command, it lives until it is stopped. Missing otherwise. */
  readonly ad_hoc?: true
  /** Ad hoc, and forgotten when it has ended: a program started it. Missing otherwise. */
  readonly transient?: true
}

export interface InstanceView {
  readonly id: string
  readonly pid: number | null
  readonly state: InstanceState
  readonly role: InstanceInfo['role']
  readonly replica: number
  readonly slot: string | null
  /** Milliseconds since it started; null until it has. */
  readonly uptime_ms: number | null
}

export interface DownReplicaView {
  readonly replica: number
  readonly state: 'backoff' | 'failed'
  /** How its last run ended. */
  readonly reason: string | null
  /** When its next restart is due, ISO 8601; null when it has given up. */
  readonly retry_at: string | null
}

/** How an operation on services ended. */
export interface Outcome {
  readonly ok: boolean
  /** Services that are not as they were wanted, with the reason. */
  readonly problems: readonly {
    readonly service: string
    readonly code: string
    readonly message: string
    readonly hint: string | null
    readonly last_lines: readonly string[]
  }[]
  /** Things worth knowing that are no failure. */
  readonly warnings: readonly string[]
}

/** What `apply` would do, or did, with one service. */
export interface PlannedChange {
  readonly service: string
  readonly action: 'start' | 'stop' | 'restart' | 'deploy' | 'keep'
  readonly because: readonly string[]
}

/** What is said of the health of an instance. */
export interface HealthReport {
  readonly healthy: boolean
  /** Why, in words, when it is not. */
  readonly reason: string | null
  /** An unhealthy instance is shown as such and left alone, whatever its policy. Default false. */
  readonly isShownOnly?: boolean
}

/** How long somebody who asked for something waits: until it is done, or the signal aborts. What was begun is done all the same. */
interface Waiting {
  readonly signal?: AbortSignal
}

export interface SettleOptions extends Waiting {
  readonly names?: readonly string[]
}

export interface StartOptions extends Waiting {
  readonly names?: readonly string[]
  /** Also what they need and a person has stopped. */
  readonly withDeps?: boolean
  /**
   * Without names: also replace what an earlier supervisor started with another config than the one in force. One that
   * comes back by itself does not.
   */
  readonly appliesChanges?: boolean
}

export interface StartAdHocOptions extends Waiting {
  /** Whoever asks wants a service of its own. */
  readonly isNew?: boolean
}

/** A program that runs once, beside the services of the config. */
export interface TransientOptions {
  /** It becomes `<host>:<name>`; with a number behind when something living is called that. */
  readonly name: string
  /** The service that it is started for. It has the keys of it that plugins declare as `inherited`, and how it is stopped. */
  readonly host: ResolvedService
  readonly argv: readonly [string, ...string[]]
  /** Absolute. */
  readonly working_dir: string
  /** The instance that it belongs to: shown below that, not among services. Default: none. */
  readonly owner?: string
  /** When the plugin means to end it, wall clock, ms: to be shown. */
  readonly expiresAt?: number | undefined
  /** Told its full name and id, before anything of it happens: hooks about it come later. */
  readonly onNamed?: (instance: InstanceInfo) => void
}

export interface StopOptions extends Waiting {
  /** From the stop signal to SIGKILL, instead of `stop_timeout`. */
  readonly graceMs?: number
}

export interface RestartOptions extends Waiting {
  readonly names?: readonly string[]
  /** Leave alone those that a person stopped, that nobody started, and that are skipped. */
  readonly onlyWanted?: boolean
  /** By service, the `seq` of the event that led to it. */
  readonly causes?: Readonly<Record<string, number>>
}

export interface RunOptions extends Waiting {
  /** Also wait for dependencies that are down, as long as it takes. */
  readonly isPatient?: boolean
  /** Leave it alone when a person stopped it, or nobody started it. */
  readonly onlyWanted?: boolean
}

export interface ScaleOptions extends Waiting {
  /** `false`: resolve as soon as it is decided. */
  readonly wait?: boolean
}

export interface ApplyOptions extends Waiting {
  /** As `restart` does: everything that runs is replaced. */
  readonly all?: boolean
}

export interface ShutdownOptions {
  /** Kill. */
  readonly now?: boolean
  readonly why?: string
  readonly graceMs?: number
}

export interface InspectOptions extends Waiting {
  /** How far back, ms. Default ten minutes. */
  readonly windowMs?: number
}

export interface SystemApi {
  /** What is in force: the config, and beside its services those that were started ad hoc. */
  readonly config: ResolvedSystem
  /** Everything is to end, or has ended. */
  readonly isStopping: boolean
  /** Every service as people see it, but for transients that belong to an instance; or those of these names that exist. */
  view(names?: readonly string[]): readonly ServiceView[]
  /** The same for somebody who looks now: plugins have brought what they show up to date. */
  look(names?: readonly string[]): Promise<readonly ServiceView[]>
  /**
   * Everything about one service: by its name, its short id, `service/replica` or the id of an instance. Secrets are masked.
   *
   * @throws {SysgError} `SYSG_SERVICE_UNKNOWN`.
   */
  inspect(name: string, options?: InspectOptions): Promise<Inspection>
  /** Wait until the named services and what they need, or all, are ready or have failed. Changes nothing. */
  settled(options?: SettleOptions): Promise<Outcome>
  /** Start what is wanted, or the named services and what they need. Waits until they are ready or have failed. */
  start(options?: StartOptions): Promise<Outcome>
  /**
   * Start a service that is in no config: it lives until it is stopped, and no config touches it. One of the name that
   * runs the same command is started if it is down, or with `isNew` refused. Waits until it is ready or has failed.
   *
   * @throws {SysgError} `SYSG_NAME_TAKEN`.
   */
  startAdHoc(service: ResolvedService, options?: StartAdHocOptions): Promise<Outcome>
  /**
   * Run a program once, with all that a service has: output, an end of its whole tree, a record that outlives the
   * supervisor, which takes it up again and never starts it a second time. In no config; forgotten when it has ended; no
   * start, restart or reload of everything touches it. Its hooks are those of any instance. Resolves when its process exists.
   *
   * @throws {SysgError} `SYSG_SPAWN_FAILED`, `SYSG_INSTANCE_GONE`, `SYSG_SHUTTING_DOWN`, or what a plugin has against it.
   */
  startTransient(options: TransientOptions): Promise<InstanceInfo>
  /** A transient belongs to another instance from now on, or to none: then it is shown among services. Recorded when this returns. */
  giveTo(instanceId: string, owner: string | undefined): void
  /**
   * Go on after another supervisor: start what is wanted (of the named services, those that were asked for last), and leave
   * alone what was stopped, has completed or has given up. If that one was about to end everything, so does this.
   */
  resume(options?: SettleOptions): Promise<Outcome>
  /** Stop the named services alone, and forget those of them that are in no config. Resolves when nothing of them lives. */
  stop(names: readonly string[], options?: StopOptions): Promise<Outcome>
  /** Replace the named services by their strategy; without names every wanted one, in order, until one fails. */
  restart(options?: RestartOptions): Promise<Outcome>
  /**
   * Keep this many instances of each of these services: of all of them, or when one cannot be, of none. Resolves when
   * they are ready or have failed; with `wait: false` as soon as it is decided.
   */
  scale(counts: Readonly<Record<string, number>>, options?: ScaleOptions): Promise<Outcome>
  /** What `apply(next)` would do. `all`: as `restart` does, everything that runs is replaced. */
  plan(next: ResolvedSystem, options?: { all?: boolean }): readonly PlannedChange[]
  /** Bring another config into force: stop what is gone, start what is new, replace what changed (or, with `all`, everything). */
  apply(next: ResolvedSystem, options?: ApplyOptions): Promise<Outcome>
  /**
   * Run a scheduled or one-shot service once, now; a run that is under way is joined. Resolves with its exit; `undefined`
   * when it could not run.
   */
  run(name: string, options?: RunOptions): Promise<Exit | undefined>
  /** End one run, as a stop does; the service is wanted as before. `reason` is what people are told. Ignored when it has ended. */
  endRun(instanceId: string, reason: string): void
  /**
   * Tell the health of an instance. While it is starting, a bad one is shown as the reason; afterwards an instance that
   * its policy would restart is ended for it. Ignored when the instance is no longer running.
   */
  reportHealth(instanceId: string, report: HealthReport): void
  /** The environment of a command that belongs to a service: as `environment` makes it, with `SYSG_PROJECT` and `SYSG_SERVICE`. */
  environment(service: ResolvedService, signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  emit<T extends EventType>(
    type: T,
    of: { service?: string; instance?: string; cause?: number },
    data: EventData[T],
  ): SysgEvent
  /** Stop everything, in reverse order, and end the system. A second call with `now` kills. */
  shutdown(options?: ShutdownOptions): Promise<Outcome>
  /** Resolves when the system has ended. */
  readonly ended: Promise<void>
}
