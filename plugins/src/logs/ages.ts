/** The files of a stream by age: 0 is being written, the highest is the oldest. */
import { HostError, type Files } from '@systemg/core'
import { indexPath, instancesPath, logPath } from './layout.ts'

/** How many files of a stream there are; at least `atLeast` are assumed. */
export const countAges = async (files: Files, base: string, atLeast = 1): Promise<number> => {
  let age = atLeast
  while ((await files.size(logPath(base, age))) !== undefined) age++
  return age
}

/** @throws {HostError} */
export const removeAge = (files: Files, base: string, age: number): void => {
  for (const path of pathsOf) unlessMissing(() => files.remove(path(base, age)))
}

/** Make a file one older. The log goes first: a reader that finds no log looks for it again. @throws {HostError} */
export const renameAge = (files: Files, base: string, age: number): void => {
  for (const path of pathsOf) unlessMissing(() => files.rename(path(base, age), path(base, age + 1)))
}

const pathsOf = [logPath, indexPath, instancesPath]

const unlessMissing = (body: () => void): void => {
  try {
    body()
  } catch (thrown) {
    if (!(thrown instanceof HostError) || thrown.errno !== 'ENOENT') throw thrown
  }
}
