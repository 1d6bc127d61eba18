/** Things that changed are looked at again, one at a time, until nothing changes any more; then those who wait are asked. */
export class WakeQueue<T> {
  readonly #woken = new Set<T>()
  readonly #waiters = new Set<() => boolean>()
  readonly #look: (thing: T) => void
  readonly #bug: (thrown: unknown) => void
  #isBusy = false

  /** @param bug - Told when `look` throws; the others are still looked at. */
  constructor(look: (thing: T) => void, bug: (thrown: unknown) => void) {
    this.#look = look
    this.#bug = bug
  }

  wake(things: Iterable<T>): void {
    for (const thing of things) this.#woken.add(thing)
    this.#drain()
  }

  /** Make several changes before anything is looked at again. */
  batch(body: () => void): void {
    if (this.#isBusy) {
      body()
      return
    }
    this.#isBusy = true
    try {
      body()
    } finally {
      this.#isBusy = false
    }
    this.#drain()
  }

  /** Resolves as soon as `condition` holds after a change. @throws the signal's reason. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        this.#waiters.delete(isDone)
        reject(signal?.reason as Error)
      }
      const isDone = () => {
        if (!condition()) return false
        signal?.removeEventListener('abort', onAbort)
        resolve()
        return true
      }
      if (isDone()) return
      this.#waiters.add(isDone)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #drain(): void {
    if (this.#isBusy) return
    this.#isBusy = true
    for (const thing of this.#woken) {
      this.#woken.delete(thing)
      try {
        this.#look(thing)
      } catch (thrown) {
        this.#bug(thrown)
      }
    }
    this.#isBusy = false
    for (const isDone of [...this.#waiters]) if (isDone()) this.#waiters.delete(isDone)
  }
}
