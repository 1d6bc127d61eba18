/** Files below the folders that systemg owns, and those a config names. */

/** A file that only grows. Writes are complete when the call returns. */
export interface AppendFile {
  /** Bytes in the file. */
  readonly size: number
  /** Append; throws `HostError` (`ENOSPC`, `EIO`, …). A partial write is cut off again before it throws. */
  write(chunk: Uint8Array): void
  /** The last bytes of the file, at most so many. */
  readEnd(bytes: number): Uint8Array
  close(): void
}

/** Files below the folders that systemg owns, and those a config names. Paths are absolute. */
export interface Files {
  /** Text of a file; `undefined` when there is none. Throws `HostError` for any other failure. */
  readText(path: string): Promise<string | undefined>
  /** Open for appending; the folder is made when missing (0700, files 0600). */
  append(path: string): AppendFile
  /** Bytes `start` (inclusive) to `end` (exclusive); fewer at the end of the file; empty when there is no file. */
  read(path: string, start: number, end: number): Promise<Uint8Array>
  /** Size in bytes; `undefined` when there is no file. */
  size(path: string): Promise<number | undefined>
  rename(from: string, to: string): void
  remove(path: string): void
  /** Remove a folder in which nothing is; any other is left as it is. */
  removeFolder(path: string): void
  /** Names in a folder, sorted; empty when there is none. */
  list(path: string): Promise<readonly string[]>
}
