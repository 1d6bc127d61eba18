/** Files on disk. Every failure but a missing file is a `HostError`. */
import { renameSync, rmdirSync, unlinkSync } from 'node:fs'
import { open, readFile, readdir, stat } from 'node:fs/promises'
import type { Files } from '@systemg/core'
import { openAppend } from './append-file.ts'
import { attempt, hostError, isMissing } from './host-error.ts'

export const nodeFiles: Files = {
  readText: (path) => orMissing(`read ${path}`, () => readFile(path, 'utf8'), undefined),

  append: openAppend,

  read: (path, start, end) => orMissing(`read ${path}`, () => readRange(path, start, end), new Uint8Array()),

  size: (path) => orMissing(`look at ${path}`, async () => (await stat(path)).size, undefined),

  rename: (from, to) => attempt(`rename ${from} to ${to}`, () => renameSync(from, to)),

  remove: (path) => {
    try {
      unlinkSync(path)
    } catch (thrown) {
      if (!isMissing(thrown)) throw hostError(`remove ${path}`, thrown)
    }
  },

  removeFolder: (path) => {
    try {
      rmdirSync(path)
    } catch (thrown) {
      if (!isMissing(thrown) && !isInUse(thrown)) throw hostError(`remove ${path}`, thrown)
    }
  },

  list: (path) => orMissing(`list ${path}`, async () => (await readdir(path)).sort(), []),
}

/** Something is in it, or it is no folder. */
const isInUse = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(String(thrown.code))

const orMissing = async <T, M>(what: string, body: () => Promise<T>, missing: M): Promise<T | M> => {
  try {
    return await body()
  } catch (thrown) {
    if (isMissing(thrown)) return missing
    throw hostError(what, thrown)
  }
}

const readRange = async (path: string, start: number, end: number): Promise<Uint8Array> => {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - Math.max(start, 0)))
    let done = 0
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, Math.max(start, 0) + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  } finally {
    await file.close()
  }
}
