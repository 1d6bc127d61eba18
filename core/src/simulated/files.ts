/**
 * Files in memory, by absolute path. Folders exist as long as something is in them.
 *
 * An open file follows its content, not its name: who renames it goes on appending to it, as log rotation needs.
 */
import { HostError, type AppendFile, type Files } from '../host.ts'
import type { Faults } from './faults.ts'
import type { Supervisor } from './supervisor.ts'

/** Bytes that grow at the end. */
class FileContent {
  #bytes = new Uint8Array(256)
  #size = 0

  get size(): number {
    return this.#size
  }

  append(chunk: Uint8Array): void {
    const size = this.#size + chunk.length
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#size)
    this.#size = size
  }

  read(start = 0, end = this.#size): Uint8Array {
    return this.#bytes.slice(start, Math.max(start, Math.min(end, this.#size)))
  }
}

/** The disk of a world. Tests read and write it directly. */
export class FileTree {
  readonly #contents = new Map<string, FileContent>()
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** Replace a file's content, whatever the faults say. */
  write(path: string, data: string | Uint8Array): void {
    const content = new FileContent()
    content.append(typeof data === 'string' ? new TextEncoder().encode(data) : data)
    this.#contents.set(path, content)
  }

  /** The text of a file; undefined when there is none. @throws {HostError} `EISDIR`. */
  text(path: string): string | undefined {
    const content = this.#contents.get(path)
    if (content === undefined && this.list(path).length > 0)
      throw new HostError('EISDIR', `EISDIR: illegal operation on a directory, read '${path}'`)
    return content === undefined ? undefined : new TextDecoder('utf-8', { ignoreBOM: true }).decode(content.read())
  }

  /** Names in a folder, sorted by code unit. */
  list(path: string): readonly string[] {
    const prefix = path.endsWith('/') ? path : `${path}/`
    const names = new Set<string>()
    for (const other of this.#contents.keys())
      if (other.startsWith(prefix)) names.add(other.slice(prefix.length).split('/', 1)[0] ?? '')
    return [...names].sort()
  }

  remove(path: string): void {
    this.#contents.delete(path)
  }

  rename(from: string, to: string): void {
    const content = this.#contents.get(from)
    if (content === undefined)
      throw new HostError('ENOENT', `ENOENT: no such file or directory, rename '${from}' -> '${to}'`)
    this.#contents.delete(from)
    this.#contents.set(to, content)
  }

  find(path: string): FileContent | undefined {
    return this.#contents.get(path)
  }

  /** The file to append to; made when missing. @throws {HostError} `EISDIR`, `ENOTDIR`. */
  open(path: string): FileContent {
    if (this.list(path).length > 0)
      throw new HostError('EISDIR', `EISDIR: illegal operation on a directory, open '${path}'`)
    if (foldersOf(path).some((folder) => this.#contents.has(folder)))
      throw new HostError('ENOTDIR', `ENOTDIR: not a directory, open '${path}'`)
    const content = this.#contents.get(path) ?? new FileContent()
    this.#contents.set(path, content)
    return content
  }

  /** @throws {HostError} `ENOSPC`; nothing has been written then. */
  grow(content: FileContent, chunk: Uint8Array): void {
    if (chunk.length > this.#faults.diskFreeBytes)
      throw new HostError('ENOSPC', 'ENOSPC: no space left on device, write')
    this.#faults.diskFreeBytes -= chunk.length
    content.append(chunk)
  }
}

/** The port of one supervisor. */
export const createFiles = (tree: FileTree, supervisor: Supervisor): Files => ({
  readText: (path) => supervisor.call('files.readText', () => tree.text(path)),
  append: (path) => openForAppend(tree, supervisor, path),
  read: (path, start, end) =>
    supervisor.call('files.read', () => tree.find(path)?.read(start, end) ?? new Uint8Array(0)),
  size: (path) => supervisor.call('files.size', () => tree.find(path)?.size),
  rename: (from, to) => supervisor.effect('files.rename', () => tree.rename(from, to)),
  remove: (path) => supervisor.effect('files.remove', () => tree.remove(path)),
  // Here a folder is there as long as something is in it.
  removeFolder: () => supervisor.effect('files.removeFolder', () => undefined),
  list: (path) => supervisor.call('files.list', () => tree.list(path)),
})

const openForAppend = (tree: FileTree, supervisor: Supervisor, path: string): AppendFile => {
  let content = new FileContent()
  supervisor.effect('files.append', () => void (content = tree.open(path)))
  let isOpen = true
  return {
    get size() {
      return content.size
    },
    write: (chunk) => {
      if (!isOpen) throw new HostError('EBADF', `EBADF: bad file descriptor, write '${path}'`)
      supervisor.effect('files.write', () => tree.grow(content, chunk))
    },
    readEnd: (bytes) => content.read(Math.max(0, content.size - bytes)),
    close: () => void (isOpen = false),
  }
}

const foldersOf = (path: string): string[] => {
  const parts = path.split('/')
  return parts.slice(1, -1).map((_, index) => parts.slice(0, index + 2).join('/'))
}
