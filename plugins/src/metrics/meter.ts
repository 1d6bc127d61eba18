/** CPU time and memory of one instance, from look to look. Pure. Times are milliseconds of steady time. */
import type { TreeUsage } from '@systemg/core'

/** Over a shorter time a percentage says nothing: the kernel counts in hundredths of a second. */
const shortestMs = 250
/** From the look before, if that is at least so long ago, to this one. */
const spanMs = 1_000

interface Moment {
  readonly at: number
  readonly cpuMs: number
}

export class Meter {
  /** CPU time since its start, ms. Never falls. */
  cpuMs = 0
  memoryBytes: number | undefined
  processes = 0
  /** Of one core, over the time between the last two looks; undefined until that is known. */
  cpuPercent: number | undefined
  /** What the percentage is measured from. */
  #base: Moment | undefined
  /** What the next row of the history is measured from. */
  #rowBase: Moment | undefined
  /** What was counted last; that falls when a process ends that nobody waits for. */
  #counted = 0

  /** @param startedAt - When its process was started, if that was just now: nothing was used before. */
  constructor(startedAt: number | undefined) {
    this.#base = startedAt === undefined ? undefined : { at: startedAt, cpuMs: 0 }
    this.#rowBase = this.#base
  }

  take(usage: TreeUsage | undefined, at: number): void {
    if (usage === undefined) {
      this.processes = 0
      this.memoryBytes = 0
      return
    }
    this.cpuMs += Math.max(0, usage.cpuMs - this.#counted)
    this.#counted = usage.cpuMs
    this.memoryBytes = usage.memoryBytes
    this.processes = usage.processes
    const moment = { at, cpuMs: this.cpuMs }
    const percent = percentBetween(this.#base, moment)
    if (percent !== undefined) this.cpuPercent = percent
    this.#rowBase ??= moment
    if (this.#base === undefined || at - this.#base.at >= spanMs) this.#base = moment
  }

  /** What was used since it was asked for last, of one core; undefined when that is not known. */
  percentSinceRow(at: number): number | undefined {
    const moment = { at, cpuMs: this.cpuMs }
    const percent = percentBetween(this.#rowBase, moment)
    if (percent !== undefined) this.#rowBase = moment
    return percent
  }
}

/** Of one core; undefined when there is no earlier moment, or it is too near. */
const percentBetween = (from: Moment | undefined, to: Moment): number | undefined =>
  from === undefined || to.at - from.at < shortestMs
    ? undefined
    : Math.max(0, ((to.cpuMs - from.cpuMs) / (to.at - from.at)) * 100)
