/** The keys of the `restart` plugin. */
import { duration } from '@systemg/core'
import { z } from 'zod'

export const restartPolicy = z
  .enum(['never', 'on-failure', 'always'])
  .default('never')
  .describe('Which exits bring the service back: none, those that are no success, or all.')

const curve = z.strictObject({
  initial: duration.prefault('1s').describe('Wait before the first restart.'),
  max: duration.optional().describe('The longest wait. Default 1m, or `initial` if that is longer.'),
  factor: z.number().min(1).default(2).describe('How much longer each wait is than the one before.'),
  jitter: z.number().min(0).max(1).default(0.1).describe('The share of each wait that is left to chance.'),
})

/** A bare duration is a wait that never grows. Either way code reads one shape. */
export const backoff = z
  .union([duration, curve])
  .prefault({})
  .transform((written, context): Backoff => {
    if (typeof written === 'number') return { initial: written, max: written, factor: 1, jitter: 0 }
    const { initial, max = Math.max(initial, 60_000), factor, jitter } = written
    if (max < initial) {
      context.addIssue({ code: 'custom', path: ['max'], message: '`max` is shorter than `initial`' })
    }
    return { initial, max, factor, jitter }
  })
  .describe('How long to wait before each restart: a duration, or a wait that grows.')

export const maxRestarts = z
  .union([z.int().min(0), z.literal('unlimited')])
  .default('unlimited')
  .describe('Restarts in a row before the service is failed for good.')

export const resetAfter = duration
  .prefault('1m')
  .describe(
    'After being ready for this long, a service that ends starts again with the first wait and a count of zero.',
  )

export const service = { restart_policy: restartPolicy, backoff, max_restarts: maxRestarts, reset_after: resetAfter }

/** How waits grow. `initial` and `max` in milliseconds. */
export interface Backoff {
  readonly initial: number
  readonly max: number
  readonly factor: number
  readonly jitter: number
}
