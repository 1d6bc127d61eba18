/** When a delivery is tried again. Pure. */

/**
 * Five retries, the default, take about a minute: an endpoint that is restarted is back by then. Chance only lengthens a
 * wait, so that many supervisors do not come back to one endpoint at the same moment, and none comes too early.
 */
const initialMs = 2_000
const factor = 3
const longestMs = 20_000
const jitter = 0.1

/** Who asks for more patience than this is not obeyed, ms. */
export const longestWaitMs = 3_600_000

/**
 * Milliseconds to wait.
 *
 * @param failures - How often it has failed, 1 or more.
 * @param chance - In [0, 1).
 * @param retryAfterMs - What the endpoint asks for.
 */
export const waitBefore = (failures: number, chance: number, retryAfterMs: number | undefined): number => {
  const own = Math.min(longestMs, initialMs * factor ** (failures - 1)) * (1 + jitter * chance)
  return Math.round(Math.max(own, Math.min(retryAfterMs ?? 0, longestWaitMs)))
}

/** What `Retry-After` says, ms from now: seconds, or a date. `undefined` when it says nothing. */
export const retryAfterMs = (value: string | undefined, nowMs: number): number | undefined => {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value.trim())) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
