/** CPU and memory of one service as `inspect` and `metrics.read` tell them. */
import type { Meter } from './meter.ts'
import { condensed, type Row, type Usage } from './rows.ts'

/** Over a span that ends at `time`. */
export interface MetricPoint {
  /** ISO 8601. */
  readonly time: string
  readonly span_ms: number
  /** Mean and peak, of one core. */
  readonly cpu_percent: number
  readonly cpu_percent_max: number
  /** Mean and peak. */
  readonly memory_bytes: number
  readonly memory_bytes_max: number
}

export interface MetricsReport {
  /** Now; null when nothing runs. */
  readonly cpu_percent: number | null
  readonly memory_bytes: number | null
  readonly processes: number
  /** Of the instances that live, since their start, as far as this supervisor has seen it. */
  readonly cpu_seconds: number
  readonly window_ms: number
  /** The earliest first; at most some hundreds. */
  readonly points: readonly MetricPoint[]
}

/** More are condensed. */
const mostPoints = 240

export const pointsOf = (service: string, rows: readonly Row[], windowMs: number): readonly MetricPoint[] => {
  const own = rows.filter(({ services }) => services.has(service))
  const bucketMs = Math.ceil(windowMs / mostPoints / 1_000) * 1_000
  return (own.length > mostPoints ? condensed(own, bucketMs) : own).flatMap(({ timeMs, spanMs, services }) => {
    const usage = services.get(service)
    return usage === undefined ? [] : [pointOf(timeMs, spanMs, usage)]
  })
}

export const reportOf = (
  meters: readonly Meter[],
  nowMs: number,
  windowMs: number,
  points: readonly MetricPoint[],
): MetricsReport => {
  const usage = usageOf(meters)
  return {
    cpu_percent: usage === undefined ? null : rounded(usage.cpuPercent),
    memory_bytes: usage?.memoryBytes ?? null,
    processes: meters.reduce((sum, { processes }) => sum + processes, 0),
    cpu_seconds: meters.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1_000,
    window_ms: windowMs,
    points: usage === undefined ? points : [...points, pointOf(nowMs, 0, usage)],
  }
}

/** Of what is known of several instances; `undefined` when nothing is. */
const usageOf = (meters: readonly Meter[]): Usage | undefined => {
  const known = meters.filter(({ memoryBytes }) => memoryBytes !== undefined)
  if (known.length === 0) return undefined
  const cpuPercent = known.reduce((sum, { cpuPercent: percent = 0 }) => sum + percent, 0)
  const bytes = known.reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0)
  return { cpuPercent, cpuPercentMax: cpuPercent, memoryBytes: bytes, memoryBytesMax: bytes }
}

const pointOf = (timeMs: number, spanMs: number, usage: Usage): MetricPoint => ({
  time: new Date(timeMs).toISOString(),
  span_ms: spanMs,
  cpu_percent: rounded(usage.cpuPercent),
  cpu_percent_max: rounded(usage.cpuPercentMax),
  memory_bytes: Math.round(usage.memoryBytes),
  memory_bytes_max: usage.memoryBytesMax,
})

const rounded = (value: number): number => Math.round(value * 100) / 100
