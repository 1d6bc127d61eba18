/**
 * Reads log files: the last lines of several streams in the order of time, or all from a moment on.
 *
 * Works on windows of a file, forwards or backwards, so memory does not depend on how much is kept. Knows nothing of
 * the process that writes: `sysg logs` uses it without a supervisor, too.
 */
import type { Files } from '@systemg/core'
import type { LogSource } from './layout.ts'
import { characterBorder, characterStart, linesOf, longestLine, newline, type LogLine, type LogRun } from './lines.ts'
import { openLogFiles, type LogFile } from './log-files.ts'
import type { Mark } from './marks.ts'
import { merge } from './merge.ts'
import type { Position } from './stream-log.ts'

/** Which lines. Times are milliseconds since 1970, both ends included. */
export interface LogQuery {
  readonly sinceMs?: number | undefined
  readonly untilMs?: number | undefined
  readonly instance?: string | undefined
  readonly matches?: ((line: LogLine) => boolean) | undefined
  /** Where a stream begins for this reading; `undefined`: where its files begin. */
  readonly start?: ((source: LogSource) => Position | undefined) | undefined
  /** Where a stream ends for this reading; `undefined`: where its files end. */
  readonly end?: ((source: LogSource) => Position | undefined) | undefined
}

/** Bounds of what `readLast` keeps in memory. */
export interface Amount {
  readonly lines: number
  readonly bytes: number
}

/** Any part of a line fits into so much. */
const largestPart = 4 * longestLine
/** What is read at once of a stream, unless there are many: what all windows take together is bounded, too. */
const largestWindow = 1024 * 1024
const windowsBytes = 16 * largestWindow
const smallestWindow = 16 * 1024

/** The last lines of all sources together, the earliest first. Fewer than asked for when they hold more than `bytes`. */
export const readLast = async (
  files: Files,
  sources: readonly LogSource[],
  amount: Amount,
  query: LogQuery = {},
): Promise<readonly LogLine[]> => {
  const kept: LogLine[] = []
  if (amount.lines === 0) return kept
  let bytes = 0
  // The later source comes first here, so that turning the result around gives the earlier one its place.
  const window = Math.min(largestPart, windowFor(sources))
  const batches = sources.toReversed().map((source) => backwards(files, source, query, window))
  for await (const batch of merge(batches, (a, b) => b.timeMs - a.timeMs)) {
    for (const line of batch) {
      bytes += line.bytes.length
      if (bytes > amount.bytes && kept.length > 0) return kept.reverse()
      kept.push({ ...line, bytes: line.bytes.slice() })
      if (kept.length >= amount.lines) return kept.reverse()
    }
  }
  return kept.reverse()
}

/** All lines of all sources that `query` wants, the earliest first, one window of each source in memory. */
export async function* readAll(
  files: Files,
  sources: readonly LogSource[],
  query: LogQuery = {},
): AsyncGenerator<LogLine> {
  for await (const runs of readRuns(files, sources, query)) {
    for (const run of runs) yield* wantedOf(run, query)
  }
}

/**
 * As `readAll`, lines of the same moment together: what costs time for every line is left to those who need it, `matches`
 * too. Their bytes are good until the next batch is asked for.
 */
export const readRuns = (
  files: Files,
  sources: readonly LogSource[],
  query: Omit<LogQuery, 'matches'> = {},
): Batches<LogRun> =>
  merge(
    sources.map((source) => forwards(files, source, query, windowFor(sources))),
    (a, b) => a.timeMs - b.timeMs,
  )

/** Where the last finished line of a stream ends; `undefined` when it has no files. */
export const lastLineEnd = async (files: Files, { base }: LogSource): Promise<Position | undefined> => {
  const file = (await openLogFiles(files, base)).at(-1)
  if (file === undefined) return undefined
  const { generation, sizeBytes } = file
  const from = Math.max(0, sizeBytes - longestLine - 1, file.marks.at(-1)?.offset ?? 0)
  const bytes = await file.read(from, sizeBytes)
  // What is longer than a line is shown in parts, this one as well.
  const isPart = bytes.length > longestLine && !bytes.includes(newline)
  return { generation, offset: isPart ? sizeBytes : from + bytes.lastIndexOf(newline) + 1 }
}

const windowFor = (sources: readonly LogSource[]): number =>
  Math.max(smallestWindow, Math.min(largestWindow, Math.floor(windowsBytes / sources.length)))

const wantedOf = (run: LogRun, { matches }: LogQuery): readonly LogLine[] =>
  matches === undefined ? linesOf(run) : linesOf(run).filter(matches)

type Batches<T> = AsyncGenerator<readonly T[]>

async function* forwards(files: Files, source: LogSource, query: LogQuery, window: number): Batches<LogRun> {
  for (const file of await openLogFiles(files, source.base)) {
    const { start, end } = await rangeOf(file, source, query)
    for (let at = start, size = window; at < end;) {
      const bytes = await file.read(at, Math.min(end, at + size))
      if (bytes.length === 0) break
      const isLast = at + bytes.length >= end
      const length = isLast ? bytes.length : wholeLines(bytes, at, file.marks)
      if (length === 0 && size >= largestPart) break
      if (length > 0) yield await runsOf(file, source, query, { at, bytes: bytes.subarray(0, length) })
      at += length
      size = length === 0 ? largestPart : window
    }
  }
}

/** The latest window first, and in each the latest line. */
async function* backwards(files: Files, source: LogSource, query: LogQuery, window: number): Batches<LogLine> {
  for (const file of (await openLogFiles(files, source.base)).toReversed()) {
    const { start, end } = await rangeOf(file, source, query)
    for (let before = end, size = window; before > start;) {
      const from = Math.max(start, before - size)
      const bytes = await file.read(from, before)
      const skip = from === start ? 0 : firstLineStart(bytes, from, file.marks)
      if (skip === undefined && size < largestPart) {
        size = largestPart
        continue
      }
      // In the middle of an overlong line, at least no character is cut.
      const at = skip ?? characterStart(bytes)
      const runs = await runsOf(file, source, query, { at: from + at, bytes: bytes.subarray(at) })
      yield runs.flatMap((run) => wantedOf(run, query)).reverse()
      before = from + at
      size = window
    }
  }
}

/** Bytes of a file that a query is about; both ends are borders of lines. */
const rangeOf = async (
  file: LogFile,
  source: LogSource,
  { sinceMs, untilMs, start, end }: LogQuery,
): Promise<{ start: number; end: number }> => {
  const [first, last] = [start?.(source), end?.(source)]
  if (last !== undefined && last.generation < file.generation) return { start: 0, end: 0 }
  if (first !== undefined && first.generation > file.generation) return { start: 0, end: 0 }
  const sizeBytes = last?.generation === file.generation ? Math.min(last.offset, file.sizeBytes) : file.sizeBytes
  const border = async (timeMs: number) => {
    const offset = await file.index.offsetSince(timeMs)
    return offset === undefined ? sizeBytes : Math.min(sizeBytes, await nextLineStart(file, offset))
  }
  return {
    start: Math.max(
      first?.generation === file.generation ? first.offset : 0,
      sinceMs === undefined ? 0 : await border(sinceMs),
    ),
    end: untilMs === undefined ? sizeBytes : await border(untilMs + 1),
  }
}

/** The first beginning of a line at `offset` or behind it. */
const nextLineStart = async (file: LogFile, offset: number): Promise<number> => {
  if (offset === 0) return 0
  const bytes = await file.read(offset - 1, Math.min(file.sizeBytes, offset + longestLine))
  const found = bytes.indexOf(newline)
  const behind = found === -1 ? offset - 1 + bytes.length : offset + found
  const mark = file.marks.find((one) => one.offset >= offset)
  return mark === undefined ? behind : Math.min(behind, mark.offset)
}

/** How far into `bytes`, which may begin in the middle of a line, the first line begins; `undefined` when none does. */
const firstLineStart = (bytes: Uint8Array, from: number, marks: readonly Mark[]): number | undefined => {
  const found = bytes.indexOf(newline) + 1
  const mark = marks.find(({ offset }) => offset > from && offset < from + bytes.length)
  const starts = [found, (mark?.offset ?? from) - from].filter((at) => at > 0 && at < bytes.length)
  return starts.length === 0 ? undefined : Math.min(...starts)
}

/** A part of a file that begins with a line. */
interface Part {
  readonly at: number
  readonly bytes: Uint8Array
}

/** How many of the bytes, which begin at `from`, are lines with their end, or parts of one that is overlong. */
const wholeLines = (bytes: Uint8Array, from: number, marks: readonly Mark[]): number => {
  const mark = marks.findLast(({ offset }) => offset > from && offset < from + bytes.length)
  const end = Math.max(bytes.lastIndexOf(newline) + 1, (mark?.offset ?? from) - from)
  if (end > 0) return end
  let at = 0
  while (bytes.length - at > longestLine) at = characterBorder(bytes, at, at + longestLine)
  return at
}

/** Cut where another moment begins, or another instance; only the instance that is wanted. */
const runsOf = async (
  file: LogFile,
  source: LogSource,
  { instance: wanted }: LogQuery,
  { at, bytes }: Part,
): Promise<LogRun[]> => {
  const { service, stream } = source
  const runs: LogRun[] = []
  const end = at + bytes.length
  let mark = file.marks.findLastIndex(({ offset }) => offset <= at)
  for (let from = at; from < end;) {
    while ((file.marks[mark + 1]?.offset ?? Number.POSITIVE_INFINITY) <= from) mark++
    const border = Math.min(end, file.marks[mark + 1]?.offset ?? end)
    const { timeMs, until } = await file.index.timeAt(from)
    const next = until >= border ? border : Math.min(border, at + lineStart(bytes, until - at))
    const instance = file.marks[mark]?.instance ?? ''
    const run = { timeMs, service, instance, stream, bytes: bytes.subarray(from - at, next - at) }
    const position = { generation: file.generation, offset: next }
    if (wanted === undefined || instance === wanted) runs.push({ ...run, source, end: position })
    from = next
  }
  return runs
}

/** The first beginning of a line at `offset` or behind it; the end when there is none. */
const lineStart = (bytes: Uint8Array, offset: number): number => {
  const found = bytes.indexOf(newline, offset - 1)
  return found === -1 ? bytes.length : found + 1
}
