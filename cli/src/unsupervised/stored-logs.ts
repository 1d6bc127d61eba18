/** Log lines read from the files themselves: without a supervisor, or more of them than one answer of it can hold. */
import { isAscii } from 'node:buffer'
import { relative } from 'node:path'
import {
  cursorOf,
  displayTextOf,
  hasOverlong,
  isAskedFor,
  lastLineEnd,
  linesOf,
  listSources,
  positionOf,
  readLast,
  readRuns,
  StreamLog,
  supervisorSource,
  type LogLine,
  type LogQuery,
  type LogRun,
  type LogSource,
  type Position,
} from '@systemg/plugins/logs'
import { nodeFiles } from '../host/files.ts'
import type { LogKind } from '../terminal/follow-logs.ts'
import { requireKnown } from '../terminal/suggest-service.ts'

export interface StoredSelection {
  /** Undefined: all. */
  readonly services: readonly string[] | undefined
  readonly kind: LogKind
  /** The newest so many; undefined: all. */
  readonly lines: number | undefined
  /** Wall clock, ms; both ends included. */
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
  readonly grep: RegExp | undefined
}

/** Where streams stand, by the names that the supervisor has for them too (`log` of `logs.follow`). */
export type Cursors = Readonly<Record<string, string>>

export interface StoredLogs {
  /** Services that have written something and are wanted. */
  readonly services: readonly string[]
  /** The earliest first; those of one stream and moment are together. */
  readonly lines: AsyncGenerator<readonly LogLine[]>
  /** Where it ends, when that was asked for. */
  readonly cursors: Cursors
}

/** For one who goes on with what comes. */
export interface Stretch {
  /** Where it begins; what is not among them, at its beginning. */
  readonly after: Cursors | undefined
}

/**
 * @param folder - Where the files of a project are.
 * @param known - Services that exist though they may have written nothing.
 * @throws {SysgError} `SYSG_SERVICE_UNKNOWN` for one that is neither known nor has files.
 */
export const storedLogs = async (
  folder: string,
  selection: StoredSelection,
  known: readonly string[],
  stretch?: Stretch,
): Promise<StoredLogs> => {
  const sources = await sourcesOf(folder, selection, known)
  const nameOf = ({ base }: LogSource): string => relative(folder, base)
  const ends = new Map<string, Position>()
  if (stretch !== undefined) {
    for (const source of sources) {
      const end = await lastLineEnd(nodeFiles, source)
      if (end !== undefined) ends.set(source.base, end)
    }
  }
  const start = (source: LogSource) => positionOf(stretch?.after?.[nameOf(source)])
  const range = stretch === undefined ? {} : { start, end: ({ base }: LogSource) => ends.get(base) }
  return {
    services: [...new Set(sources.map(({ service }) => service))],
    lines: linesIn(sources, selection, range),
    cursors: Object.fromEntries(
      sources.flatMap((source) => {
        const end = ends.get(source.base)
        return end === undefined ? [] : [[nameOf(source), cursorOf(end)]]
      }),
    ),
  }
}

/** Forget what services wrote. Nobody may be writing. @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
export const clearStored = async (folder: string, services: readonly string[] | undefined): Promise<void> => {
  for (const { base } of await sourcesOf(folder, { services, kind: 'all' }, [])) {
    const log = await StreamLog.open(nodeFiles, base, { maxBytes: Number.POSITIVE_INFINITY, maxFiles: 1 })
    await log.clear()
    log.close()
    if (log.trouble !== undefined) throw log.trouble
  }
}

const sourcesOf = async (
  folder: string,
  { services, kind }: Pick<StoredSelection, 'services' | 'kind'>,
  known: readonly string[],
): Promise<readonly LogSource[]> => {
  if (kind === 'supervisor') return [supervisorSource(folder)]
  const sources = await listSources(nodeFiles, folder)
  if (services !== undefined) await requireKnown(services, [...known, ...sources.map(({ service }) => service)])
  return sources.filter(({ service, stream }) => isAskedFor(service, services) && (kind === 'all' || kind === stream))
}

async function* linesIn(
  sources: readonly LogSource[],
  { lines, sinceMs, untilMs, grep }: StoredSelection,
  range: Pick<LogQuery, 'start' | 'end'>,
): AsyncGenerator<readonly LogLine[]> {
  const query = { sinceMs, untilMs, ...range }
  if (lines !== undefined) {
    const matches = grep && ((line: LogLine) => isMatch(grep, line))
    yield await readLast(nodeFiles, sources, { lines, bytes: Number.POSITIVE_INFINITY }, { ...query, matches })
    return
  }
  for await (const runs of readRuns(nodeFiles, sources, query)) {
    yield grep === undefined ? runs : runs.flatMap((run) => matching(grep, run))
  }
}

const isMatch = (grep: RegExp, { bytes }: LogLine): boolean => grep.test(displayTextOf(bytes))

/** The lines of a run that match. Where characters are bytes it is made text once, which takes a fraction of the time. */
const matching = (grep: RegExp, run: LogRun): readonly LogLine[] => {
  const { bytes } = run
  if (!isAscii(bytes) || hasOverlong(bytes)) return linesOf(run).filter((line) => isMatch(grep, line))
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const found: LogLine[] = []
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    if (grep.test(text.slice(at, end))) found.push({ ...run, bytes: bytes.subarray(at, end + 1) })
    at = end + 1
  }
  return found
}
