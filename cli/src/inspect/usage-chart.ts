/** A chart of CPU or memory over time, as lines of text. */
import plot from 'simple-ascii-chart'
import { formatAge } from '../terminal/age.ts'

export interface ChartPoint {
  readonly timeMs: number
  readonly value: number
}

export interface ChartOptions {
  /** Cells a line may take. */
  readonly width: number
  readonly format: (value: number) => string
  /** Wall clock, ms: the right end. */
  readonly nowMs: number
}

const height = 6
const narrowest = 20
/** Beside the labels: the axis, and what the library leaves empty. */
const margin = 4

/** Nothing for less than two points: there is no line to draw. */
export const usageChart = (points: readonly ChartPoint[], { width, format, nowMs }: ChartOptions): string[] => {
  const [first] = points
  if (first === undefined || points.length < 2) return []
  const labels = Math.max(...points.map(({ value }) => format(value).length))
  const cells = Math.max(narrowest, width - labels - margin)
  const drawn = plot(
    inCells(points, cells).map(({ timeMs, value }) => [timeMs, value]),
    { width: cells, height, hideXAxis: true, formatter: (value, { axis }) => (axis === 'y' ? format(value) : '') },
  )
  const lines = withEachLabelOnce(drawn.split('\n'))
    .map((line) => line.trimEnd())
    .filter((line) => !/^\s*[▲│]?$/.test(line))
  const from = `${formatAge(nowMs - first.timeMs)} ago`
  const gap = Math.max(1, Math.min(width, labels + cells + 1) - labels - 1 - from.length - now.length)
  return [...lines, `${' '.repeat(labels + 1)}${from}${' '.repeat(gap)}${now}`]
}

const now = 'now'

/** Values that differ by less than their format shows have one label, the highest. */
const withEachLabelOnce = (lines: readonly string[]): readonly string[] => {
  const seen = new Set<string>()
  return lines.map((line) => {
    const [all, label] = /^\s*(\S+)┤/.exec(line) ?? []
    if (all === undefined || label === undefined) return line
    const isRepeated = seen.has(label)
    seen.add(label)
    return isRepeated ? `${' '.repeat(all.length - 1)}│${line.slice(all.length)}` : line
  })
}

/** At most one point for each cell, the highest: a short peak must be seen. */
const inCells = (points: readonly ChartPoint[], cells: number): readonly ChartPoint[] => {
  if (points.length <= cells) return points
  const from = points[0]?.timeMs ?? 0
  const spanMs = Math.max(1, (points.at(-1)?.timeMs ?? from) - from)
  const highest = new Map<number, ChartPoint>()
  for (const point of points) {
    const cell = Math.floor(((point.timeMs - from) / spanMs) * (cells - 1))
    if (point.value >= (highest.get(cell)?.value ?? -1)) highest.set(cell, point)
  }
  return [...highest.values()]
}
