/** Something that happens once, and those who wait for it. */
export class Latch {
  #isOpen = false
  readonly #waiting = new Set<() => void>()

  get isOpen(): boolean {
    return this.#isOpen
  }

  open(): void {
    this.#isOpen = true
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }

  /** Resolves once it is open. @throws the signal's reason. */
  wait(signal: AbortSignal): Promise<void> {
    if (this.#isOpen) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        this.#waiting.delete(done)
        reject(signal.reason as Error)
      }
      const done = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
