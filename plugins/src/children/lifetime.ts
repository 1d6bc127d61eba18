/** How long children may live: ends each at its time. */
import type { Clock, PluginApi } from '@systemg/core'
import type { Child } from './child.ts'

/** Timers of a machine do not reach further than some weeks; looked at again so often, ms. */
const longestWaitMs = 86_400_000

export class Lifetimes {
  readonly #clock: Clock
  readonly #end: (child: Child, why: string) => void
  readonly #cancels = new Map<Child, () => void>()

  constructor({ host }: Pick<PluginApi, 'host'>, end: (child: Child, why: string) => void) {
    this.#clock = host.clock
    this.#end = end
  }

  /** From now on steady time counts: setting the clock ends nobody early. */
  follow(child: Child): void {
    if (child.expiresAtMs === undefined || this.#cancels.has(child)) return
    this.#wait(child, this.#clock.monotonic() + Math.max(0, child.expiresAtMs - this.#clock.now()))
  }

  forget(child: Child): void {
    this.#cancels.get(child)?.()
    this.#cancels.delete(child)
  }

  close(): void {
    for (const child of [...this.#cancels.keys()]) this.forget(child)
  }

  #wait(child: Child, dueMs: number): void {
    const leftMs = dueMs - this.#clock.monotonic()
    const next = () => (leftMs <= longestWaitMs ? this.#end(child, 'its time is over') : this.#wait(child, dueMs))
    this.#cancels.set(child, this.#clock.timer(Math.min(leftMs, longestWaitMs), next))
  }
}
