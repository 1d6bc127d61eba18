/**
 * Where a unix socket really is. The kernel allows about 107 bytes for its path; a longer one is replaced by a short one
 * in a folder of our own below `/tmp`, and a file `socket-path` beside the original says where.
 *
 * Loaded by every command: imports nothing but Node.
 */
import { dirname, join } from 'node:path'
import { fs, sha256 } from '../builtin.ts'

const longestPathBytes = 100

/** The path to listen on for somebody with this user id. */
export const socketPath = (path: string, uid = ownUid()): string => {
  if (Buffer.byteLength(path) <= longestPathBytes) return path
  const hash = sha256(path).slice(0, 32)
  return join(shortFolder(uid), `${hash}.sock`)
}

/**
 * The path to connect to: of a supervisor that may belong to another user.
 *
 * @throws {Error} With code `EPERM` when the short folder could be somebody else's.
 */
export const findSocket = (path: string): string => {
  if (Buffer.byteLength(path) <= longestPathBytes) return path
  const owner = fs.lstatSync(dirname(path), { throwIfNoEntry: false })?.uid ?? ownUid()
  const found = readPointer(path) ?? socketPath(path, owner)
  if (dirname(found) === shortFolder(owner)) requirePrivate(dirname(found), owner)
  return found
}

/**
 * Anybody may make a folder below `/tmp`: only one that nobody else can change is good. A missing one passes.
 *
 * @throws {Error} With code `EPERM`.
 */
export const requirePrivate = (folder: string, uid: number): void => {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (stats === undefined) return
  const problem = !stats.isDirectory()
    ? 'it is not a folder'
    : stats.uid !== uid
      ? `it belongs to user ${stats.uid}`
      : (stats.mode & 0o077) !== 0
        ? 'others may use it'
        : undefined
  if (problem !== undefined) {
    throw Object.assign(new Error(`${folder} can't hold the control socket: ${problem}`), { code: 'EPERM' })
  }
}

/** The file beside the original path that holds the real one. */
export const pointerOf = (path: string): string => join(dirname(path), 'socket-path')

const ownUid = (): number => process.getuid?.() ?? 0

const shortFolder = (uid: number): string => `/tmp/systemg-${uid}`

const readPointer = (path: string): string | undefined => {
  try {
    const found = fs.readFileSync(pointerOf(path), 'utf8').trim()
    return found === '' ? undefined : found
  } catch {
    return undefined
  }
}
