/** Files on disk. Every failure but a missing file is a `HostError`. */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmdirSync, statSync, unlinkSync } from 'node:fs'
import { open, readFile, readdir } from 'node:fs/promises'
import type { Files } from '@systemg/core'
import { openAppend } from './append-file.ts'
import { attempt, hostError, isMissing } from './host-error.ts'

export const nodeFiles: Files = {
  readText: (path) => orMissing(`read ${path}`, () => readFile(path, 'utf8'), undefined),

  append: openAppend,

  read: (path, start, end) =>
    orMissing(
      `read ${path}`,
      () => (end - start <= fewBytes ? readNow(path, start, end) : readRange(path, start, end)),
      new Uint8Array(),
    ),

  size: (path) => orMissing(`look at ${path}`, () => statSync(path, { throwIfNoEntry: false })?.size, undefined),

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

/** So few are read at once: the way to a thread of Node and back, for each step of it, takes many times as long. */
const fewBytes = 4096

/** Something is in it, or it is no folder. */
const isInUse = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(String(thrown.code))

const orMissing = async <T, M>(what: string, body: () => T | Promise<T>, missing: M): Promise<T | M> => {
  try {
    return await body()
  } catch (thrown) {
    if (isMissing(thrown)) return missing
    throw hostError(what, thrown)
  }
}

const readNow = (path: string, start: number, end: number): Uint8Array => {
  const file = openSync(path, 'r')
  try {
    const bytes = placeFor(start, end, fstatSync(file).size)
    for (let done = 0; done < bytes.length;) {
      const bytesRead = readSync(file, bytes, done, bytes.length - done, Math.max(start, 0) + done)
      if (bytesRead === 0) return bytes.subarray(0, done)
      done += bytesRead
    }
    return bytes
  } finally {
    closeSync(file)
  }
}

const readRange = async (path: string, start: number, end: number): Promise<Uint8Array> => {
  const file = await open(path, 'r')
  try {
    const bytes = placeFor(start, end, (await file.stat()).size)
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

/** For those bytes of a range that a file of this size has. */
const placeFor = (start: number, end: number, size: number): Uint8Array =>
  new Uint8Array(Math.max(0, Math.min(end, size) - Math.max(start, 0)))
