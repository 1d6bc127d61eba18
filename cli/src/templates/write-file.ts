/** Writes a file as a whole, or not at all. */
import { realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * @param options.replace - Take the place of a file that is there. Without it that is an error.
 * @throws {Error} with Node's `code`: `EEXIST`, `ENOSPC`, `EACCES`, …
 */
export const writeWhole = (path: string, text: string, options: { replace: boolean }): void => {
  if (!options.replace) {
    writeOrNothing(path, text)
    return
  }
  const file = realOf(path)
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
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) rmSync(path, { force: true })
    throw thrown
  }
}

/** A link stays a link. */
const realOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
