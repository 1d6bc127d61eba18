/** The run of a service that is under way: from its decision until nothing of it lives. */
import { describeExit, type Clock, type Exit } from '@systemg/core'
import type { JobRecord, RunStatus, Trigger } from './runs.ts'

/** How a run ended. */
export interface Verdict {
  readonly status: RunStatus
  /** Why it is no success. */
  readonly reason: string | null
}

export class CurrentRun {
  readonly trigger: Trigger
  /** When it was due, wall clock, ms; null when somebody started it. */
  scheduled: number | null
  /** Null until something of it is there. */
  instance: string | null
  /** When it was decided, wall clock, ms. */
  readonly began: number
  started: number | null
  /** It was decided by an earlier supervisor. */
  readonly supervisorReplaced: boolean
  /** Something of it was there under this supervisor. */
  isSeen = false
  exit: Exit | undefined
  /** Decided before its end, whatever its exit. */
  verdict: Verdict | undefined
  /** Why it never ran. */
  failure: string | undefined
  /** Of the event that told its start. */
  startedSeq: number | undefined
  /** Of the last event that led to its end. */
  cause: number | undefined
  #cancelLimit: (() => void) | undefined

  constructor(
    { trigger, scheduled, instance, began, started }: NonNullable<JobRecord['current']>,
    { supervisorReplaced = false } = {},
  ) {
    this.supervisorReplaced = supervisorReplaced
    this.trigger = trigger
    this.scheduled = scheduled
    this.instance = instance
    this.began = began
    this.started = started
  }

  get record(): NonNullable<JobRecord['current']> {
    const { trigger, scheduled, instance, began, started } = this
    return { trigger, scheduled, instance, began, started }
  }

  /** Call `over` when it has run for so long, unless it has ended before. */
  limit(timeoutMs: number | undefined, clock: Clock, over: () => void): void {
    this.unlimit()
    if (timeoutMs === undefined || this.started === null || this.exit !== undefined) return
    const elapsedMs = Math.max(0, clock.now() - this.started)
    this.#cancelLimit = clock.timer(Math.max(0, timeoutMs - elapsedMs), over)
  }

  unlimit(): void {
    this.#cancelLimit?.()
    this.#cancelLimit = undefined
  }

  /** What to say of it when nothing of it lives. */
  outcome(successCodes: readonly number[]): Verdict {
    const { exit, verdict, failure } = this
    if (verdict !== undefined) return verdict
    if (exit === undefined) return { status: 'failed', reason: failure ?? 'it could not be started' }
    if (exit.unknown === true) return { status: 'interrupted', reason: describeExit(exit) }
    if (successCodes.includes(exit.code ?? -1)) return { status: 'success', reason: null }
    return { status: 'failed', reason: describeExit(exit) }
  }
}
