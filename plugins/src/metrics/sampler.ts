/**
 * Measures all instances that run, by one look at the machine: when somebody asks, and by itself now and then.
 *
 * While people look (`status`, `inspect`), and for a minute afterwards, it does so every `interval`; otherwise every
 * 30 seconds. CPU time adds up in the kernel, so what is used between two looks is known however far apart they are.
 */
import { whyOf, type Host, type InstanceInfo, type TreeRef } from '@systemg/core'
import { Meter } from './meter.ts'

/** How long somebody who has looked counts as looking, ms. */
const lookingMs = 60_000
/** When nobody looks, ms. */
const calmMs = 30_000
/** What was measured so short a time ago is new enough, ms. */
const freshMs = 1_000

export interface Metered {
  readonly instance: InstanceInfo
  readonly meter: Meter
}

export class Sampler {
  readonly #host: Host
  readonly #onSample: () => void
  readonly #metered = new Map<string, Metered>()
  #intervalMs = calmMs
  #sampling: Promise<void> | undefined
  #sampledAt = Number.NEGATIVE_INFINITY
  /** Somebody new has not been measured. */
  #isBehind = false
  #lookedAt = Number.NEGATIVE_INFINITY
  #dueAt = Number.POSITIVE_INFINITY
  #cancelTimer: (() => void) | undefined
  #isFailing = false

  /** @param onSample - Called after what it has measured by itself. */
  constructor(host: Host, onSample: () => void = () => undefined) {
    this.#host = host
    this.#onSample = onSample
  }

  get all(): Iterable<Metered> {
    return this.#metered.values()
  }

  of(instanceId: string): Meter | undefined {
    return this.#metered.get(instanceId)?.meter
  }

  configure(intervalMs: number): void {
    this.#intervalMs = intervalMs
    this.#arm()
  }

  add(instance: InstanceInfo, { isNew }: { readonly isNew: boolean }): void {
    const meter = new Meter(isNew ? this.#host.clock.monotonic() : undefined)
    this.#metered.set(instance.id, { instance, meter })
    this.#isBehind = true
    this.#arm()
  }

  /** Nothing of it lives. Returns what it was measured by. */
  remove({ id }: InstanceInfo): Meter | undefined {
    const meter = this.of(id)
    this.#metered.delete(id)
    if (this.#metered.size === 0) this.#disarm()
    return meter
  }

  /** Somebody looks: for a while measure oftener. */
  looked(): void {
    this.#lookedAt = this.#host.clock.monotonic()
    this.#arm()
  }

  /** Measure, unless that was done just now. Resolves when it is done. */
  fresh(): Promise<void> {
    const isFresh = !this.#isBehind && this.#host.clock.monotonic() - this.#sampledAt < freshMs
    return isFresh || this.#metered.size === 0 ? Promise.resolve() : this.#sample()
  }

  close(): void {
    this.#disarm()
    this.#metered.clear()
  }

  #sample(): Promise<void> {
    this.#sampling ??= this.#measure()
      .catch((thrown: unknown) => {
        if (!this.#isFailing) this.#host.trace('warn', `CPU and memory can't be measured: ${whyOf(thrown)}`)
        this.#isFailing = true
      })
      .finally(() => (this.#sampling = undefined))
    return this.#sampling
  }

  async #measure(): Promise<void> {
    const metered = [...this.#metered.values()].flatMap(({ instance, meter }) =>
      instance.tree === undefined ? [] : [{ meter, tree: instance.tree satisfies TreeRef }],
    )
    this.#isBehind = false
    const usages = await this.#host.processes.usage(metered.map(({ tree }) => tree))
    const at = this.#host.clock.monotonic()
    for (const [index, { meter }] of metered.entries()) meter.take(usages[index], at)
    this.#sampledAt = at
    this.#isFailing = false
  }

  get #everyMs(): number {
    const isLookedAt = this.#host.clock.monotonic() - this.#lookedAt < lookingMs
    return isLookedAt ? this.#intervalMs : Math.max(this.#intervalMs, calmMs)
  }

  /** Have the timer fire when the next look is due, at the latest. */
  #arm(): void {
    if (this.#metered.size === 0) return
    const now = this.#host.clock.monotonic()
    // What has just been started is soon looked at for the first time.
    const everyMs = this.#isBehind ? this.#intervalMs : this.#everyMs
    const dueAt = now + everyMs
    if (dueAt >= this.#dueAt) return
    this.#disarm()
    this.#dueAt = dueAt
    this.#cancelTimer = this.#host.clock.timer(everyMs, () => {
      this.#dueAt = Number.POSITIVE_INFINITY
      void this.#sample().then(() => {
        if (this.#metered.size > 0) this.#onSample()
        this.#arm()
      })
    })
  }

  #disarm(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
  }
}
