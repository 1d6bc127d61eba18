/**
 * Reads the files of one stream, also while they are written and rotated, by this process or another one.
 * A file is known by its generation, whatever its name is at the moment.
 */
import type { Files } from '@systemg/core'
import { indexPath, instancesPath, logPath } from './layout.ts'
import { parseMarks, type Mark } from './marks.ts'
import { generationOf, TimeIndex } from './time-index.ts'

/** One file of a stream, as large as it was when it was opened. */
export interface LogFile {
  readonly generation: number
  readonly sizeBytes: number
  readonly index: TimeIndex
  /** Sorted by offset. */
  readonly marks: readonly Mark[]
  /** Bytes `start` to `end`; fewer when the file has been rotated away meanwhile. */
  read(start: number, end: number): Promise<Uint8Array>
}

/** Tries to find a file under its new name before it counts as gone. */
const attempts = 5

/** The files of a stream, the oldest first. Looked up from the newest on: a rotation meanwhile then hides none. */
export const openLogFiles = async (files: Files, base: string): Promise<readonly LogFile[]> => {
  const found = new Map<number, LogFile>()
  let newer: number | undefined
  for (let age = 0; age === 0 || (await files.size(logPath(base, age))) !== undefined; age++) {
    const known = await generationOf(files, indexPath(base, age))
    const generation = known ?? (newer ?? 0) - 1
    const file = await openLogFile(files, base, age, generation, known !== undefined)
    if (file.sizeBytes > 0) found.set(generation, file)
    if (known !== undefined || file.sizeBytes > 0) newer = generation
  }
  return [...found.values()].sort((a, b) => a.generation - b.generation)
}

const openLogFile = async (
  files: Files,
  base: string,
  age: number,
  generation: number,
  isIndexed: boolean,
): Promise<LogFile> => {
  let present = age
  /** Generations are consecutive, so the one under a name tells how far the file has moved. */
  const locate = async (): Promise<boolean> => {
    if (!isIndexed) return true
    for (let at = present, attempt = 1; attempt <= attempts; attempt++) {
      const found = await generationOf(files, indexPath(base, at))
      if (found === generation) {
        present = at
        return true
      }
      at += found === undefined ? 1 : Math.max(1, found - generation)
    }
    return false
  }
  /** What `look` finds, if the file had the same name before and after; the last time it is believed anyway. */
  const settled = async <T>(
    look: (age: number) => Promise<T>,
    isWhole: (found: T) => boolean,
  ): Promise<T | undefined> => {
    for (let attempt = 1; await locate(); attempt++) {
      const before = present
      const found = await look(present)
      const isSure = isWhole(found) && (await locate()) && present === before
      if (isSure || attempt === attempts) return found
    }
    return undefined
  }
  const readFrom = async (path: typeof logPath, start: number, end: number): Promise<Uint8Array> =>
    (await settled(
      (at) => files.read(path(base, at), start, end),
      ({ length }) => length === end - start,
    )) ?? new Uint8Array(0)
  const sizes = await settled(
    async (at) => ({
      log: await files.size(logPath(base, at)),
      index: await files.size(indexPath(base, at)),
      marks: await files.readText(instancesPath(base, at)),
    }),
    () => true,
  )
  return {
    generation,
    sizeBytes: sizes?.log ?? 0,
    index: new TimeIndex((start, end) => readFrom(indexPath, start, end), sizes?.index ?? 0),
    marks: parseMarks(sizes?.marks ?? ''),
    read: (start, end) => readFrom(logPath, start, end),
  }
}
