/** Ctrl-C for commands that go on until it comes: it is the ordinary way to end them. */

export interface Interrupt {
  /** Aborted by the first Ctrl-C. The second ends the process, as it does anywhere. */
  readonly signal: AbortSignal
  /** Let Ctrl-C be what it is again. */
  end(): void
}

export const untilInterrupted = (): Interrupt => {
  const controller = new AbortController()
  const onInterrupt = (): void => controller.abort()
  process.once('SIGINT', onInterrupt)
  return { signal: controller.signal, end: () => void process.off('SIGINT', onInterrupt) }
}

/** The longest time a timer of Node can wait, ms. */
const longestTimerMs = 2 ** 31 - 1

/** Resolves after `ms`, or at once when the signal is aborted. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, longestTimerMs))
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
