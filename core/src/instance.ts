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
import { describeStopRequest } from './explain.ts'
import { Holds } from './holds.ts'
import type { Adopted, Exit, Spawned, SpawnSpec, TreeRef } from './host.ts'
import type { ReadyGate } from './hooks.ts'
import { InstanceFacts } from './instance-facts.ts'
import type { InstanceAt } from './instance-info.ts'
import type { InstanceStart, InstanceWorld, StopRequest } from './instance-world.ts'
import type { InstanceRecord } from './journal.ts'
import { finishSpec, identityOf, prepareSpec, specOf, type LaunchSpec } from './launch-spec.ts'
import { untilReady } from './readiness.ts'
import { moveInstance, type InstanceCue } from './states.ts'

export class Instance extends InstanceFacts {
  /** Resolves when nothing of it lives. Never rejects. */
  readonly ended: Promise<void>

  readonly #world: InstanceWorld
  /** Aborts everything that leads to `ready`. */
  readonly #starting = new AbortController()
  readonly #kill = new AbortController()
  readonly #resolveEnded: () => void
  readonly #holds = new Holds()
  #launched: Promise<void> = Promise.resolve()
  #exitSeen: Promise<void> = Promise.resolve()
  #isStopping = false
  #isFinishing = false
  readonly #listeners = new Set<() => boolean>()

  constructor(start: InstanceStart, world: InstanceWorld) {
    super(start, world.host.clock)
    this.#world = world
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#resolveEnded = resolve
  }

  /** Prepare and launch. `refine` has the last word over the launch spec. */
  begin(refine: (spec: LaunchSpec) => LaunchSpec = (spec) => spec): void {
    this.#launched = this.#launch(refine).catch((thrown: unknown) => {
      if (this.#starting.signal.aborted) return
      this.failure = thrown instanceof SysgError ? thrown : this.#startFailed(whyOf(thrown), thrown)
      this.lastLines = this.failure.lastLines ?? []
      this.exitAt = this.#world.host.clock.now()
      this.#finish()
    })
  }

  /** Go on with a process that an earlier supervisor started. */
  adopt(spawned: Adopted, record: InstanceRecord): void {
    this.tree = spawned.tree
    this.startedAt = record.startedAt
    this.wasReady = record.wasReady
    this.launch = specOf(this.service, { env: { ...spawned.env, ...record.marks, ...this.#identity } })
    this.#watch(spawned)
    this.#world.hooks.adopted.call(this, { ready: record.wasReady })
    const gates = this.#gates()
    const { pid } = spawned.tree
    const startedAt = record.startedAt === undefined ? null : new Date(record.startedAt).toISOString()
    this.#world.emit('instance.adopted', this.#of(), { pid, ...this.place, role: this.role, started_at: startedAt })
    if (record.wasReady) this.#becomeReady()
    else this.#awaitReady(gates)
  }

  /** Go on under a config that differs in live keys alone. */
  takeUp(service: ResolvedService): void {
    this.service = service
    if (this.state === 'ready' || this.state === 'unhealthy') this.#gates()
  }

  /** Its tracked process ended while no supervisor ran. `remains` of its tree are ended. */
  lose(exit: Exit, record: InstanceRecord, remains: TreeRef | undefined): void {
    this.tree = record.tree ?? remains
    this.startedAt = record.startedAt
    this.launch = specOf(this.service, { env: { ...record.marks, ...this.#identity } })
    this.wasReady = record.wasReady
    this.exit = exit
    this.exitAt = this.#world.host.clock.now()
    const facts = { pid: record.tree?.pid ?? null, ...this.part, ...this.oneOff, exit, expected: false, last_lines: [] }
    this.cause = this.#world.emit('service.exited', this.#of(), facts).seq
    this.isDown = true
    if (remains === undefined && this.#belongings().length === 0) this.#finish()
    else this.beginStop()
  }

  /** Ask it to stop. It begins when the system says so (`beginStop`), since dependents go first. Later requests change nothing but a shorter grace. */
  requestStop(request: StopRequest): void {
    if (!this.isLiving || this.stopRequest !== undefined) return
    this.stopRequest = request
    this.#starting.abort(this.#startFailed('stopped before it was ready'))
    this.#changed(request.cause)
  }

  /** Send the stop signal now, and SIGKILL after the grace. */
  beginStop(): void {
    if (!this.isLiving || this.#isStopping) return
    this.#isStopping = true
    this.#move('stop')
    const cause = this.stopRequest === undefined ? this.cause : this.stopRequest.cause
    const why = this.stopRequest === undefined ? 'ending what it left behind' : describeStopRequest(this.stopRequest)
    this.#world.emit('instance.stopping', this.#of(cause), { pid: this.pid ?? null, why })
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
    const before = this.unhealthyReason
    this.unhealthyReason = healthy ? undefined : (reason ?? 'its health check fails')
    if (healthy && this.state === 'unhealthy') this.#turn('healthy')
    else if (!healthy && this.state === 'ready') this.#turn('unhealthy')
    else if (before !== this.unhealthyReason) this.#changed()
  }

  #turn(cue: 'healthy' | 'unhealthy'): void {
    this.#move(cue)
    const facts = { pid: this.pid ?? null, replica: this.replica }
    const { unhealthyReason: reason } = this
    const { seq } =
      reason === undefined
        ? this.#world.emit('instance.healthy', this.#of(), facts)
        : this.#world.emit('instance.unhealthy', this.#of(), { ...facts, reason })
    this.cause = seq
    this.#changed(seq)
  }

  readonly #at = (signal: AbortSignal): InstanceAt => ({
    service: this.service,
    instance: this,
    signal,
    hold: this.#holds.add,
  })

  async #launch(refine: (spec: LaunchSpec) => LaunchSpec): Promise<void> {
    const { hooks, host } = this.#world
    const { signal } = this.#starting
    const at = this.#at(signal)
    const { inputs = {}, ...prepared } = refine(await prepareSpec(this.service, this.#world, at))
    this.service = madeOf(this.service, inputs)
    await hooks.beforeStart.promise(at)
    signal.throwIfAborted()
    this.launch = finishSpec(prepared, this.#identity, host.env)
    this.#world.record([this])
    const keepsExit = this.#world.isAwaited(this.service)
    const launched = await this.#spawn({ ...this.launch, token: this.token, keepsExit })
    this.tree = launched.tree
    this.startedAt = host.clock.now()
    this.#world.record([this])
    this.#watch(launched)
    hooks.started.call(this)
    const role = this.role === 'candidate' ? 'candidate' : 'active'
    const gates = signal.aborted ? [] : this.#gates()
    const { state } = this
    const facts = { pid: launched.tree.pid, ...this.place, role, state, argv: this.launch.argv } as const
    this.cause = this.#world.emit('instance.started', this.#of(), facts).seq
    this.#changed()
    if (!signal.aborted) this.#awaitReady(gates)
  }

  /** From here on a stop must wait: whoever launches may already have a process. */
  async #spawn(spec: SpawnSpec): Promise<Spawned> {
    const { hooks, host } = this.#world
    const at = this.#at(new AbortController().signal)
    const launched = (await hooks.launch.promise(spec, at)) ?? (await host.processes.spawn(spec))
    if (!('errno' in launched)) return launched
    const { errno, message } = launched
    const [program] = spec.argv
    const why = message.includes(program) ? message : `${program}: ${message}`
    const wrapped = spec.argv.at(-(spec.programWords ?? spec.argv.length))
    throw new SysgError('SYSG_SPAWN_FAILED', { service: this.service.name, errno, why, program: wrapped })
  }

  get #identity(): Readonly<Record<string, string>> {
    return identityOf(this, this.#world.project)
  }

  /** What says that it is ready, besides time. */
  #gates(): readonly ReadyGate[] {
    const gates = this.#world.hooks.ready.call([], this.#at(this.#starting.signal))
    this.isGated = gates.length > 0
    return gates
  }

  #awaitReady(gates: readonly ReadyGate[]): void {
    const { signal } = this.#starting
    const at = this.#at(signal)
    untilReady(gates, at, this.#world.host.clock).then(
      () => this.#becomeReady(),
      (thrown: unknown) => {
        if (signal.aborted || this.exit !== undefined || !this.isLiving) return
        const detail = whyOf(thrown)
        this.failure = this.#startFailed(detail, thrown)
        this.requestStop({ why: 'not ready', detail, crash: true })
      },
    )
  }

  #becomeReady(): void {
    if (this.state !== 'starting' || this.exit !== undefined || this.stopRequest !== undefined) return
    this.#move('ready')
    this.readyAt = this.#world.host.clock.monotonic()
    this.unhealthyReason = undefined
    // Of one that is adopted that has been recorded.
    if (!this.wasReady) {
      this.wasReady = true
      this.#world.record([this])
    }
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
    this.exitMonotonic = host.clock.monotonic()
    this.#starting.abort(this.#startFailed('it ended before it was ready'))
    const run = { instance: this, exit, signal: this.#kill.signal }
    this.lastLines = await hooks.exited.promise([], run).catch(() => [])
    const facts = { pid: this.pid ?? null, ...this.part, exit, expected: asked, last_lines: this.lastLines }
    this.cause = this.#world.emit('service.exited', this.#of(this.stopRequest?.cause), facts).seq
    this.isDown = true
    if (this.stopRequest === undefined) this.#world.exitedByItself(this, this.cause)
    this.#changed()
    const left = this.tree === undefined ? [] : await host.processes.members(this.tree)
    if (this.#isStopping) return
    if (left.length === 0 && this.#belongings().length === 0) {
      this.#finish()
      return
    }
    if (left.length > 0 && !asked && exit.code === 0 && !this.wasReady) {
      this.isDaemonized = true
      this.#world.emit('service.daemonized', this.#of(this.cause), { pids: left.map(({ pid }) => pid) })
    }
    this.beginStop()
  }

  async #stopTree(): Promise<void> {
    await this.#launched
    const { host, hooks } = this.#world
    await this.#holds.released(host.clock)
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

  /** What belongs to it and is not over. */
  #belongings(): readonly Promise<unknown>[] {
    return this.#world.hooks.ending.call([], this)
  }

  #finish(): void {
    if (!this.isLiving || this.#isFinishing) return
    this.#isFinishing = true
    const works = this.#belongings()
    if (works.length === 0) this.#end()
    else void Promise.allSettled(works).then(() => this.#end())
  }

  #end(): void {
    this.#starting.abort(this.#startFailed('it has ended'))
    this.#move('end')
    this.isDown = true
    this.cause = this.#world.emit('instance.ended', this.#of(), { pid: this.pid ?? null, ...this.part }).seq
    this.#world.hooks.stopped.call(this)
    this.#world.hasEnded(this)
    this.#changed()
    this.#listeners.clear()
    this.#resolveEnded()
  }

  #startFailed(reason: string, cause?: unknown): SysgError {
    return new SysgError('SYSG_START_FAILED', { service: this.service.name, reason }, { cause })
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
