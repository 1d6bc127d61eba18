/**
 * When changed files become restarts. Pure but for the clock.
 *
 * A restart begins when nothing has changed for the service's `debounce`. Services that are due together are restarted
 * by one command, so that their order is kept. What changes while a service is being restarted leads to exactly one more.
 *
 * A service that writes what it watches would be restarted for ever: when the same files have changed soon after each of
 * many restarts, that is told once, and every further restart waits longer, up to five seconds.
 */
import type { Clock } from '@systemg/core'

export interface RestartWorld {
  readonly clock: Pick<Clock, 'timer' | 'monotonic'>
  /** May it be restarted? `later`: it is on its way to a state that decides. */
  mayRestart(service: string): 'yes' | 'no' | 'later'
  /** Restart these. Never rejects. */
  restart(changed: ReadonlyMap<string, readonly string[]>): Promise<void>
  /** These files change after each restart of the service. */
  loops(service: string, paths: readonly string[]): void
}

/** What has changed for a service since its last restart began. */
interface Pending {
  readonly paths: Set<string>
  debounceMs: number
  /** Steady time at which it is due. */
  dueAt: number
  cancel: () => void
}

/** Restarts in a row, each soon after the one before, that had files in common. */
interface Streak {
  readonly paths: readonly string[]
  readonly count: number
  /** Steady time at which the last one was over. */
  endedAt: number
}

/** A change so soon after a restart may come from it, ms. */
const soonMs = 2_000
/** So often it is hardly a person who saves. */
const loopCount = 10
/** It may be a person all the same. */
const longestPaceMs = 5_000
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
  readonly #streaks = new Map<string, Streak>()

  constructor(world: RestartWorld) {
    this.#world = world
  }

  changed(service: string, path: string, debounceMs: number): void {
    const pending = this.#pending.get(service) ?? { paths: new Set(), debounceMs, dueAt: 0, cancel: () => undefined }
    this.#pending.set(service, pending)
    if (pending.paths.size < pathsKept) pending.paths.add(path)
    pending.debounceMs = debounceMs
    if (!this.#running.has(service)) this.#wait(pending, this.#delayOf(service, pending))
  }

  /** It is no longer watched. */
  forget(service: string): void {
    this.#drop(service)
    this.#streaks.delete(service)
  }

  close(): void {
    for (const service of [...this.#pending.keys()]) this.forget(service)
  }

  #drop(service: string): void {
    this.#pending.get(service)?.cancel()
    this.#pending.delete(service)
  }

  /** From a change to the restart. */
  #delayOf(service: string, { debounceMs }: Pending): number {
    const streak = this.#streaks.get(service)
    const isSoon = streak !== undefined && this.#world.clock.monotonic() <= streak.endedAt + soonMs
    return isSoon ? Math.max(debounceMs, paceOf(streak)) : debounceMs
  }

  /** A restart begins because of these. */
  #count(service: string, changed: readonly string[], { debounceMs }: Pending): void {
    const last = this.#streaks.get(service)
    const isSoon =
      last !== undefined && this.#world.clock.monotonic() <= last.endedAt + soonMs + Math.max(debounceMs, paceOf(last))
    const common = isSoon ? last.paths.filter((path) => changed.includes(path)) : []
    const streak = common.length > 0 ? { paths: common, count: (last?.count ?? 0) + 1 } : { paths: changed, count: 1 }
    this.#streaks.set(service, { ...streak, endedAt: Infinity })
    if (streak.count === loopCount) this.#world.loops(service, streak.paths)
  }

  #wait(pending: Pending, delayMs: number): void {
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
      else this.#drop(service)
      if (may !== 'yes') continue
      changed.set(service, [...pending.paths])
      this.#running.add(service)
      this.#count(service, [...pending.paths], pending)
    }
    if (changed.size === 0) return
    await this.#world.restart(changed)
    for (const service of changed.keys()) {
      this.#running.delete(service)
      const streak = this.#streaks.get(service)
      if (streak !== undefined) streak.endedAt = this.#world.clock.monotonic()
      const again = this.#pending.get(service)
      if (again !== undefined) this.#wait(again, this.#delayOf(service, again))
    }
  }
}

/** How long the next restart waits at least, ms. */
const paceOf = ({ count }: Streak): number =>
  count < loopCount ? 0 : Math.min(1_000 * 2 ** (count - loopCount), longestPaceMs)
