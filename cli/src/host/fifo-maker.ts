/**
 * Makes named pipes, and keeps some in store: a service that starts must not wait for a command of its own (`mkfifo`),
 * least of all in a chain, where every wait adds up. Putting a spare pipe in its place is one system call.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { makeFifo } from './make-fifos.ts'

/** Two for each of so many services. */
const mostSpares = 32
const fewSpares = 8

export class FifoMaker {
  /** On the file system of the pipes; ours alone. */
  readonly #folder: string
  readonly #spares: string[] = []
  #count = 0
  /** A system whose services all start at once needs none in store. */
  #isFirstTurn = true
  #filling: Promise<void> | undefined
  #isClosed = false

  constructor(folder: string) {
    this.#folder = folder
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
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #putSpare(path: string): boolean {
    const spare = this.#spares.pop()
    if (spare === undefined) return false
    try {
      renameSync(spare, path)
      return true
    } catch {
      // Somebody cleaned up, or it is on another file system: `mkfifo` says what is wrong, if anything is.
      return false
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
    this.#spares.push(...paths)
  }
}
