/** A log file: written at its end, completely or not at all. */
import { closeSync, constants, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { HostError, type AppendFile } from '@systemg/core'
import { attempt, errnoOf, hostError } from './host-error.ts'
import { isInHand, writeInHand } from './in-hand.ts'
import type { KernelPipes } from './kernel-pipes.ts'

/** Open for appending. The folder is made when missing (0700, the file 0600). @throws {HostError} */
export const openAppend = (path: string): AppendFile => {
  const { O_APPEND, O_CREAT, O_RDWR } = constants
  const fd = attempt(`open ${path}`, () => {
    try {
      return openSync(path, O_APPEND | O_CREAT | O_RDWR, 0o600)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'ENOENT') throw thrown
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      return openSync(path, O_APPEND | O_CREAT | O_RDWR, 0o600)
    }
  })
  return new OpenAppendFile(path, fd)
}

export class OpenAppendFile implements AppendFile {
  readonly #path: string
  #fd: number | undefined
  #moving: number | undefined
  #size: number

  constructor(path: string, fd: number) {
    this.#path = path
    this.#fd = fd
    this.#size = fstatSync(fd).size
  }

  get size(): number {
    return this.#size
  }

  write(chunk: Uint8Array): void {
    const fd = this.#fd
    if (fd === undefined) throw new HostError('EBADF', `write ${this.#path}: it is closed`)
    try {
      if (isInHand(chunk)) writeInHand(chunk, this.#mover())
      else for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done)
      this.#size += chunk.length
    } catch (thrown) {
      this.#cutBack(fd)
      throw hostError(`write ${this.#path}`, thrown)
    }
  }

  /** Move the next bytes of a pipe here. Returns how many; 0 when that is not possible. */
  moveFrom(pipe: number, most: number, kernel: KernelPipes): number {
    if (this.#fd === undefined) return 0
    const moved = kernel.moveToEnd(pipe, this.#mover(), most)
    this.#size += moved
    return moved
  }

  readEnd(bytes: number): Uint8Array {
    const fd = this.#fd
    if (fd === undefined) throw new HostError('EBADF', `read ${this.#path}: it is closed`)
    const end = new Uint8Array(Math.min(bytes, this.#size))
    return attempt(`read ${this.#path}`, () =>
      end.subarray(0, readSync(fd, end, 0, end.length, this.#size - end.length)),
    )
  }

  close(): void {
    const fd = this.#fd
    this.#fd = undefined
    if (fd !== undefined) closeSync(fd)
    if (this.#moving !== undefined) closeSync(this.#moving)
    this.#moving = undefined
  }

  /** The kernel moves nothing into a file that is open for appending. */
  #mover(): number {
    return (this.#moving ??= openSync(`/proc/self/fd/${this.#fd ?? -1}`, constants.O_WRONLY))
  }

  /** Take back what a failed write has left. A device can't be cut, and then there is nothing to take back. */
  #cutBack(fd: number): void {
    try {
      ftruncateSync(fd, this.#size)
    } catch {
      this.#size = fstatSync(fd).size
    }
  }
}
