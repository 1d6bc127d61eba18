/** What plugins publish as metrics, in the terms of Prometheus. */
import { SysgError } from './errors.ts'

/** Names of labels and their values: `{ service: 'api' }`. Names are checked when the metric is asked. */
export type MetricLabels = Readonly<Record<string, string>>

/** One value of a counter or a gauge. */
export interface MetricSample {
  readonly labels?: MetricLabels
  readonly value: number
}

/** One distribution. `buckets`: how many values were at most so high, by that limit; the one of all is made of `count`. */
export interface HistogramSample {
  readonly labels?: MetricLabels
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
  readonly sum: number
  readonly count: number
}

interface Described {
  /** What it is, in a sentence. */
  readonly help: string
}

/**
 * A metric with all its samples. `collect` is asked when somebody wants to know, with a time limit of two seconds; what it
 * throws leaves the metric out, and is reported once.
 */
export type Metric =
  | (Described & {
      /** `counter`: only grows, and its name ends in `_total`. `gauge`: goes up and down. */
      readonly type: 'counter' | 'gauge'
      collect(signal: AbortSignal): readonly MetricSample[] | Promise<readonly MetricSample[]>
    })
  | (Described & {
      readonly type: 'histogram'
      collect(signal: AbortSignal): readonly HistogramSample[] | Promise<readonly HistogramSample[]>
    })

/**
 * A name as Prometheus has it. Units are in it: `_seconds`, `_bytes`.
 *
 * @throws {SysgError} `SYSG_METRIC_NAME`.
 * @see https://prometheus.io/docs/practices/naming/
 */
export const checkMetricName = (name: string, { type }: Metric, plugin: string): void => {
  const why = !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name)
    ? 'it has a character that is not allowed there'
    : type === 'counter' && !name.endsWith('_total')
      ? 'the name of a counter ends in `_total`'
      : undefined
  if (why !== undefined) throw new SysgError('SYSG_METRIC_NAME', { plugin, name, why })
}
