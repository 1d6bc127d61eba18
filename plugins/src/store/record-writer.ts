/**
 * Writes what must outlive the supervisor, at once. What the disk does not take is kept and tried again, with whatever
 * comes next and every second: a record may be late, but a service that nobody remembers would get a second copy.
 */
import { whyOf, type Durable, type DurableTable, type Host } from '@systemg/core'

/** One record, or that it is gone. */
export interface Change {
  readonly table: DurableTable
  /** Of the table: with the key it says what is changed. */
  readonly name: string
  readonly key: string
  readonly value: Durable | undefined
}

type Survives = 'crash' | 'power-cut'

const retryMs = 1_000

export class RecordWriter {
  readonly #host: Pick<Host, 'store' | 'clock' | 'trace'>
  readonly #pending = new Map<string, Change>()
  #survives: Survives = 'crash'
  #stopWaiting: (() => void) | undefined
  #isFailing = false

  constructor(host: Pick<Host, 'store' | 'clock' | 'trace'>) {
    this.#host = host
  }

  /** All of these changes at once, or none yet. @throws {HostError} when the disk begins to refuse. */
  write(changes: readonly Change[], survives: Survives): void {
    for (const change of changes) this.#pending.set(`${change.name}/${change.key}`, change)
    if (survives === 'power-cut') this.#survives = survives
    const wasFailing = this.#isFailing
    try {
      this.#flush()
    } catch (thrown) {
      if (!wasFailing) throw thrown
    }
  }

  /** Try once more, and no further. */
  close(): void {
    this.#flushQuietly()
    this.#stopWaiting?.()
  }

  #flush(): void {
    this.#stopWaiting?.()
    if (this.#pending.size === 0) return
    try {
      this.#host.store.transaction(() => this.#putAll(), { survives: this.#survives })
    } catch (thrown) {
      this.#isFailing = true
      this.#stopWaiting = this.#host.clock.timer(retryMs, () => this.#flushQuietly())
      throw thrown
    }
    this.#pending.clear()
    this.#survives = 'crash'
    if (this.#isFailing) this.#host.trace('info', 'What could not be written down is written down now')
    this.#isFailing = false
  }

  #flushQuietly(): void {
    try {
      this.#flush()
    } catch (thrown) {
      this.#host.trace('debug', `records can't be written: ${whyOf(thrown)}`)
    }
  }

  #putAll(): void {
    for (const { table, key, value } of this.#pending.values()) {
      if (value === undefined) table.delete(key)
      else table.set(key, value)
    }
  }
}
