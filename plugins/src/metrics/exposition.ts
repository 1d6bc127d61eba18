/**
 * Metrics as Prometheus' text format has them. Pure.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
import type { HistogramSample, MetricLabels, MetricSample } from '@systemg/core'

/** A metric with the samples of now. */
export type Collected = { readonly name: string; readonly help: string } & (
  | { readonly type: 'counter' | 'gauge'; readonly samples: readonly MetricSample[] }
  | { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] }
)

export const contentType = 'text/plain; version=0.0.4; charset=utf-8'

export const exposition = (all: readonly Collected[]): string =>
  all
    .filter(({ samples }) => samples.length > 0)
    .map((metric) => {
      const { name, help, type } = metric
      const lines =
        metric.type === 'histogram'
          ? metric.samples.flatMap((sample) => histogramLines(name, sample))
          : metric.samples.map(({ labels, value }) => line(name, labels, value))
      return `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
    })
    .join('')

const histogramLines = (name: string, { labels, buckets, sum, count }: HistogramSample): readonly string[] => [
  ...[...buckets]
    .sort((a, b) => a.le - b.le)
    .filter(({ le }) => le !== Infinity)
    .map(({ le, count: upTo }) => line(`${name}_bucket`, { ...labels, le: numberText(le) }, upTo)),
  line(`${name}_bucket`, { ...labels, le: '+Inf' }, count),
  line(`${name}_sum`, labels, sum),
  line(`${name}_count`, labels, count),
]

const line = (name: string, labels: MetricLabels | undefined, value: number): string =>
  `${name}${labelsText(labels)} ${numberText(value)}\n`

const labelsText = (labels: MetricLabels = {}): string => {
  const pairs = Object.entries(labels)
  if (pairs.length === 0) return ''
  return `{${pairs.map(([name, value]) => `${labelName(name)}="${escapedLabel(value)}"`).join(',')}}`
}

/** One wrong name would make the whole answer unreadable. */
const labelName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_')

const escapedLabel = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')

const numberText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (Math.abs(value) === Infinity) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}
