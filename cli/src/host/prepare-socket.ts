/** Makes the place for a unix socket: folders that are ours alone, and the pointer to a path that had to be shortened. */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { attempt, errnoOf } from './host-error.ts'
import { pointerOf, requirePrivate, socketPath } from './socket-path.ts'

/**
 * Make the folder of the socket (0700) when it is missing. Returns the path to listen on.
 *
 * @throws {HostError} `EPERM` when the folder of a shortened path is a link, is not ours, or is open to others.
 */
export const prepareSocket = (path: string): string => {
  attempt(`make the folder of ${path}`, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }))
  const short = socketPath(path)
  if (short === path) return path
  attempt(`listen on ${short}`, () => {
    makeFolder(dirname(short))
    requirePrivate(dirname(short), process.getuid?.() ?? 0)
  })
  attempt(`write ${pointerOf(path)}`, () => {
    // As a whole: whoever reads it meanwhile must not find half of a path.
    const draft = `${pointerOf(path)}.new`
    writeFileSync(draft, `${short}\n`, { mode: 0o600 })
    chmodSync(draft, 0o600)
    renameSync(draft, pointerOf(path))
  })
  return short
}

const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (thrown) {
    if (errnoOf(thrown) !== 'EEXIST') throw thrown
  }
}
