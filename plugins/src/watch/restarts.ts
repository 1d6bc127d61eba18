/**
 * When changed files become restarts. Pure but for the clock.
 *
 * A restart begins when nothing has changed for the service's `debounce`. Services that are due together are restarted
 * by one command, so that their order is kept. What changes while a service is being restarted leads to exactly one more.
 *
 * A service that writes what it watches would be restarted for ever: when files have changed soon after each of many
 * restarts, or always as long after it as the time before, that is told once, and every further restart waits longer, up
 * to five seconds. A person who saves files is not that regular.
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
  /** Steady time of the first change. */
  readonly firstAt: number
  debounceMs: number
  /** Steady time at which it is due. */
  dueAt: number
  cancel: () => void
}

/** Restarts in a row, each of which may have led to the next. */
interface Streak {
  /** What changed each time or, if that is nothing, the last time. */
  readonly paths: readonly string[]
  readonly count: number
  /** From the end of the one before to the first change, ms. */
  readonly gapMs: number | undefined
  /** Steady time at which the last one was over. */
  endedAt: number
}

/** A change so soon after a restart may come from it, ms. */
const soonMs = 2_000
/** So does one that always comes as long after it, up to this, ms. */
const latestMs = 30_000
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
    const firstAt = this.#world.clock.monotonic()
    const begun = { paths: new Set<string>(), firstAt, debounceMs, dueAt: 0, cancel: () => undefined }
    const pending = this.#pending.get(service) ?? begun
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

  /** From the last change to the restart. A longer wait begins with the first one: others do not cut it short. */
  #delayOf(service: string, pending: Pending): number {
    const streak = this.#streaks.get(service)
    if (streak === undefined || !goesOn(streak, pending)) return pending.debounceMs
    return Math.max(pending.debounceMs, pending.firstAt + paceOf(streak) - this.#world.clock.monotonic())
  }

  /** A restart begins because of these. */
  #count(service: string, changed: readonly string[], pending: Pending): void {
    const last = this.#streaks.get(service)
    const gapMs = last === undefined ? undefined : gapOf(last, pending)
    const count = last !== undefined && goesOn(last, pending) ? last.count + 1 : 1
    const common = count === 1 ? [] : (last?.paths ?? []).filter((path) => changed.includes(path))
    const paths = common.length > 0 ? common : changed
    this.#streaks.set(service, { paths, count, gapMs, endedAt: Infinity })
    if (count === loopCount) this.#world.loops(service, paths)
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

const gapOf = ({ endedAt }: Streak, { firstAt }: Pending): number => firstAt - endedAt

/** The change may come from the last restart. */
const goesOn = (streak: Streak, pending: Pending): boolean => {
  const gapMs = gapOf(streak, pending)
  return gapMs <= soonMs || (gapMs <= latestMs && streak.gapMs !== undefined && isAlike(gapMs, streak.gapMs))
}

/** But for chance. */
const isAlike = (ms: number, other: number): boolean => Math.abs(ms - other) <= Math.max(250, 0.1 * other)

/** How long the next restart waits at least, ms. */
const paceOf = ({ count }: Streak): number =>
  count < loopCount ? 0 : Math.min(1_000 * 2 ** (count - loopCount), longestPaceMs)
