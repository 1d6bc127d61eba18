/** The arithmetic of waiting longer each time. */
import type { Backoff } from './options.ts'

/**
 * Milliseconds to wait before a restart: `initial · factor^restarts`, at most `max`, shortened by chance.
 *
 * @param restarts - How many restarts in a row came before this one.
 * @param chance - Even chance in [0, 1): decides how much of the `jitter` share is taken off.
 */
export const nextDelay = (restarts: number, { initial, max, factor, jitter }: Backoff, chance: number): number => {
  if (initial === 0) return 0
  const wait = Math.min(max, initial * factor ** restarts)
  return Math.round(wait * (1 - jitter * chance))
}
