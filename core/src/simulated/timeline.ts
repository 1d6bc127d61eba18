/**
 * Virtual time: what is to happen when, and the only thing that makes it happen.
 *
 * Events run in order of their time, those of one moment in the order they were asked for, and everything one event
 * causes has been done before the next begins. Steady time moves only in `advance`; the wall clock can also `jump`.
 */
import { drainMicrotasks } from './drain.ts'

/** Whose timers they are: a supervisor's vanish with it. */
export type TimerOwner = object

interface Entry {
  readonly dueMs: number
  readonly order: number
  readonly fire: () => void
  readonly owner: TimerOwner | undefined
}

/** More events than this in one moment are timers that set themselves again without a delay. */
const maxEventsPerMoment = 100_000

/** Steady time does not start at 0, so that code which takes it for the wall clock or for a duration is noticed. */
const steadyOriginMs = 1_000_000

export class Timeline {
  /** Sorted by `dueMs`, then `order`. */
  readonly #entries: Entry[] = []
  #elapsedMs = 0
  #wallMs: number
  #order = 0
  #isMoving = false

  constructor(startMs: number) {
    this.#wallMs = startMs
  }

  /** Milliseconds of virtual time since the world began. */
  get elapsedMs(): number {
    return this.#elapsedMs
  }

  now(): number {
    return this.#wallMs + this.#elapsedMs
  }

  monotonic(): number {
    return steadyOriginMs + this.#elapsedMs
  }

  /** Set the wall clock forward or back; no timer fires because of it. */
  jump(ms: number): void {
    this.#wallMs += ms
  }

  /** Run `fire` once after `delayMs`; less than 0 counts as 0, which is later in this same moment. */
  after(delayMs: number, fire: () => void, owner?: TimerOwner): () => void {
    const dueMs = this.#elapsedMs + (delayMs > 0 ? delayMs : 0)
    const entry: Entry = { dueMs, order: this.#order++, fire, owner }
    this.#entries.splice(this.#indexOf(entry), 0, entry)
    return () => {
      const index = this.#indexOf(entry)
      if (this.#entries[index] === entry) this.#entries.splice(index, 1)
    }
  }

  /** How many timers of this owner are set. */
  countOf(owner: TimerOwner): number {
    return this.#entries.filter((entry) => entry.owner === owner).length
  }

  cancelAllOf(owner: TimerOwner): void {
    const others = this.#entries.filter((entry) => entry.owner !== owner)
    this.#entries.splice(0, this.#entries.length, ...others)
  }

  cancelAll(): void {
    this.#entries.length = 0
  }

  /** Let `ms` pass. @throws whatever an event throws; time then stands at that event. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`Time can't advance by ${ms} ms.`)
    const endMs = this.#elapsedMs + ms
    await this.#move(async () => {
      while (await this.#step(endMs));
      this.#elapsedMs = endMs
    })
  }

  /** Do what is due now and everything that follows from it, without moving time. */
  settle(): Promise<void> {
    return this.advance(0)
  }

  /** Go from event to event until the condition holds: true. False when it does not within `limitMs`; they have passed then. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#elapsedMs + limitMs
    let holds = false
    await this.#move(async () => {
      while (!(holds = condition()) && (await this.#step(endMs)));
      if (!holds) this.#elapsedMs = endMs
    })
    return holds
  }

  /** One event at a time, and one caller at a time: two that move the clock at once could not both be right. */
  async #move(work: () => Promise<void>): Promise<void> {
    if (this.#isMoving)
      throw new Error('Virtual time is moving already: await the first `advance`, `settle` or `until`.')
    this.#isMoving = true
    this.#eventsThisMoment = 0
    try {
      await drainMicrotasks()
      await work()
    } finally {
      this.#isMoving = false
    }
  }

  #eventsThisMoment = 0

  /** Run the next event if it is due by `endMs`, and all it causes. False when there is none. */
  async #step(endMs: number): Promise<boolean> {
    const next = this.#entries[0]
    if (next === undefined || next.dueMs > endMs) return false
    this.#eventsThisMoment = next.dueMs > this.#elapsedMs ? 0 : this.#eventsThisMoment + 1
    if (this.#eventsThisMoment > maxEventsPerMoment)
      throw new Error('Time stands still: something sets a timer without a delay again and again.')
    this.#entries.shift()
    this.#elapsedMs = next.dueMs
    next.fire()
    await drainMicrotasks()
    return true
  }

  /** Where an entry is, or belongs. */
  #indexOf({ dueMs, order }: Entry): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const entry = this.#entries[middle]
      if (entry !== undefined && (entry.dueMs < dueMs || (entry.dueMs === dueMs && entry.order < order)))
        low = middle + 1
      else high = middle
    }
    return low
  }
}
