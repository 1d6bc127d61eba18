/** The top-level key `metrics`. */
import { duration } from '@systemg/core'
import { z } from 'zod'
import type { ServeMetrics } from './port.ts'
import { addressOf } from './settings.ts'

const shortestMs = 100
const shortestRetentionMs = 60_000
const addressWanted = 'must be an address such as `127.0.0.1:9464`'

export const metricsKey = z
  .strictObject({
    interval: duration
      .refine((ms) => ms >= shortestMs, { error: 'must be at least `100ms`' })
      .prefault('5s')
      .describe('How often CPU and memory are measured while somebody looks; otherwise every 30 seconds.'),
    retention: duration
      .refine((ms) => ms >= shortestRetentionMs, { error: 'must be at least `1m`' })
      .prefault('12h')
      .describe('How long CPU and memory are kept.'),
    listen: z
      .string({ error: addressWanted })
      .refine((text) => addressOf(text) !== undefined, {
        error: addressWanted,
        params: {
          hint: 'A host, a colon and a port from 1 to 65535. An IPv6 address stands in brackets: `[::1]:9464`.',
        },
      })
      .optional()
      .describe(
        'Where metrics are served over HTTP in the text format of Prometheus, at `/metrics`. Default: nowhere.',
      ),
  })
  .prefault({})
  .describe('How CPU and memory of services are measured, kept and published.')

/** Given by whoever builds the system. */
export const options = z
  .strictObject({
    serve: z
      .custom<ServeMetrics>((value) => typeof value === 'function')
      .optional()
      .describe('How metrics are served over HTTP. Default: by Node.'),
  })
  .prefault({})

export const system = { metrics: metricsKey }
