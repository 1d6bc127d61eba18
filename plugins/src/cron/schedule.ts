/** Where the schedule of one service stands: what is decided, what is due, what comes next. Pure but for its own state. */
import { calendarOf, type Calendar } from './calendar.ts'
import { dueUntil, markAt, soonMs } from './due.ts'
import type { Cron } from './options.ts'

/** What an earlier supervisor had come to. */
export interface Left {
  /** Everything due until then was decided; null: the schedule was off. */
  readonly settled: number | null
  /** It ended in order: what was due from then on was not its own to run. */
  readonly closed: boolean
}

export class Schedule {
  #calendar: Calendar
  #key: string
  /** Everything due until then is decided; undefined while the schedule is off. */
  #settled: number | undefined
  #next: number | undefined
  #left: Left | undefined

  constructor(cron: Cron) {
    this.#calendar = calendarOf(cron)
    this.#key = keyOf(cron)
  }

  /** Expression and time zone. */
  get key(): string {
    return this.#key
  }

  /** Wall clock, ms. */
  get next(): number | undefined {
    return this.#next
  }

  get isOn(): boolean {
    return this.#settled !== undefined
  }

  /** What to remember. */
  get left(): Left {
    if (this.#settled !== undefined) return { settled: this.#settled, closed: false }
    return this.#left ?? { settled: null, closed: true }
  }

  restore(left: Left): void {
    this.#left = left
  }

  /** From now on another one may hold. */
  configure(cron: Cron, now: number): void {
    if (keyOf(cron) === this.#key) return
    this.#calendar = calendarOf(cron)
    this.#key = keyOf(cron)
    this.#left = undefined
    if (this.#settled !== undefined) this.#mark(now)
  }

  /**
   * Due times count from now on; those that were missed for a moment only, because a supervisor was killed, count, too.
   *
   * @returns the last due time that was missed otherwise.
   */
  turnOn(now: number): number | undefined {
    if (this.#settled !== undefined) return undefined
    const { settled, closed } = this.left
    this.#left = undefined
    if (settled === null) {
      this.#mark(now)
      return undefined
    }
    const mark = markAt(this.#calendar, settled, now)
    const first = this.#calendar.after(mark)
    const isMissed = first !== undefined && first <= now
    const isLong = isMissed && (closed || first < now - soonMs)
    this.#mark(isLong ? now : mark)
    return isLong ? dueUntil(this.#calendar, mark, now).at(-1) : undefined
  }

  /** Nothing is due any more. `isClosed`: the system ends, and what is due until it is back may be caught up with. */
  turnOff({ isClosed = false } = {}): void {
    this.#left = isClosed ? { settled: this.left.settled, closed: true } : undefined
    this.#settled = undefined
    this.#next = undefined
  }

  /** What is to be decided now, in order. It is never given again. */
  look(now: number): readonly number[] {
    if (this.#settled === undefined) return []
    const mark = markAt(this.#calendar, this.#settled, now)
    if (mark !== this.#settled) this.#mark(mark)
    if (this.#next === undefined || this.#next > now) return []
    const due = dueUntil(this.#calendar, mark, now)
    this.#mark(due.at(-1) ?? mark)
    return due
  }

  #mark(settled: number): void {
    this.#settled = settled
    this.#next = this.#calendar.after(settled)
  }
}

const keyOf = ({ expression, timezone }: Cron): string => [expression, timezone ?? ''].join(' ').trim()
