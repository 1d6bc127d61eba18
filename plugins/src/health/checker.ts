/**
 * Asks one instance, again and again: until it is ready, then whether it still lives.
 *
 *   untilReady ──first success──► ready ──`retries` failures──► unhealthy
 *       │                           ▲ ◄──`success_threshold` successes──┘
 *       └──total_timeout──► rejects with the last reason
 *
 * Tries never overlap: one that does not come back is waited for before the next begins. What a try comes to after
 * `stop` is not heard of.
 */
import { formatDuration, limited, linkedTo, orAborted, pause, whyOf, within, type Clock } from '@systemg/core'
import type { HealthCheck } from './options.ts'

/** What one try came to. */
export interface Result {
  readonly healthy: boolean
  /** Why not, in words. */
  readonly reason: string | null
  /** What the probe rejected with. */
  readonly cause?: unknown
}

export interface CheckerWorld {
  readonly clock: Clock
  /** The check that is in force now; `undefined` when there is none any more. */
  check(): HealthCheck | undefined
  /** Try once. Rejects with the reason. */
  ask(check: HealthCheck, signal: AbortSignal): Promise<void>
  /** A try is over. */
  tried(result: Result, durationMs: number): void
  /** What to think of the instance from now on. */
  judged(result: Result, check: HealthCheck | undefined): void
}

/** How long a probe that is called off may take to say more than that, ms. */
const lastWordMs = 50

const fine: Result = { healthy: true, reason: null }

export class Checker {
  readonly #world: CheckerWorld
  readonly #stop = new AbortController()
  /** The try that has not come back. */
  #open: Promise<unknown> | undefined
  #isWatching = false
  #isHealthy = true
  /** Those who wait for the next try. */
  readonly #waiting: (() => void)[] = []
  /** Ends a wait when the check has changed. */
  #wake: (() => void) | undefined
  /** The check as it was seen last. */
  #seen: string | undefined

  constructor(world: CheckerWorld) {
    this.#world = world
    this.#seen = JSON.stringify(world.check())
  }

  /** Nothing more is asked, and nothing more is told. */
  stop(): void {
    this.#stop.abort(new Error('no longer asked'))
  }

  /**
   * The check may have changed: it holds from now on. One that has not is asked when it is due.
   *
   * @returns when what is known comes from the new check: at once, unless the last one found it unhealthy.
   */
  refresh(): Promise<void> {
    const check = JSON.stringify(this.#world.check())
    const hasChanged = check !== this.#seen
    this.#seen = check
    if (hasChanged) this.#wake?.()
    if (!hasChanged || this.#stop.signal.aborted) return Promise.resolve()
    if (!this.#isWatching) {
      if (this.#world.check() === undefined) this.#judge(fine, undefined)
      return Promise.resolve()
    }
    if (this.#isHealthy) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves with the first success. @throws {Error} the reason, when there was none in `total_timeout`. */
  async untilReady(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#stop.signal])
    const begunMs = this.#world.clock.monotonic()
    let last: Result | undefined
    for (;;) {
      const check = this.#world.check()
      if (check === undefined) return
      const leftMs = () => begunMs + check.total_timeout - this.#world.clock.monotonic()
      const isLast = leftMs() <= check.attempt_timeout
      const result = await this.#try(check, Math.max(0, Math.min(check.attempt_timeout, leftMs())), both)
      if (result.healthy) {
        this.#world.judged(fine, check)
        return
      }
      // A try that had less time than it is given says less than the one before.
      last = isLast && leftMs() <= 0 ? (last ?? result) : result
      const { reason, cause } = last
      this.#world.judged({ healthy: false, reason: reason ?? '' }, check)
      if (leftMs() > 0) await this.#rest(Math.min(check.start_interval, leftMs()), both)
      if (leftMs() <= 0)
        throw new Error(`not ready within ${formatDuration(check.total_timeout)}: ${reason ?? ''}`, { cause })
    }
  }

  /** It is ready: look after it from now on. Again without effect. */
  watch(): void {
    if (this.#isWatching || this.#stop.signal.aborted) return
    this.#isWatching = true
    this.#watch()
      .catch(() => undefined)
      .finally(() => {
        this.#isWatching = false
        this.#tell()
      })
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop
    let streak = 0
    for (;;) {
      const before = this.#world.check()
      if (before === undefined || isSaidOnce(before)) break
      await this.#rest(before.interval, signal)
      const check = this.#world.check()
      if (check === undefined || isSaidOnce(check)) break
      if (this.#isHealthy && check.interval > before.interval) continue
      const result = await this.#try(check, check.attempt_timeout, signal)
      streak = result.healthy === this.#isHealthy ? 0 : streak + 1
      if (streak >= (this.#isHealthy ? check.retries : check.success_threshold)) {
        this.#isHealthy = result.healthy
        streak = 0
        this.#world.judged(result, check)
      } else if (!this.#isHealthy && !result.healthy) this.#world.judged(result, check)
      this.#tell()
    }
    this.#judge(fine, this.#world.check())
  }

  /** Nobody asks any more: what was said last no longer holds. */
  #judge(result: Result, check: HealthCheck | undefined): void {
    if (this.#isHealthy) return
    this.#isHealthy = true
    this.#world.judged(result, check)
  }

  async #rest(ms: number, signal: AbortSignal): Promise<void> {
    const { controller, unlink } = linkedTo(signal)
    this.#wake = () => controller.abort()
    try {
      await pause(this.#world.clock, ms, controller.signal)
    } catch {
      signal.throwIfAborted()
    } finally {
      this.#wake = undefined
      unlink()
    }
  }

  async #try(check: HealthCheck, limitMs: number, signal: AbortSignal): Promise<Result> {
    const { clock } = this.#world
    const startMs = clock.monotonic()
    const result = await this.#askWithin(check, limitMs, signal)
    signal.throwIfAborted()
    this.#world.tried(result, Math.round(clock.monotonic() - startMs))
    return result
  }

  async #askWithin(check: HealthCheck, limitMs: number, signal: AbortSignal): Promise<Result> {
    const { clock } = this.#world
    const startMs = clock.monotonic()
    if (this.#open !== undefined && !(await within(clock, limitMs, this.#open)))
      return failed('timeout: an earlier try has not come back')
    signal.throwIfAborted()
    const timeout = new Error(`timeout: no answer within ${formatDuration(limitMs)}`)
    const leftMs = Math.max(0, limitMs - (clock.monotonic() - startMs))
    const limit = limited(clock, leftMs, timeout, signal)
    const asking = Promise.resolve().then(() => this.#world.ask(check, limit.signal))
    const settled = asking.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    const open = settled.finally(() => {
      if (this.#open === open) this.#open = undefined
    })
    this.#open = open
    try {
      await orAborted(asking, limit.signal)
      return fine
    } catch (thrown) {
      signal.throwIfAborted()
      const said = thrown === timeout && (await within(clock, lastWordMs, settled)) ? await settled : thrown
      return failed(whyOf(said ?? timeout), said)
    } finally {
      limit.end()
    }
  }
}

const failed = (reason: string, cause?: unknown): Result => ({ healthy: false, reason, cause })

/** What a program says once holds as long as it lives: there is nothing to ask. */
const isSaidOnce = ({ probe }: HealthCheck): boolean => probe === 'log' || probe === 'notify'
