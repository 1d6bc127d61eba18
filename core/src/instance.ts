/**
 * One run of a service, from `prepare` to the end of the last process of its tree.
 *
 *   prepare → beforeStart → launch ──► starting ──gates──► ready ⇄ unhealthy
 *                                         │                  │
 *              a stop request, or its own exit with processes left behind
 *                                         ▼                  ▼
 *                    stopping: stop signal → grace → SIGKILL until nothing lives ──► ended
 *
 * It decides nothing: the system asks it to stop, and hears of its exit, its readiness and its end.
 */
import { madeOf } from './config/inputs.ts'
import type { ResolvedService } from './config/types.ts'
import { endTree } from './end-tree.ts'
import { SysgError, whyOf } from './errors.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import { fillInSpec } from './fill-in.ts'
import type { Adopted, Exit, Host, ProcessInfo, Spawned, TreeRef } from './host.ts'
import type { Hooks, InstanceAt, InstanceInfo, LaunchSpec, MadeEnvironment, ReadyGate, StartKind } from './hooks.ts'
import type { InstanceRecord } from './journal.ts'
import { baseEnvironment, marksIn } from './launch-environment.ts'
import { moveInstance, type InstanceCue, type InstanceState, type OnMove } from './states.ts'
import { pause, within } from './wait.ts'

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
  /** Its state or its reason changed. */
  changed(instance: Instance, cause?: number): void
  /** Its process has ended without being asked to. Called before anything of it is cleaned up. */
  exitedByItself(instance: Instance, cause: number): void
  /** Nothing of it lives. */
  hasEnded(instance: Instance): void
}

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
  readonly cause?: number | undefined
}

/** How long an instance waits for what its taps hold it for, ms. */
const holdLimitMs = 10_000

export class Instance implements InstanceInfo {
  readonly id: string
  readonly replica: number
  readonly token: string
  readonly restarts: number
  readonly start: StartKind
  /** Replaced when a change of the config needs no restart. */
  service: ResolvedService
  role: InstanceInfo['role']

  state: InstanceState = 'starting'
  tree: TreeRef | undefined
  launch: LaunchSpec | undefined
  startedAt: number | undefined
  readyAt: number | undefined
  wasReady = false
  /** Something other than time says when it is ready. */
  isGated = false
  /** How its tracked process ended; set as soon as that is known. */
  exit: Exit | undefined
  /** When it ended, wall clock. */
  exitAt: number | undefined
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

  /** Resolves when nothing of it lives. Never rejects. */
  readonly ended: Promise<void>

  readonly #world: InstanceWorld
  /** Aborts everything that leads to `ready`. */
  readonly #starting = new AbortController()
  readonly #kill = new AbortController()
  readonly #resolveEnded: () => void
  readonly #marks: InstanceRecord['marks']
  readonly #holds = new Set<Promise<unknown>>()
  #launched: Promise<void> = Promise.resolve()
  #exitSeen: Promise<void> = Promise.resolve()
  #isStopping = false
  #exitMonotonic: number | undefined
  readonly #listeners = new Set<() => boolean>()

  constructor(start: InstanceStart, world: InstanceWorld) {
    this.id = start.id
    this.service = start.service
    this.replica = start.replica
    this.role = start.role
    this.token = start.token
    this.restarts = start.restarts
    this.start = start.start
    this.#marks = start.marks
    this.cause = start.cause
    this.#world = world
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#resolveEnded = resolve
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
    return (this.#exitMonotonic ?? this.#world.host.clock.monotonic()) - this.readyAt
  }

  /** Still being prepared: no process of it can exist yet. */
  get isPreparing(): boolean {
    return this.state === 'starting' && this.launch === undefined && this.tree === undefined
  }

  get isLiving(): boolean {
    return this.state !== 'ended'
  }

  get record(): InstanceRecord {
    const { id, service, replica, role, token, tree, startedAt, wasReady, restarts } = this
    const marks = marksIn(this.launch?.env ?? this.#marks ?? {})
    return {
      ...{ id, service, replica, role, token, wasReady, restarts },
      ...(tree === undefined ? {} : { tree }),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(Object.keys(marks).length === 0 ? {} : { marks }),
    }
  }

  /** Prepare and launch. `refine` has the last word over the launch spec. */
  begin(refine: (spec: LaunchSpec) => LaunchSpec = (spec) => spec): void {
    this.#launched = this.#launch(refine).catch((thrown: unknown) => {
      if (this.#starting.signal.aborted) return
      this.failure =
        thrown instanceof SysgError
          ? thrown
          : new SysgError('SYSG_START_FAILED', { service: this.service.name, reason: whyOf(thrown) }, { cause: thrown })
      this.lastLines = this.failure.lastLines ?? []
      this.#finish()
    })
  }

  /** Go on with a process that an earlier supervisor started. */
  adopt(spawned: Adopted, record: InstanceRecord): void {
    this.tree = spawned.tree
    this.startedAt = record.startedAt
    this.launch = this.#baseSpec({ env: { ...spawned.env, ...record.marks, ...this.#identity() } })
    this.#watch(spawned)
    this.#world.emit('instance.adopted', this.#of(), { pid: spawned.tree.pid, replica: this.replica })
    this.#world.hooks.adopted.call(this, { ready: record.wasReady })
    if (!record.wasReady) {
      this.#awaitReady()
      return
    }
    this.isGated = this.#gates().length > 0
    this.#becomeReady()
  }

  /** Go on under a config that differs in live keys alone. */
  takeUp(service: ResolvedService): void {
    this.service = service
    if (this.state === 'ready' || this.state === 'unhealthy') this.isGated = this.#gates().length > 0
  }

  /** Its tracked process ended while no supervisor ran. `remains` of its tree are ended. */
  lose(exit: Exit, record: InstanceRecord, remains: TreeRef | undefined): void {
    this.tree = record.tree ?? remains
    this.startedAt = record.startedAt
    this.wasReady = record.wasReady
    this.exit = exit
    this.exitAt = this.#world.host.clock.now()
    const facts = { pid: record.tree?.pid ?? null, exit, expected: false, last_lines: [] }
    this.cause = this.#world.emit('service.exited', this.#of(), facts).seq
    this.isDown = true
    if (remains === undefined) this.#finish()
    else this.beginStop()
  }

  /** Ask it to stop. It begins when the system says so (`beginStop`), since dependents go first. Later requests change nothing but a shorter grace. */
  requestStop(request: StopRequest): void {
    if (!this.isLiving || this.stopRequest !== undefined) return
    this.stopRequest = request
    this.#starting.abort(
      new SysgError('SYSG_START_FAILED', { service: this.service.name, reason: 'stopped before it was ready' }),
    )
    this.#changed(request.cause)
  }

  /** Send the stop signal now, and SIGKILL after the grace. */
  beginStop(): void {
    if (!this.isLiving || this.#isStopping) return
    this.#isStopping = true
    this.#move('stop')
    const { why, detail, cause } = this.stopRequest ?? {
      why: 'exited',
      detail: 'ending what it left behind',
      cause: this.cause,
    }
    this.#world.emit('instance.stopping', this.#of(cause), { pid: this.pid ?? null, why: detail ?? why })
    this.#changed()
    void this.#stopTree()
  }

  /** No more grace: SIGKILL. */
  kill(): void {
    this.#kill.abort()
  }

  /** Call `listener` after every change until it returns true. */
  onChange(listener: () => boolean): void {
    this.#listeners.add(listener)
  }

  /** Judge an instance whose process lives. One that is `starting` stays so: what is said of it is why. */
  judge(healthy: boolean, reason: string | null): void {
    if (this.exit !== undefined || this.stopRequest !== undefined) return
    const before = [this.state, this.unhealthyReason]
    this.unhealthyReason = healthy ? undefined : (reason ?? 'its health check fails')
    if (healthy && this.state === 'unhealthy') this.#move('healthy')
    if (!healthy && this.state === 'ready') this.#move('unhealthy')
    if (before[0] !== this.state || before[1] !== this.unhealthyReason) this.#changed()
  }

  readonly #at = (signal: AbortSignal): InstanceAt => ({
    service: this.service,
    instance: this,
    signal,
    hold: (work) => {
      this.#holds.add(work)
      const release = () => void this.#holds.delete(work)
      work.then(release, release)
    },
  })

  async #launch(refine: (spec: LaunchSpec) => LaunchSpec): Promise<void> {
    const { hooks, host } = this.#world
    const { signal } = this.#starting
    const at = this.#at(signal)
    const made = await hooks.environment.promise({ env: baseEnvironment(host.env) }, { service: this.service, signal })
    const { inputs = {}, ...prepared } = refine(await hooks.prepare.promise(this.#baseSpec(made), at))
    this.service = madeOf(this.service, inputs)
    await hooks.beforeStart.promise(at)
    signal.throwIfAborted()
    const named = { ...prepared, env: { ...prepared.env, ...this.#identity() } }
    const spec = { ...fillInSpec(named, host.env), token: this.token }
    this.launch = spec
    this.#world.record([this])
    // From here on a stop must wait: whoever launches may already have a process.
    const launched =
      (await hooks.launch.promise(spec, this.#at(new AbortController().signal))) ?? (await host.processes.spawn(spec))
    if ('errno' in launched) {
      throw new SysgError('SYSG_SPAWN_FAILED', {
        service: this.service.name,
        program: spec.argv[0],
        errno: launched.errno,
        why: launched.message,
      })
    }
    this.tree = launched.tree
    this.startedAt = host.clock.now()
    this.#world.record([this])
    this.#watch(launched)
    hooks.started.call(this)
    const { pid } = launched.tree
    const role = this.role === 'candidate' ? 'candidate' : 'active'
    this.cause = this.#world.emit('instance.started', this.#of(), {
      pid,
      replica: this.replica,
      role,
      argv: spec.argv,
    }).seq
    this.#changed()
    if (!signal.aborted) this.#awaitReady()
  }

  #baseSpec(made: MadeEnvironment): LaunchSpec {
    return {
      ...made,
      argv: this.service.argv,
      cwd: this.service.working_dir,
      stdout: 'null',
      stderr: 'null',
      inherit: [],
    }
  }

  /** What every process of the instance is known by. */
  #identity(): Record<string, string> {
    return {
      SYSG_PROJECT: this.#world.project,
      SYSG_SERVICE: this.service.name,
      SYSG_INSTANCE: this.id,
      SYSG_REPLICA: String(this.replica),
      SYSG_TOKEN: this.token,
    }
  }

  #gates(): readonly ReadyGate[] {
    return this.#world.hooks.ready.call([], this.#at(this.#starting.signal))
  }

  #awaitReady(): void {
    const { signal } = this.#starting
    const at = this.#at(signal)
    const gates = this.#gates()
    this.isGated = gates.length > 0
    const opened =
      gates.length > 0
        ? Promise.all(gates.map((gate) => gate.open(at)))
        : pause(this.#world.host.clock, this.service.startup_grace, signal)
    opened.then(
      () => this.#becomeReady(),
      (thrown: unknown) => {
        if (signal.aborted || this.exit !== undefined || !this.isLiving) return
        const detail = whyOf(thrown)
        this.failure = new SysgError(
          'SYSG_START_FAILED',
          { service: this.service.name, reason: detail },
          { cause: thrown },
        )
        this.requestStop({ why: 'not ready', detail, crash: true })
      },
    )
  }

  #becomeReady(): void {
    if (this.state !== 'starting' || this.exit !== undefined || this.stopRequest !== undefined) return
    this.#move('ready')
    this.readyAt = this.#world.host.clock.monotonic()
    this.wasReady = true
    this.unhealthyReason = undefined
    this.#world.record([this])
    if (this.pid !== undefined) {
      this.cause = this.#world.emit('instance.ready', this.#of(), { pid: this.pid, replica: this.replica }).seq
    }
    this.#changed()
  }

  #watch(spawned: Spawned): void {
    this.#exitSeen = spawned.exited.then((exit) => this.#onExit(exit))
  }

  /** The tracked process has ended: read its last words, tell, and end the rest of its tree. */
  async #onExit(exit: Exit): Promise<void> {
    const { hooks, host } = this.#world
    const asked = this.stopRequest !== undefined
    this.exit = exit
    this.exitAt = host.clock.now()
    this.#exitMonotonic = host.clock.monotonic()
    this.#starting.abort(
      new SysgError('SYSG_START_FAILED', { service: this.service.name, reason: 'it ended before it was ready' }),
    )
    const run = { instance: this, exit, signal: this.#kill.signal }
    this.lastLines = await hooks.exited.promise([], run).catch(() => [])
    const facts = { pid: this.pid ?? null, exit, expected: asked, last_lines: this.lastLines }
    this.cause = this.#world.emit('service.exited', this.#of(this.stopRequest?.cause), facts).seq
    this.isDown = true
    if (this.stopRequest === undefined) this.#world.exitedByItself(this, this.cause)
    this.#changed()
    const left = this.tree === undefined ? [] : await host.processes.members(this.tree)
    if (this.#isStopping) return
    if (left.length === 0) {
      this.#finish()
      return
    }
    if (!asked && exit.code === 0 && !this.wasReady) {
      this.isDaemonized = true
      this.#world.emit('service.daemonized', this.#of(this.cause), { pids: left.map(({ pid }) => pid) })
    }
    this.beginStop()
  }

  async #stopTree(): Promise<void> {
    await this.#launched
    const { host, hooks } = this.#world
    if (this.#holds.size > 0) await within(host.clock, holdLimitMs, Promise.allSettled(this.#holds))
    const { tree } = this
    if (tree !== undefined && this.isLiving) {
      if (this.exit === undefined) {
        await hooks.beforeStop.promise(this.#at(this.#kill.signal)).catch(() => undefined)
      }
      await endTree(host, {
        tree,
        stopSignal: this.service.stop_signal,
        graceMs: this.stopRequest?.graceMs ?? this.service.stop_timeout,
        kill: this.#kill.signal,
        onStuck: (members) => {
          this.stuck = members
          this.#changed()
        },
      })
      await this.#exitSeen
    }
    this.#finish()
  }

  #finish(): void {
    if (!this.isLiving) return
    this.#starting.abort(new SysgError('SYSG_START_FAILED', { service: this.service.name, reason: 'it has ended' }))
    this.#move('end')
    this.isDown = true
    this.#world.hooks.stopped.call(this)
    this.#world.hasEnded(this)
    this.#changed()
    this.#listeners.clear()
    this.#resolveEnded()
  }

  #move(cue: InstanceCue): void {
    this.state = moveInstance(this.state, cue, this.#world.onMove)
  }

  #changed(cause?: number): void {
    this.#world.changed(this, cause)
    for (const listener of [...this.#listeners]) if (listener()) this.#listeners.delete(listener)
  }

  #of(cause = this.cause): { instance: Instance; cause: number | undefined } {
    return { instance: this, cause }
  }
}
