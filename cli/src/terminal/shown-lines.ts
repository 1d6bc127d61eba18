/** Which lines were shown last, for one who goes on reading somewhere else: none comes twice. Pure. */
import type { LogRecord } from '@systemg/plugins/logs'

interface Last {
  readonly time: string
  /** So many lines of that time. */
  readonly count: number
}

export class ShownLines {
  /** Of each stream of each instance. */
  readonly #last = new Map<string, Last>()
  #toSkip = new Map<string, Last>()
  #latest: string | undefined

  /** The time of the latest line, wall clock, ms; `undefined` when there was none. */
  get latestMs(): number | undefined {
    return this.#latest === undefined ? undefined : Date.parse(this.#latest)
  }

  /** Lines that come from now on may have been shown. */
  goOn(): void {
    this.#toSkip = new Map(this.#last)
  }

  /** Whether this line is to be shown; then it counts as shown. Lines of a stream come in order. */
  take(record: LogRecord): boolean {
    const { time } = record
    const stream = `${record.service} ${record.instance} ${record.stream}`
    const skip = this.#toSkip.get(stream)
    if (skip !== undefined) {
      if (time < skip.time) return false
      if (time === skip.time && skip.count > 0) {
        this.#toSkip.set(stream, { time, count: skip.count - 1 })
        return false
      }
      if (time > skip.time) this.#toSkip.delete(stream)
    }
    const last = this.#last.get(stream)
    this.#last.set(stream, { time, count: last?.time === time ? last.count + 1 : 1 })
    if (this.#latest === undefined || time > this.#latest) this.#latest = time
    return true
  }
}
