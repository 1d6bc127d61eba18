/**
 * One deploy of one service: its running replicas are replaced by its strategy, one at a time, so that a failure at any
 * step leaves the instance that serves untouched. A replica that is scaled away meanwhile is left out; one that comes
 * waits until the end, and then runs what the others do.
 */
import type { ResolvedService } from './config/types.ts'
import { describeEnd } from './explain.ts'
import { SysgError, whyOf } from './errors.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Clock } from './host.ts'
import type { InstanceInfo, LaunchSpec } from './hooks.ts'
import type { Instance } from './instance.ts'
import type { Replica } from './replica.ts'
import type { Service } from './service.ts'
import type { Replacement, Strategy } from './strategy.ts'
import { orAborted, pause } from './wait.ts'

/** What a deploy needs of its system. */
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
  stop(instance: Instance, detail: string): void
  /** A replica's deploy is over and nothing of it is active: what becomes of it is the policy's decision. */
  settle(service: Service, replica: Replica): void
  /** A replica that does not run: start it as on boot, and resolve when it is ready. @throws {SysgError} why it is not. */
  bringUp(service: Service, replica: Replica, signal: AbortSignal): Promise<void>
  changed(service: Service, cause?: number): void
}

/** Whether an instance is one of those to be replaced. */
export type IsOld = (instance: Instance) => boolean

export class Deploy {
  readonly target: ResolvedService
  readonly strategy: Strategy
  /** Settles when nothing of the deploy is left to do. Undefined when it went well. */
  result: Promise<SysgError | undefined> = Promise.resolve(undefined)
  readonly #controller = new AbortController()
  readonly #service: Service
  readonly #world: DeployWorld
  readonly #run: { step: string } = { step: 'start' }
  readonly #isOld: IsOld
  /** The replica it is at. */
  #current: { readonly replica: Replica; readonly leftOut: AbortController } | undefined
  #cause: number | undefined

  constructor(
    service: Service,
    target: ResolvedService,
    strategy: Strategy,
    world: DeployWorld,
    options: { readonly isOld: IsOld; readonly cause: number | undefined },
  ) {
    this.target = target
    this.strategy = strategy
    this.#service = service
    this.#world = world
    this.#isOld = options.isOld
    this.#cause = options.cause
  }

  begin(): void {
    this.result = this.#perform()
  }

  /** End it. What it started is removed; what served goes on. */
  abort(error: SysgError, step?: string): void {
    if (step !== undefined) this.#run.step = step
    this.#controller.abort(error)
  }

  /** Only these replicas are still wanted. What is at work on another one ends, and that is no failure. */
  keepTo(wanted: readonly Replica[]): void {
    if (this.#current === undefined || wanted.includes(this.#current.replica)) return
    this.#current.leftOut.abort(new Error('it was scaled away'))
  }

  async #perform(): Promise<SysgError | undefined> {
    const { clock } = this.#world
    const startMs = clock.monotonic()
    const facts = { strategy: this.strategy.name, replicas: this.#service.wantedReplicas }
    this.#cause = this.#emit('deploy.started', facts).seq
    const run = this.#run
    try {
      for (const replica of this.#service.wanted.filter(({ isNew }) => !isNew)) {
        this.#controller.signal.throwIfAborted()
        if (this.#service.wanted.includes(replica) && !replica.isNew) await this.#replaceUnlessLeftOut(replica, run)
      }
    } catch (thrown) {
      const error = this.#errorOf(thrown, run.step)
      this.#emit('deploy.rolled_back', { step: run.step, reason: whyOf(error) })
      return error
    }
    this.#emit('deploy.succeeded', { duration_ms: Math.round(clock.monotonic() - startMs) })
    return undefined
  }

  async #replaceUnlessLeftOut(replica: Replica, run: { step: string }): Promise<void> {
    const leftOut = new AbortController()
    this.#current = { replica, leftOut }
    try {
      await this.#replace(replica, run, AbortSignal.any([this.#controller.signal, leftOut.signal]))
    } catch (thrown) {
      if (!leftOut.signal.aborted || this.#controller.signal.aborted) throw thrown
    } finally {
      this.#current = undefined
    }
  }

  async #replace(replica: Replica, run: { step: string }, signal: AbortSignal): Promise<void> {
    if (replica.active === undefined) {
      replica.spec = this.target
      await this.#world.bringUp(this.#service, replica, signal)
      return
    }
    if (this.#isOld(replica.active)) await this.#replaceActive(replica, run, signal)
  }

  async #replaceActive(replica: Replica, run: { step: string }, signal: AbortSignal): Promise<void> {
    replica.isDeploying = true
    const context = new ReplicaReplacement(this.#service, replica, this.target, signal, this.#world, run, this.#cause)
    try {
      await orAborted(this.strategy.run(context), signal)
      await orAborted(context.finish(), signal)
    } catch (thrown) {
      await context.undo(whyOf(thrown))
      throw thrown
    } finally {
      context.close()
      replica.isDeploying = false
      if (replica.active === undefined) this.#world.settle(this.#service, replica)
      replica.endedMeanwhile = undefined
      this.#world.changed(this.#service, this.#cause)
    }
  }

  #errorOf(thrown: unknown, step: string): SysgError {
    if (thrown instanceof SysgError && thrown.code !== 'SYSG_START_FAILED') return thrown
    const facts = { service: this.#service.name, step, reason: whyOf(thrown) }
    return new SysgError('SYSG_DEPLOY_FAILED', facts, { cause: thrown })
  }

  #emit<T extends EventType>(type: T, data: EventData[T]): SysgEvent {
    return this.#world.emit(type, { service: this.#service.name, cause: this.#cause }, data)
  }
}

/** What a strategy works with, for one replica. */
class ReplicaReplacement implements Replacement {
  readonly service: ResolvedService
  readonly signal: AbortSignal
  readonly #of: Service
  readonly #replica: Replica
  readonly #world: DeployWorld
  readonly #run: { step: string }
  readonly #old: Instance | undefined
  readonly #cause: number | undefined
  #new: Instance | undefined
  #isOpen = true

  constructor(
    of: Service,
    replica: Replica,
    target: ResolvedService,
    signal: AbortSignal,
    world: DeployWorld,
    run: { step: string },
    cause: number | undefined,
  ) {
    this.service = target
    this.signal = signal
    this.#of = of
    this.#replica = replica
    this.#world = world
    this.#run = run
    this.#old = replica.active
    this.#cause = cause
  }

  get replica(): number {
    return this.#replica.index
  }

  get active(): InstanceInfo | undefined {
    return this.#replica.active
  }

  async step<T>(name: string, body: () => Promise<T>): Promise<T> {
    this.#check()
    this.#run.step = name
    this.#world.emit(
      'deploy.step',
      { service: this.#of.name, cause: this.#cause },
      { step: name, replica: this.replica },
    )
    return body()
  }

  async launch(refine?: (spec: LaunchSpec) => LaunchSpec): Promise<InstanceInfo> {
    this.#check()
    if (this.#new?.isLiving === true) throw new Error('a strategy may have one new instance at a time')
    this.#new = this.#world.launch(this.#of, this.#replica, this.service, refine)
    return this.#new
  }

  ready(): Promise<void> {
    this.#check()
    const instance = this.#expectNew()
    const ready = new Promise<void>((resolve, reject) => {
      const look = () => {
        if (instance.isDown) reject(new Error(describeEnd(instance)))
        else if (instance.isServing) resolve()
        else return false
        return true
      }
      if (!look()) instance.onChange(look)
    })
    return orAborted(ready, this.signal)
  }

  promote(): void {
    this.#check()
    const instance = this.#expectNew()
    if (instance === this.#replica.active) return
    this.#handOver(this.#replica.active, instance)
    this.#replica.spec = this.service
  }

  async retire(): Promise<void> {
    this.#check()
    const old = this.#old
    if (old === undefined) return
    if (old === this.#replica.active && this.#new?.isLiving === true) this.promote()
    this.#world.stop(old, 'replaced')
    await orAborted(old.ended, this.signal)
  }

  async pause(ms: number): Promise<void> {
    this.#check()
    const over = new AbortController()
    const onAbort = () => over.abort(this.signal.reason)
    this.signal.addEventListener('abort', onAbort, { once: true })
    const instance = this.#new
    instance?.onChange(() => {
      if (instance.isDown) over.abort(new Error(describeEnd(instance)))
      return instance.isDown
    })
    try {
      await pause(this.#world.clock, ms, over.signal)
    } finally {
      this.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Whatever the strategy left open: the new instance serves, the old one is gone. */
  async finish(): Promise<void> {
    const instance = this.#expectNew()
    if (instance.isDown) throw new Error(describeEnd(instance))
    this.promote()
    await this.retire()
  }

  /** Remove the new instance; the old one serves again if it lives. */
  async undo(detail: string): Promise<void> {
    const instance = this.#new
    if (instance === undefined) return
    const old = this.#old
    if (old?.isServing === true && this.#replica.active !== old) {
      this.#handOver(instance, old)
      this.#replica.spec = old.service
    }
    if (instance === this.#replica.active) return
    this.#world.stop(instance, detail)
    await instance.ended
  }

  close(): void {
    this.#isOpen = false
  }

  #handOver(from: Instance | undefined, to: Instance): void {
    if (from !== undefined) from.role = 'retired'
    to.role = 'active'
    this.#replica.active = to
    this.#world.record(from === undefined ? [to] : [from, to])
    const facts = { replica: this.replica, from: from?.id ?? null, to: to.id }
    this.#world.emit('deploy.switched', { service: this.#of.name, instance: to, cause: this.#cause }, facts)
    this.#world.changed(this.#of, this.#cause)
  }

  #expectNew(): Instance {
    if (this.#new === undefined) throw new Error('the strategy did not launch a new instance')
    return this.#new
  }

  /** A strategy that goes on after its deploy has ended gets nothing any more. */
  #check(): void {
    this.signal.throwIfAborted()
    if (!this.#isOpen) throw new Error('this deploy has ended')
  }
}
