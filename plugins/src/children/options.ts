/** The key `spawn` of a service. */
import { size } from '@systemg/core'
import { z } from 'zod'

const count = z.int({ error: 'must be a whole number' }).min(0, { error: 'must not be negative' })

const limits = z
  .strictObject({
    children: count.default(100).describe('How many children one parent may have at once.'),
    depth: count.default(3).describe('How far below the service: its children are at 1, their children at 2.'),
    descendants: count.default(500).describe('How many may live below one instance of the service at once.'),
    total_memory: size
      .refine((bytes) => bytes > 0, {
        error: 'must be more than nothing',
        params: { hint: 'For no limit, leave it out.' },
      })
      .optional()
      .describe('Resident memory of an instance and everything below it; over it the newest children are stopped.'),
    rate: z
      .number({ error: 'must be a number' })
      .positive({ error: 'must be above zero' })
      .default(10)
      .describe('Children that may be started per second, over all parents of the service; so many also at once.'),
    termination_policy: z
      .enum(['cascade', 'orphan', 'reparent'])
      .default('cascade')
      .describe(
        'What becomes of children when their parent ends: they are stopped before anything else happens, become services of their own, or go to the nearest ancestor that lives.',
      ),
  })
  .prefault({})

/** Whether programs of a service may start children, and how many. `total_memory` in bytes. */
export const spawn = z
  .strictObject({
    mode: z
      .enum(['dynamic', 'static'])
      .describe('`dynamic`: its programs may start children with `sysg spawn`. `static`: they may not.'),
    limits: limits.describe('How many children there may be, how fast, and what becomes of them.'),
  })
  .optional()
  .describe('Lets programs of the service start tracked children of their own, with `sysg spawn`.')

export const service = { spawn }

export type Spawn = NonNullable<z.output<typeof spawn>>
export type SpawnLimits = z.output<typeof limits>
export type TerminationPolicy = SpawnLimits['termination_policy']
