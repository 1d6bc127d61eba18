/** One replica being replaced: what a strategy works with, and how it is taken back. */
import type { ResolvedService } from './config/types.ts'
import type { DeployWorld } from './deploy-world.ts'
import { describeEnd, describeUnhealthy } from './explain.ts'
import type { LaunchSpec } from './launch-spec.ts'
import type { InstanceInfo } from './instance-info.ts'
import type { Instance } from './instance.ts'
import type { Replica } from './replica.ts'
import type { Service } from './service.ts'
import type { Replacement } from './strategy.ts'
import { linkedTo, orAborted, pause } from './wait.ts'

/** What a strategy works with, for one replica. */
export class ReplicaReplacement implements Replacement {
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
      { service: this.#of.name, cause: this.#cause, ...(this.#new === undefined ? {} : { instance: this.#new }) },
      { step: name, replica: this.replica },
    )
    return body()
  }

  async launch(refine?: (spec: LaunchSpec) => LaunchSpec): Promise<InstanceInfo> {
    this.#check()
    if (this.#new?.isLiving === true) throw new Error('a strategy may have one new instance at a time')
    this.#new = this.#world.launch(this.#of, this.#replica, this.service, refine)
    await this.#until(this.#new, ({ startedAt }) => startedAt !== undefined)
    return this.#new
  }

  async ready(): Promise<void> {
    this.#check()
    await this.#until(this.#expectNew(), ({ isServing }) => isServing)
  }

  promote(): void {
    this.#check()
    const instance = this.#expectNew()
    if (instance.isDown) throw endOf(instance)
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
    const { controller: over, unlink } = linkedTo(this.signal)
    const instance = this.#new
    const isBad = () => {
      if (instance?.isDown === true) over.abort(endOf(instance))
      else if (instance?.state === 'unhealthy') over.abort(new Error(describeUnhealthy(instance.unhealthyReason)))
      return over.signal.aborted
    }
    if (!isBad()) instance?.onChange(isBad)
    try {
      await pause(this.#world.clock, ms, over.signal)
    } finally {
      unlink()
    }
  }

  /** Whatever the strategy left open: the new instance serves, the old one is gone. */
  async finish(): Promise<void> {
    const instance = this.#expectNew()
    if (!hasCompleted(instance)) {
      if (instance.isDown) throw endOf(instance)
      this.promote()
    }
    await this.retire()
  }

  /** What has been launched. */
  get launched(): InstanceInfo | undefined {
    return this.#new
  }

  /** The old instance serves again, if it lives. */
  handBack(): void {
    const old = this.#old
    if (this.#new === undefined || old?.canServe !== true || this.#replica.active === old) return
    this.#handOver(this.#new, old)
    this.#replica.spec = old.service
  }

  /** Remove the new instance, unless it is all there is. */
  async remove(detail: string): Promise<void> {
    const instance = this.#new
    if (instance === undefined || instance === this.#replica.active) return
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

  /** Rejects when the instance is down, unless it has done all that it had to do. */
  #until(instance: Instance, holds: (instance: Instance) => boolean): Promise<void> {
    const held = new Promise<void>((resolve, reject) => {
      const look = () => {
        if (holds(instance) || hasCompleted(instance)) resolve()
        else if (instance.isDown) reject(endOf(instance))
        else return false
        return true
      }
      if (!look()) instance.onChange(look)
    })
    return orAborted(held, this.signal)
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

/** A job that is done: nobody asked for its end, and nothing else served meanwhile. A candidate has to stay. */
const hasCompleted = ({ isDown, role, stopRequest, exit, service }: Instance): boolean =>
  isDown &&
  role === 'active' &&
  stopRequest === undefined &&
  exit !== undefined &&
  service.success_exit_codes.includes(exit.code ?? -1)

/** Why an instance is down, with what it wrote last. */
const endOf = (instance: Instance): Error =>
  Object.assign(new Error(describeEnd(instance), { cause: instance.failure }), { lastLines: instance.lastLines })
