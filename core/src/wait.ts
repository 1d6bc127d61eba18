/** Waiting on the host's clock, interrupted by signals. */
import type { Clock } from './host.ts'

/** Resolves after `ms` of steady time. @throws the signal's reason when it aborts first. */
export const pause = (clock: Clock, ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = () => {
      cancel()
      reject(signal.reason as Error)
    }
    const cancel = clock.timer(ms, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })

/** True when `promise` settles within `ms`; false when the time is over first. */
export const within = async (clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> => {
  let cancel: (() => void) | undefined
  const timeout = new Promise<false>((resolve) => {
    cancel = clock.timer(ms, () => resolve(false))
  })
  const settled = promise.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([settled, timeout])
  } finally {
    cancel?.()
  }
}

/** `promise`, or the signal's reason as soon as it aborts. */
export const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })

/** A controller that `signal` aborts, too, until it is unlinked: signals that live long must not collect listeners. */
export const linkedTo = (
  signal: AbortSignal,
): { readonly controller: AbortController; readonly unlink: () => void } => {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  return { controller, unlink: () => signal.removeEventListener('abort', onAbort) }
}

/** A signal that aborts with `signal`, or with `over` after `limitMs`. To be ended when the work is done. */
export const limited = (
  clock: Clock,
  limitMs: number,
  over: Error,
  signal: AbortSignal,
): { readonly signal: AbortSignal; readonly end: () => void } => {
  const { controller, unlink } = linkedTo(signal)
  const cancel = clock.timer(limitMs, () => controller.abort(over))
  const end = () => {
    cancel()
    unlink()
  }
  return { signal: controller.signal, end }
}
