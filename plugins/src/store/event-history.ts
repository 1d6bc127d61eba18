/**
 * Events on disk: bounded, and numbered in a way that never repeats a number. What they have told so far is kept beside
 * them now and then, so that what was true at a moment is known although earlier events are gone.
 */
import { nothingTold, takeIn, type DurableLog, type DurableTable, type Store, type SysgEvent } from '@systemg/core'
import { asEvent, toDurable } from './records.ts'

/** Events kept. */
const kept = 10_000
/** Trimming costs a scan, so it is done now and then. */
const trimEvery = 1_000
/** One that is as old as the oldest event, and one to spare. */
const keptCheckpoints = kept / trimEvery + 2
/**
 * Events reach the disk in batches, so the last ones may be lost with the supervisor. Numbers are therefore reserved
 * ahead: after a violent death some are left out, but none is given twice.
 */
const reservedAtOnce = 256

/** Which events. */
export interface EventQuery {
  /** Only those with a higher number. */
  readonly after?: number | undefined
  /** Wall clock, ms. */
  readonly sinceMs?: number | undefined
  /** The newest so many. */
  readonly limit: number
  readonly matches: (event: SysgEvent) => boolean
  /** False: `matches` lets everything pass. Default true. */
  readonly isFiltered?: boolean
}

export class EventHistory {
  readonly #log: DurableLog
  readonly #checkpoints: DurableLog
  readonly #meta: DurableTable
  /** What the events of this supervisor have told: its first one makes everything before it worthless. */
  readonly #past = nothingTold()
  #last = 0
  #reserved = 0
  #sinceTrim = 0

  constructor(store: Pick<Store, 'log'>, meta: DurableTable) {
    this.#log = store.log('events')
    this.#checkpoints = store.log('checkpoints')
    this.#meta = meta
  }

  /** The highest number that may have been given. */
  highest(): number {
    const reserved = this.#meta.get('seq')
    const isValid = typeof reserved === 'number' && Number.isSafeInteger(reserved) && reserved >= 0
    return Math.max(this.#log.last(), isValid ? reserved : 0)
  }

  append(event: SysgEvent): void {
    takeIn(this.#past, event)
    this.#last = event.seq
    this.#log.append(event.seq, Date.parse(event.time), toDurable(event))
    this.#reserve(event.seq)
    this.#sinceTrim += 1
    if (this.#sinceTrim < trimEvery) return
    this.#sinceTrim = 0
    this.#checkpoints.append(event.seq, Date.parse(event.time), toDurable(this.#past))
    this.#log.trim(kept)
    this.#checkpoints.trim(keptCheckpoints)
  }

  /** In order. Damaged ones are left out. Only what is wanted is checked: of ten thousand that takes long. */
  read({ after, sinceMs, limit, matches, isFiltered = true }: EventQuery): readonly SysgEvent[] {
    this.#log.flush()
    const records = this.#log.read({
      ...(after === undefined ? {} : { after }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(isFiltered ? {} : { limit }),
    })
    const events: SysgEvent[] = []
    for (let at = records.length - 1; at >= 0 && events.length < limit; at--) {
      const event = asEvent(records[at]?.value ?? null)
      if (event !== undefined && matches(event)) events.push(event)
    }
    return events.reverse()
  }

  /** Everything is on disk afterwards, and no number stays reserved. */
  finish(): void {
    this.#log.flush()
    if (this.#last === 0) return
    this.#reserved = this.#last
    this.#meta.set('seq', this.#last)
  }

  #reserve(seq: number): void {
    if (seq <= this.#reserved) return
    this.#meta.set('seq', seq + reservedAtOnce)
    this.#reserved = seq + reservedAtOnce
  }
}
