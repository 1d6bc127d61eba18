/** What is known of one run of a service. Holds state; `Instance` changes it. */
import type { ResolvedService } from './config/types.ts'
import type { SysgError } from './errors.ts'
import type { EventData } from './events.ts'
import type { Clock, Exit, ProcessInfo, TreeRef } from './host.ts'
import type { InstanceInfo, StartKind, Transient } from './instance-info.ts'
import type { InstanceStart, StopRequest } from './instance-world.ts'
import type { InstanceRecord } from './journal.ts'
import { marksIn } from './launch-environment.ts'
import type { LaunchSpec } from './launch-spec.ts'
import type { InstanceState } from './states.ts'

export class InstanceFacts implements InstanceInfo {
  readonly id: string
  readonly replica: number
  readonly token: string
  readonly restarts: number
  readonly start: StartKind
  /** Replaced when a change of the config needs no restart. */
  service: ResolvedService
  role: InstanceInfo['role']
  transient: Transient | undefined

  state: InstanceState = 'starting'
  tree: TreeRef | undefined
  launch: LaunchSpec | undefined
  startedAt: number | undefined
  /** When it became ready, steady time. */
  readyAt: number | undefined
  wasReady = false
  /** Something other than time says when it is ready. */
  isGated = false
  /** How its tracked process ended; set as soon as that is known. */
  exit: Exit | undefined
  /** When it ended, wall clock. */
  exitAt: number | undefined
  /** When it ended, steady time. */
  exitMonotonic: number | undefined
  /** Its exit has been told, its last lines are known. */
  isDown = false
  /** Its program ended well and left processes behind, before it was ready: it wanted to be in the background. */
  isDaemonized = false
  /** Why it could not be started at all. */
  failure: SysgError | undefined
  lastLines: readonly string[] = []
  stopRequest: StopRequest | undefined
  /** What was said of its health last, when that was bad: why it is not ready yet, or why it is unhealthy. */
  unhealthyReason: string | undefined
  /** Processes that SIGKILL does not end. */
  stuck: readonly ProcessInfo[] = []
  /** The event that started it, then the latest that changed it. */
  cause: number | undefined
  readonly #marks: InstanceRecord['marks']
  readonly #clock: Clock

  constructor(start: InstanceStart, clock: Clock) {
    this.id = start.id
    this.service = start.service
    this.replica = start.replica
    this.role = start.role
    this.token = start.token
    this.restarts = start.restarts
    this.start = start.start
    this.cause = start.cause
    this.transient = start.transient
    this.#marks = start.marks
    this.#clock = clock
  }

  get pid(): number | undefined {
    return this.tree?.pid
  }

  /** It is ready, its process lives, and nobody asked it to stop. */
  get isServing(): boolean {
    return this.state === 'ready' && this.exit === undefined && this.stopRequest === undefined
  }

  /** It serves or, after somebody asked for its end, could still go on: nothing has been done to it yet. */
  get canServe(): boolean {
    return this.state === 'ready' && this.exit === undefined
  }

  get slot(): string | undefined {
    return (this.launch?.env ?? this.#marks)?.['SYSG_SLOT']
  }

  /** How long it was ready, until its process ended; ms of steady time. */
  get readyForMs(): number {
    if (this.readyAt === undefined) return 0
    return (this.exitMonotonic ?? this.#clock.monotonic()) - this.readyAt
  }

  /** Still being prepared: no process of it can exist yet. */
  get isPreparing(): boolean {
    return this.state === 'starting' && this.launch === undefined && this.tree === undefined
  }

  get isLiving(): boolean {
    return this.state !== 'ended'
  }

  /** What events tell of it besides its process. */
  get part() {
    return { replica: this.replica, role: this.role }
  }

  get place() {
    const { replica, slot = null, isGated: gated } = this
    return { replica, slot, gated, ...this.oneOff }
  }

  get oneOff(): Pick<EventData['instance.started'], 'transient'> {
    if (this.transient === undefined) return {}
    const { name, owner = null, expiresAt } = this.transient
    return {
      transient: { name, owner, expires_at: expiresAt === undefined ? null : new Date(expiresAt).toISOString() },
    }
  }

  get record(): InstanceRecord {
    const { id, service, replica, role, token, tree, startedAt, wasReady, restarts, transient } = this
    const marks = marksIn(this.launch?.env ?? this.#marks ?? {})
    return {
      ...{ id, service, replica, role, token, wasReady, restarts },
      ...(tree === undefined ? {} : { tree }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(transient === undefined ? {} : { transient }),
      ...(Object.keys(marks).length === 0 ? {} : { marks }),
    }
  }
}
