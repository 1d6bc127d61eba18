/** The top-level key `metrics`. */
import { duration } from '@systemg/core'
import { z } from 'zod'

const shortestMs = 100

export const metricsKey = z
  .strictObject({
    interval: duration
      .refine((ms) => ms >= shortestMs, { error: 'must be at least `100ms`' })
      .prefault('5s')
      .describe('How often CPU and memory are measured while somebody looks; otherwise every 30 seconds.'),
  })
  .prefault({})
  .describe('How CPU and memory of services are measured, kept and published.')

export type MetricsOptions = z.output<typeof metricsKey>

/** Of a config in force; one that an earlier version of systemg resolved may lack some of it. */
export const optionsOf = ({ metrics }: { readonly metrics?: Partial<MetricsOptions> }): MetricsOptions => ({
  ...metricsKey.parse({}),
  ...metrics,
})
