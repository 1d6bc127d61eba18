/**
 * Shows a problem to people:
 *
 *     systemg.yaml:4:19
 *       4 |     stop_timeout: soon
 *         |                   ^^^^
 *       `stop_timeout` must be a duration such as `10s`, not `soon`.
 *       Whole numbers with ms, s, m, h or d …
 *       SYSG_CONFIG_VALUE
 */
import { relativeTo } from './file-paths.ts'
import { formatPath, type Problem } from './problems.ts'
import { maskedLine } from '../secrets.ts'
import { rendered } from './text-width.ts'

export interface FormatOptions {
  /** Terminal colours. Default: none. */
  readonly color?: boolean
  /** Files inside of this folder are shown relative to it. */
  readonly folder?: string
  /** Characters of source text to show; a longer line is cut around the marker. Default 100. */
  readonly width?: number
}

/**
 * A problem as lines of text, without a newline at the end.
 *
 * @param sourceText - Text of `problem.file`. Without it, or without a position, no line is shown; the path is.
 */
export const formatProblem = (problem: Problem, sourceText?: string, options: FormatOptions = {}): string => {
  const paint = options.color === true ? colors : plain
  const mark = problem.severity === 'warning' ? paint.yellow : paint.red
  const file = relativeTo(options.folder, problem.file)
  const place = problem.line === null ? file : `${file}:${problem.line}:${problem.column ?? 1}`
  const lines = excerpt(problem, sourceText, options.width ?? 100)
  return [
    paint.bold(place) + (problem.severity === 'warning' ? mark(' warning') : ''),
    ...(lines === undefined
      ? pathLines(problem)
      : [paint.dim(lines.gutter) + lines.text, paint.dim(lines.under) + mark(lines.marker)]),
    `  ${problem.message}`,
    ...(problem.hint === null ? [] : [`  ${problem.hint}`]),
    `  ${paint.dim(problem.code)}`,
  ].join('\n')
}

type Paint = (text: string) => string

const ansi =
  (code: number): Paint =>
  (text) =>
    text === '' ? '' : `\u001B[${code}m${text}\u001B[0m`
const same: Paint = (text) => text

const colors = { bold: ansi(1), dim: ansi(2), red: ansi(31), yellow: ansi(33) }
const plain: typeof colors = { bold: same, dim: same, red: same, yellow: same }

const pathLines = ({ path }: Problem): string[] => (path.length === 0 ? [] : [`  at ${formatPath(path)}`])

interface Excerpt {
  readonly gutter: string
  readonly text: string
  readonly under: string
  readonly marker: string
}

const excerpt = (problem: Problem, sourceText: string | undefined, width: number): Excerpt | undefined => {
  if (problem.line === null || sourceText === undefined) return undefined
  const source = sourceText
    .replace(/^\uFEFF/, '')
    .split('\n', problem.line)
    [problem.line - 1]?.replace(/\r$/, '')
  if (source === undefined) return undefined
  const line = maskedLine(source)
  const start = Math.min((problem.column ?? 1) - 1, line.length)
  const end = Math.max(start + 1, (problem.endColumn ?? 0) - 1)
  const cut = cutAround(line, start, width)
  const before = rendered(cut.lead + line.slice(cut.from, start))
  const marked = rendered(line.slice(start, Math.min(end, cut.to)), before.width)
  const after = rendered(line.slice(end, cut.to) + cut.tail, before.width + marked.width)
  const gutter = `  ${problem.line} | `
  return {
    gutter,
    text: (before.text + marked.text + after.text).trimEnd(),
    under: `${' '.repeat(gutter.length - 2)}| `,
    marker: ' '.repeat(before.width) + '^'.repeat(Math.max(1, marked.width)),
  }
}

/** Which part of a line to show so that the marked text is in it. Never between the halves of one character. */
const cutAround = (
  line: string,
  start: number,
  width: number,
): { from: number; to: number; lead: string; tail: string } => {
  const whole = (at: number): number => (/[\uDC00-\uDFFF]/.test(line[at] ?? '') ? at + 1 : at)
  if (line.length <= width) return { from: 0, to: line.length, lead: '', tail: '' }
  const from = start < width / 2 ? 0 : whole(Math.min(start - Math.floor(width / 4), line.length - width))
  const to = Math.min(whole(from + width), line.length)
  return { from, to, lead: from > 0 ? '…' : '', tail: to < line.length ? '…' : '' }
}
