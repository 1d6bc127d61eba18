/**
 * Makes named pipes, and keeps some in store: a service that starts must not wait for a command of its own (`mkfifo`),
 * least of all in a chain, where every wait adds up. Putting a spare pipe in its place is one system call.
 *
 * Spare pipes are kept open beyond this process already, so that a program need not wait for that either.
 */
import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { keepsNothing, type Keeper } from './held.ts'
import { makeFifo } from './make-fifos.ts'

/** Two for each of so many services. */
const mostSpares = 32
const fewSpares = 8

export class FifoMaker {
  /** On the file system of the pipes; ours alone. */
  readonly #folder: string
  readonly #spares: Spare[] = []
  readonly #keeper: Keeper
  #count = 0
  /** A system whose services all start at once needs none in store. */
  #isFirstTurn = true
  #filling: Promise<void> | undefined
  #isClosed = false

  constructor(folder: string, keeper: Keeper = keepsNothing) {
    this.#folder = folder
    this.#keeper = keeper
  }

  /** Make a named pipe (0600) where there is nothing. @throws {HostError} When that is not possible. */
  async make(path: string): Promise<void> {
    const hasSpare = this.#putSpare(path)
    if (!this.#isFirstTurn && this.#spares.length < fewSpares) this.#fill()
    if (this.#isFirstTurn) setImmediate(() => (this.#isFirstTurn = false))
    if (!hasSpare) await makeFifo(path)
  }

  /** Remove what is in store. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#filling
    for (const { letGo } of this.#spares.splice(0)) letGo()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #putSpare(path: string): boolean {
    const spare = this.#spares.pop()
    if (spare === undefined) return false
    try {
      renameSync(spare.path, path)
      return true
    } catch {
      // Somebody cleaned up, or it is on another file system: `mkfifo` says what is wrong, if anything is.
      return false
    } finally {
      // Whoever keeps it open does so until it is kept under its new name.
      spare.letGo()
    }
  }

  #fill(): void {
    if (this.#filling !== undefined || this.#isClosed) return
    this.#filling = this.#makeSpares()
      // The next service waits for its own pipe, or learns why there can be none.
      .catch(() => undefined)
      .finally(() => (this.#filling = undefined))
  }

  async #makeSpares(): Promise<void> {
    // What a killed supervisor left may have been moved or written to by anybody: begin anew.
    if (this.#count === 0) rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const paths = Array.from({ length: mostSpares - this.#spares.length }, () => {
      this.#count += 1
      return join(this.#folder, `${this.#count}`)
    })
    await Promise.all(paths.map(makeFifo))
    const spares: Spare[] = []
    try {
      for (const path of paths) spares.push(this.#keep(path))
      await this.#keeper.secured(spares.map(({ fd }) => fd))
      this.#spares.push(...spares)
    } catch (thrown) {
      for (const { letGo } of spares) letGo()
      throw thrown
    }
  }

  #keep(path: string): Spare {
    const fd = openSync(path, constants.O_RDWR)
    const forget = this.#keeper.keep({ kind: 'fifo', label: path, fd })
    const letGo = (): void => {
      forget()
      closeSync(fd)
    }
    return { path, fd, letGo }
  }
}

interface Spare {
  readonly path: string
  readonly fd: number
  readonly letGo: () => void
}
