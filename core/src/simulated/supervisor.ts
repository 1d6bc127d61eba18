/**
 * The life of one supervisor, which everything its host does goes through.
 *
 * Killing it is `SIGKILL`: nothing it set up ever fires, no promise it was given ever settles, and code of it that is
 * still running can do nothing more to the world.
 */
import type { Faults } from './faults.ts'
import type { Timeline } from './timeline.ts'

export class Supervisor {
  readonly pid: number
  /** Wall clock, ms. */
  readonly startedAt: number
  readonly #timeline: Timeline
  readonly #faults: Faults
  readonly #endings = new Set<() => void>()
  #isAlive = true

  constructor(pid: number, timeline: Timeline, faults: Faults) {
    this.pid = pid
    this.startedAt = timeline.now()
    this.#timeline = timeline
    this.#faults = faults
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  kill(): void {
    if (!this.#isAlive) return
    this.#isAlive = false
    this.#timeline.cancelAllOf(this)
    for (const end of [...this.#endings]) end()
    this.#endings.clear()
  }

  /** Have `end` called when the supervisor is killed. Returns how to take that back. */
  onKilled(end: () => void): () => void {
    this.#endings.add(end)
    return () => void this.#endings.delete(end)
  }

  /** An asynchronous port call. Its effect is immediate; the answer comes after `faults.latencyMs`, to the living only. */
  call<T>(name: string, act: () => T | Promise<T>): Promise<T> {
    return new Promise<T>((resolve) => {
      this.#faults.beforeCall?.(name, this)
      if (!this.#isAlive) return
      const outcome = new Promise<T>((done) => done(act()))
      const answer = () => {
        if (this.#isAlive) resolve(outcome)
      }
      const answerLate = () => {
        const delayMs = this.#faults.latencyMs?.(name) ?? 0
        if (delayMs > 0) this.#timeline.after(delayMs, answer)
        else answer()
      }
      outcome.then(answerLate, answerLate)
    })
  }

  /** A synchronous port call that changes the world; without effect when the supervisor is dead. */
  effect(name: string, act: () => void): void {
    this.#faults.beforeCall?.(name, this)
    if (this.#isAlive) act()
  }
}
