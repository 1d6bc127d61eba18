/**
 * Reads log files: the last lines of several streams in the order of time, or all from a moment on.
 *
 * Works on windows of a file, forwards or backwards, so memory does not depend on how much is kept. Knows nothing of
 * the process that writes: `sysg logs` uses it without a supervisor, too.
 */
import type { Files } from '@systemg/core'
import type { LogSource } from './layout.ts'
import { characterStart, lineEnd, longestLine, newline, type LogLine } from './lines.ts'
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

/** Any line fits into so much. */
const largestWindow = 4 * longestLine
/** What the windows of all sources may take together, unless there are very many. */
const windowsBytes = 64 * largestWindow
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
  const window = windowFor(sources)
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
  for await (const batch of readBatches(files, sources, query)) yield* batch
}

/** As `readAll`, many lines at a time; their bytes are good until the next batch is asked for. */
export const readBatches = (files: Files, sources: readonly LogSource[], query: LogQuery): Batches =>
  merge(
    sources.map((source) => forwards(files, source, query, windowFor(sources))),
    (a, b) => a.timeMs - b.timeMs,
  )

const windowFor = (sources: readonly LogSource[]): number =>
  Math.max(smallestWindow, Math.min(largestWindow, Math.floor(windowsBytes / sources.length)))

type Batches = AsyncGenerator<readonly LogLine[]>

async function* forwards(files: Files, source: LogSource, query: LogQuery, window: number): Batches {
  for (const file of await openLogFiles(files, source.base)) {
    const { start, end } = await rangeOf(file, source, query)
    for (let at = start, size = window; at < end;) {
      const bytes = await file.read(at, Math.min(end, at + size))
      if (bytes.length === 0) break
      const { cuts, length } = cutLines(bytes, at, file.marks, at + bytes.length >= end)
      yield await describe(file, source, query, cuts)
      at += length
      if (length === 0 && size === largestWindow) break
      size = length === 0 ? largestWindow : window
    }
  }
}

/** The latest window first, and in each the latest line. */
async function* backwards(files: Files, source: LogSource, query: LogQuery, window: number): Batches {
  for (const file of (await openLogFiles(files, source.base)).toReversed()) {
    const { start, end } = await rangeOf(file, source, query)
    for (let before = end, size = window; before > start;) {
      const from = Math.max(start, before - size)
      const bytes = await file.read(from, before)
      const skip = from === start ? 0 : firstLineStart(bytes, from, file.marks)
      if (skip === undefined && size < largestWindow) {
        size = largestWindow
        continue
      }
      // In the middle of an overlong line, at least no character is cut.
      const at = skip ?? characterStart(bytes)
      const { cuts } = cutLines(bytes.subarray(at), from + at, file.marks, true)
      yield (await describe(file, source, query, cuts)).reverse()
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

/** A line's place in its file. */
interface Cut {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** The lines in `bytes`, which begin at `from` with a line. `isLast`: what has no end is a line as well. */
const cutLines = (
  bytes: Uint8Array,
  from: number,
  marks: readonly Mark[],
  isLast: boolean,
): { readonly cuts: readonly Cut[]; readonly length: number } => {
  const cuts: Cut[] = []
  const borders = marks.map(({ offset }) => offset - from).filter((at) => at > 0 && at < bytes.length)
  let nextBorder = 0
  let at = 0
  while (at < bytes.length) {
    while ((borders[nextBorder] ?? bytes.length) <= at) nextBorder++
    const border = borders[nextBorder]
    const end = lineEnd(bytes.subarray(0, border ?? bytes.length), at) ?? border ?? (isLast ? bytes.length : undefined)
    if (end === undefined) break
    cuts.push({ offset: from + at, bytes: bytes.subarray(at, end) })
    at = end
  }
  return { cuts, length: at }
}

/** Time and instance of each, and only those that are wanted. */
const describe = async (
  file: LogFile,
  { service, stream }: LogSource,
  { instance: wanted, matches }: LogQuery,
  cuts: readonly Cut[],
): Promise<LogLine[]> => {
  const times = await file.index.timesAt(cuts.map(({ offset }) => offset))
  const lines: LogLine[] = []
  let mark = -1
  for (const [at, { offset, bytes }] of cuts.entries()) {
    while ((file.marks[mark + 1]?.offset ?? Number.POSITIVE_INFINITY) <= offset) mark++
    const instance = file.marks[mark]?.instance ?? ''
    const line = { timeMs: times[at] ?? 0, service, instance, stream, bytes }
    if ((wanted === undefined || instance === wanted) && matches?.(line) !== false) lines.push(line)
  }
  return lines
}
