/** What plugins still do for an instance that is about to end: it does not count as ended before that has settled. */
import type { Clock } from './host.ts'
import { within } from './wait.ts'

/** How long an instance waits for it, ms. */
const limitMs = 10_000

export class Holds {
  readonly #works = new Set<Promise<unknown>>()

  readonly add = (work: Promise<unknown>): void => {
    this.#works.add(work)
    const release = () => void this.#works.delete(work)
    work.then(release, release)
  }

  /** Resolves when nothing is held any more, or the time is over. */
  async released(clock: Clock): Promise<void> {
    if (this.#works.size > 0) await within(clock, limitMs, Promise.allSettled(this.#works))
  }
}
