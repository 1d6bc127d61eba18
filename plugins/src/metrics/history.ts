/**
 * What was measured, over the supervisor's death, in two logs of the history database: as it was measured for a while,
 * and condensed for as long as `retention` says. Each has a bounded number of records, however long that is.
 */
import { whyOf, type DurableLog, type Host } from '@systemg/core'
import { condensed, recordOf, rowOf, type Row, type Usage } from './rows.ts'

/** Of what is kept as it was measured: half an hour at one each 5 seconds. */
const rawRows = 360
/** About so many of what is condensed. */
const condensedRows = 720
const shortestBucketMs = 60_000
/** Forgetting costs a scan, so it is done now and then. */
const forgetEvery = 60

export class History {
  readonly #host: Pick<Host, 'clock' | 'trace'>
  readonly #raw: DurableLog
  readonly #condensed: DurableLog
  #retentionMs = 12 * 3_600_000
  #untilForget = 0
  /** Everything before is condensed, wall clock, ms; undefined until it has been looked up. */
  #doneMs: number | undefined

  constructor({ clock, trace, store }: Pick<Host, 'clock' | 'trace' | 'store'>) {
    this.#host = { clock, trace }
    this.#raw = store.log('metrics')
    this.#condensed = store.log('metrics_condensed')
  }

  configure(retentionMs: number): void {
    this.#retentionMs = retentionMs
    this.#untilForget = 0
  }

  append(spanMs: number, services: ReadonlyMap<string, Usage>): void {
    const timeMs = this.#host.clock.now()
    try {
      this.#put(this.#raw, { timeMs, spanMs, services })
      this.#condense(timeMs)
      this.#untilForget -= 1
      if (this.#untilForget <= 0) this.#forget(timeMs)
    } catch (thrown) {
      this.#host.trace('debug', `metrics can't be kept: ${whyOf(thrown)}`)
    }
  }

  /** Since a moment, wall clock, ms; the earliest first. */
  read(sinceMs: number): readonly Row[] {
    const nowMs = this.#host.clock.now()
    const since = Math.max(sinceMs, nowMs - this.#retentionMs)
    const raw = this.#rows(this.#raw, since, nowMs)
    const from = raw[0] === undefined ? Infinity : raw[0].timeMs - raw[0].spanMs
    // What is there as it was measured is not told twice. The clock may have been set, so the order is made.
    const before = this.#rows(this.#condensed, since, nowMs).filter(({ timeMs, spanMs }) => timeMs - spanMs / 2 <= from)
    return [...before, ...raw].sort((a, b) => a.timeMs - b.timeMs)
  }

  get #bucketMs(): number {
    const exact = this.#retentionMs / condensedRows
    return Math.max(1, Math.ceil(exact / shortestBucketMs)) * shortestBucketMs
  }

  /** Condense whatever bucket is over, also what an earlier supervisor has left. */
  #condense(nowMs: number): void {
    const bucketMs = this.#bucketMs
    const overMs = Math.floor(nowMs / bucketMs) * bucketMs
    this.#doneMs ??= this.#condensed.read({ limit: 1 })[0]?.timeMs ?? 0
    // The clock was set back: what is condensed from now on begins here.
    if (this.#doneMs > nowMs) this.#doneMs = overMs
    if (this.#doneMs >= overMs) return
    const done = this.#doneMs
    const rows = this.#rows(this.#raw, done, overMs).filter(({ timeMs }) => timeMs > done)
    for (const row of condensed(rows, bucketMs)) this.#put(this.#condensed, row)
    this.#doneMs = overMs
  }

  #forget(nowMs: number): void {
    this.#untilForget = forgetEvery
    const sinceMs = nowMs - this.#retentionMs
    this.#raw.trim(Math.min(rawRows, this.#raw.read({ sinceMs }).length))
    this.#condensed.trim(Math.min(2 * condensedRows, this.#condensed.read({ sinceMs }).length))
  }

  #put(log: DurableLog, row: Row): void {
    log.append(log.last() + 1, row.timeMs, recordOf(row))
  }

  #rows(log: DurableLog, sinceMs: number, untilMs: number): readonly Row[] {
    return log
      .read({ sinceMs })
      .filter(({ timeMs }) => timeMs <= untilMs)
      .flatMap(({ timeMs, value }) => rowOf(timeMs, value) ?? [])
  }
}
