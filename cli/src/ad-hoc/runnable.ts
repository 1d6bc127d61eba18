/** Whether a word names something that can be run. */
import { accessSync, constants, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** A path with a slash to a file that is there, or a name found on PATH. */
export const isRunnable = (word: string, cwd: string, path: string | undefined): boolean => {
  // One that may not be executed is meant all the same; starting it says what is wrong.
  if (word.includes('/')) return isFile(resolve(cwd, word))
  const places = (path ?? '').split(':').map((folder) => join(resolve(cwd, folder), word))
  return word !== '' && places.some((place) => isFile(place) && mayRun(place))
}

const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const mayRun = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
