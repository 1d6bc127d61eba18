/**
 * What one endpoint is still to be told, on disk before anything is sent: no delivery is lost with the supervisor. Bounded;
 * of a full one the oldest that waits is left out and counted.
 */
import { once, whyOf, type Durable, type DurableLog, type DurableTable, type Host } from '@systemg/core'
import * as z from 'zod/mini'
import type { Delivery } from './attempt.ts'

/** How far the first delivery has come, and what was lost. */
export interface Progress {
  /** How often the first delivery has failed. */
  readonly failures: number
  /** Not before, wall clock, ms. */
  readonly nextAt: number
  /** Left out since the outbox was made, as it was full. */
  readonly dropped: number
  /** Given up since then. */
  readonly failed: number
}

const progress = once(() =>
  z.object({
    failures: z.int(),
    nextAt: z.number(),
    dropped: z.int(),
    failed: z.int(),
  }),
)
const delivery = once(() => z.object({ id: z.string(), type: z.string(), body: z.string() }))

const nothing: Progress = { failures: 0, nextAt: 0, dropped: 0, failed: 0 }

/** Deliveries of one endpoint that may wait. */
const mostWaiting = 1_000

export class Outbox {
  readonly #host: Pick<Host, 'clock' | 'store' | 'trace'>
  readonly #key: string
  readonly #log: DurableLog
  readonly #table: DurableTable
  /** Numbers of what waits, the oldest first. */
  readonly #waiting: number[]
  #progress: Progress
  #isFailing = false

  constructor(host: Pick<Host, 'clock' | 'store' | 'trace'>, key: string) {
    this.#host = host
    this.#key = key
    this.#log = host.store.log(logName(key))
    this.#table = host.store.table(tableName)
    this.#waiting = this.#log.read({}).map(({ seq }) => seq)
    this.#progress = progress().safeParse(this.#table.get(key)).data ?? nothing
  }

  get size(): number {
    return this.#waiting.length
  }

  get progress(): Progress {
    return this.#progress
  }

  /** @param isFirstBusy - The first one is under way, and can't be left out. Returns how many were left out. */
  add(delivery: Delivery, isFirstBusy: boolean): number {
    const seq = Math.max(this.#log.last(), this.#waiting.at(-1) ?? 0) + 1
    this.#quietly(() => {
      this.#log.append(seq, this.#host.clock.now(), { ...delivery })
      this.#log.flush()
    })
    this.#waiting.push(seq)
    const excess = this.#waiting.length - mostWaiting
    if (excess <= 0) return 0
    // The next one has all its tries, and waits as long: it is the endpoint that is away.
    for (const old of this.#waiting.splice(isFirstBusy ? 1 : 0, excess)) this.#quietly(() => this.#log.remove(old))
    this.#write({
      ...this.#progress,
      dropped: this.#progress.dropped + excess,
      ...(isFirstBusy ? {} : { failures: 0 }),
    })
    return excess
  }

  /** The oldest that waits. What can't be read is left out. */
  first(): Delivery | undefined {
    for (let [seq] = this.#waiting; seq !== undefined; [seq] = this.#waiting) {
      const [record] = this.#log.read({ after: seq - 1, first: 1 })
      const found = record?.seq === seq ? delivery().safeParse(record.value).data : undefined
      if (found !== undefined) return found
      this.#shift()
    }
    return undefined
  }

  /** The first one was delivered, or is given up. */
  done(how: 'delivered' | 'failed'): void {
    this.#shift()
    const { failed } = this.#progress
    this.#write({ ...this.#progress, ...notTried, failed: how === 'failed' ? failed + 1 : failed })
  }

  /** The first one is to be tried again. */
  postpone(delayMs: number): void {
    const { failures } = this.#progress
    this.#write({ ...this.#progress, failures: failures + 1, nextAt: this.#host.clock.now() + delayMs })
  }

  #shift(): void {
    const seq = this.#waiting.shift()
    if (seq !== undefined) this.#quietly(() => this.#log.remove(seq))
  }

  #write(next: Progress): void {
    this.#progress = next
    this.#quietly(() =>
      this.#host.store.transaction(() => this.#table.set(this.#key, { ...next }), { survives: 'crash' }),
    )
  }

  /** A disk that takes nothing costs deliveries their safety, and nothing else. */
  #quietly(write: () => void): void {
    try {
      write()
      this.#isFailing = false
    } catch (thrown) {
      if (!this.#isFailing) this.#host.trace('warn', `Deliveries are not recorded: ${whyOf(thrown)}`)
      this.#isFailing = true
    }
  }
}

/** Forget endpoints that no config has any more, with what they were still to be told. Returns how much that was. */
export const forgetOthers = ({ store }: Pick<Host, 'store'>, keys: ReadonlySet<string>): number => {
  const table = store.table(tableName)
  let lost = 0
  for (const [key] of table.entries()) {
    if (keys.has(key)) continue
    const log = store.log(logName(key))
    lost += log.read({}).length
    log.trim(0)
    table.delete(key)
  }
  return lost
}

/** Remember that there is an outbox, so that it can be forgotten. */
export const remember = ({ store }: Pick<Host, 'store'>, key: string): void => {
  const table = store.table(tableName)
  if (table.get(key) === undefined) table.set(key, { ...nothing } satisfies Durable)
}

const notTried = { failures: 0, nextAt: 0 }
const tableName = 'webhooks'
const logName = (key: string) => `webhook ${key}`
