/** Writes a file as a whole, or not at all. */
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { initError, whyOf } from './errors.ts'

/**
 * @param name - As people know the file, for errors.
 * @param options.replace - Take the place of a file that is there. Without it that is an error.
 * @throws {SysgError} `SYSG_INIT_EXISTS`, `SYSG_INIT_WRITE`.
 */
export const writeFile = (path: string, name: string, text: string, options: { replace: boolean }): void => {
  try {
    if (options.replace) replaceWhole(path, text)
    else writeOrNothing(path, text)
  } catch (thrown) {
    if (isExisting(thrown)) throw initError('SYSG_INIT_EXISTS', { file: path })
    throw initError('SYSG_INIT_WRITE', { file: name, why: whyOf(thrown) })
  }
}

const replaceWhole = (path: string, text: string): void => {
  const file = realOf(path)
  // A device, such as /dev/stdout, is written to, not replaced.
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) {
    writeFileSync(file, text)
    return
  }
  const draft = join(dirname(file), `.sysg-init-${process.pid}`)
  try {
    writeOrNothing(draft, text)
    renameSync(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

const writeOrNothing = (path: string, text: string): void => {
  try {
    writeFileSync(path, text, { flag: 'wx' })
  } catch (thrown) {
    if (!isExisting(thrown)) rmSync(path, { force: true })
    throw thrown
  }
}

const isExisting = (thrown: unknown): boolean => thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST'

/** A link stays a link. */
const realOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
