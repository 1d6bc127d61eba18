/** Time as Node tells it: the wall clock for records, `performance.now` for waiting. */
import type { Clock } from '@systemg/core'

/** Node fires a longer timer at once (32-bit milliseconds), so longer waits are made of several. */
const longestTimerMs = 2 ** 31 - 1

/** The machine's clock. Its timers keep the process alive until they have fired or are cancelled. */
export const nodeClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (delayMs, fire) => {
    const dueMs = performance.now() + delayMs
    let timeout: NodeJS.Timeout
    let turn: NodeJS.Immediate | undefined
    const wait = (): void => {
      // Node may call up to a millisecond early, as it counts from the start of the loop's turn.
      const leftMs = dueMs - performance.now()
      // What has come by then is heard first: of a busy process it waits, and timers would overtake the end of a program.
      if (leftMs <= 0) turn = setImmediate(fire)
      else arm(leftMs)
    }
    const arm = (leftMs: number): void => {
      timeout = setTimeout(wait, Math.min(Math.ceil(Math.max(leftMs, 0)), longestTimerMs))
    }
    arm(delayMs)
    return () => {
      clearTimeout(timeout)
      clearImmediate(turn)
    }
  },
}
