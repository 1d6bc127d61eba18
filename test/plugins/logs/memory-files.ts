/** Files in memory whose disk can be full, for tests of what reads and writes log files. */
import { HostError, type Files } from '@systemg/core'

export interface MemoryFiles extends Files {
  /** Bytes that files may still grow by. */
  freeBytes: number
  /** Called before each read. */
  beforeRead: () => void
  /** Every file, sorted. */
  paths(): readonly string[]
  /** `undefined` when there is no file. */
  bytes(path: string): Uint8Array | undefined
  text(path: string): string | undefined
  replace(path: string, bytes: Uint8Array): void
}

/** Bytes with room to grow. */
class Content {
  #bytes = new Uint8Array(1_024)
  size = 0

  append(chunk: Uint8Array): void {
    if (this.size + chunk.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.size + chunk.length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.size)
    this.size += chunk.length
  }

  slice(start = 0, end = this.size): Uint8Array {
    return this.#bytes.slice(start, Math.min(end, this.size))
  }
}

export const memoryFiles = (): MemoryFiles => {
  const contents = new Map<string, Content>()
  const missing = (path: string) => new HostError('ENOENT', `no such file: ${path}`)
  const files: MemoryFiles = {
    freeBytes: Number.POSITIVE_INFINITY,
    beforeRead: () => undefined,
    paths: () => [...contents.keys()].sort(),
    bytes: (path) => contents.get(path)?.slice(),
    text: (path) => (contents.has(path) ? new TextDecoder().decode(contents.get(path)?.slice()) : undefined),
    replace(path, bytes) {
      contents.set(path, new Content())
      contents.get(path)?.append(bytes)
    },
    readText: async (path) => files.text(path),
    append(path) {
      const content = contents.get(path) ?? new Content()
      contents.set(path, content)
      return {
        get size() {
          return content.size
        },
        write(chunk) {
          if (chunk.length > files.freeBytes) throw new HostError('ENOSPC', 'no space left on device')
          files.freeBytes -= chunk.length
          content.append(chunk)
        },
        readEnd: (bytes) => content.slice(Math.max(0, content.size - bytes)),
        close: () => undefined,
      }
    },
    async read(path, start, end) {
      files.beforeRead()
      return contents.get(path)?.slice(start, end) ?? new Uint8Array(0)
    },
    size: async (path) => contents.get(path)?.size,
    rename(from, to) {
      const content = contents.get(from)
      if (content === undefined) throw missing(from)
      contents.delete(from)
      contents.set(to, content)
    },
    remove(path) {
      if (!contents.delete(path)) throw missing(path)
    },
    removeFolder: () => undefined,
    async list(path) {
      const names = [...contents.keys()]
        .filter((name) => name.startsWith(`${path}/`))
        .map((name) => name.slice(path.length + 1).split('/', 1)[0] ?? '')
      return [...new Set(names)].sort()
    },
  }
  return files
}
