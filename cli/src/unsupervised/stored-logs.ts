/** Log lines read from the files themselves: without a supervisor, or more of them than one answer of it can hold. */
import { readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import {
  displayTextOf,
  isAskedFor,
  listSources,
  readAll,
  readLast,
  recordOf,
  supervisorSource,
  type LogQuery,
  type LogRecord,
  type LogSource,
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

export interface StoredLogs {
  /** Services that have written something and are wanted. */
  readonly services: readonly string[]
  /** The earliest first. */
  readonly records: AsyncGenerator<LogRecord>
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
): Promise<StoredLogs> => {
  const sources = await sourcesOf(folder, selection, known)
  return { services: [...new Set(sources.map(({ service }) => service))], records: recordsOf(sources, selection) }
}

/** Forget what services wrote. Nobody may be writing. @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
export const clearStored = async (folder: string, services: readonly string[] | undefined): Promise<void> => {
  for (const { base } of await sourcesOf(folder, { services, kind: 'all' }, [])) {
    const stem = basename(base)
    for (const name of readdirSync(dirname(base))) {
      if (isFileOf(stem, name)) rmSync(join(dirname(base), name), { force: true })
    }
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

async function* recordsOf(sources: readonly LogSource[], selection: StoredSelection): AsyncGenerator<LogRecord> {
  const { lines, sinceMs, untilMs, grep } = selection
  const query: LogQuery = {
    sinceMs,
    untilMs,
    matches: grep === undefined ? undefined : ({ bytes }) => grep.test(displayTextOf(bytes)),
  }
  if (lines === undefined) for await (const line of readAll(nodeFiles, sources, query)) yield recordOf(line)
  else {
    const amount = { lines, bytes: Number.POSITIVE_INFINITY }
    for (const line of await readLast(nodeFiles, sources, amount, query)) yield recordOf(line)
  }
}

/** `stdout.log`, `stdout.idx.3`, … of the stem `stdout`; `build.stdout.log` is of another. */
const isFileOf = (stem: string, name: string): boolean =>
  name.startsWith(`${stem}.`) && /^(log|idx|ids)(\.\d+)?$/.test(name.slice(stem.length + 1))
