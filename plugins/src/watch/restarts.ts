/**
 * When changed files become restarts. Pure but for the clock.
 *
 * A restart begins when nothing has changed for the service's `debounce`. Services that are due together are restarted
 * by one command, so that their order is kept. What changes while a service is being restarted leads to exactly one more.
 */
import type { Clock } from '@systemg/core'

export interface RestartWorld {
  readonly clock: Pick<Clock, 'timer' | 'monotonic'>
  /** May it be restarted? `later`: it is on its way to a state that decides. */
  mayRestart(service: string): 'yes' | 'no' | 'later'
  /** Restart these. Never rejects. */
  restart(changed: ReadonlyMap<string, readonly string[]>): Promise<void>
}

/** What has changed for a service since its last restart began. */
interface Pending {
  readonly paths: Set<string>
  debounceMs: number
  /** Steady time at which it is due. */
  dueAt: number
  cancel: () => void
}

/** Timers of one moment do not fire at one moment, ms. */
const togetherMs = 20
/** How often at least a service is looked at that cannot be restarted yet, ms. */
const lookAgainMs = 100
/** More of them say no more to anybody. */
const pathsKept = 100

export class Restarts {
  readonly #world: RestartWorld
  readonly #pending = new Map<string, Pending>()
  readonly #running = new Set<string>()

  constructor(world: RestartWorld) {
    this.#world = world
  }

  changed(service: string, path: string, debounceMs: number): void {
    const pending = this.#pending.get(service) ?? { paths: new Set(), debounceMs, dueAt: 0, cancel: () => undefined }
    this.#pending.set(service, pending)
    if (pending.paths.size < pathsKept) pending.paths.add(path)
    pending.debounceMs = debounceMs
    if (!this.#running.has(service)) this.#wait(pending)
  }

  /** It is no longer watched. */
  forget(service: string): void {
    this.#pending.get(service)?.cancel()
    this.#pending.delete(service)
  }

  close(): void {
    for (const service of [...this.#pending.keys()]) this.forget(service)
  }

  #wait(pending: Pending, delayMs = pending.debounceMs): void {
    const { clock } = this.#world
    pending.cancel()
    pending.dueAt = clock.monotonic() + delayMs
    pending.cancel = clock.timer(delayMs, () => void this.#due())
  }

  async #due(): Promise<void> {
    const now = this.#world.clock.monotonic()
    const changed = new Map<string, readonly string[]>()
    for (const [service, pending] of this.#pending) {
      if (this.#running.has(service) || pending.dueAt > now + togetherMs) continue
      const may = this.#world.mayRestart(service)
      if (may === 'later') this.#wait(pending, Math.max(pending.debounceMs, lookAgainMs))
      else this.forget(service)
      if (may === 'yes') changed.set(service, [...pending.paths])
    }
    if (changed.size === 0) return
    for (const service of changed.keys()) this.#running.add(service)
    await this.#world.restart(changed)
    for (const service of changed.keys()) {
      this.#running.delete(service)
      const again = this.#pending.get(service)
      if (again !== undefined) this.#wait(again)
    }
  }
}
