/** What is remembered of the runs of one service: over the supervisor's death, and for people. */
import { once, type Durable } from '@systemg/core'
import * as z from 'zod/mini'

const moment = once(() => z.nullable(z.number()))

const trigger = once(() => z.enum(['schedule', 'manual', 'catch_up']))

const status = once(() => z.enum(['success', 'failed', 'skipped', 'timeout', 'interrupted']))

/** `schedule`: it was due. `manual`: somebody started it. `catch_up`: it was due while no supervisor ran. */
export type Trigger = z.output<ReturnType<typeof trigger>>

export type RunStatus = z.output<ReturnType<typeof status>>

const endedRun = once(() =>
  z.object({
    trigger: trigger(),
    scheduled: moment(),
    started: moment(),
    finished: moment(),
    status: status(),
    exit_code: z.nullable(z.number()),
    reason: z.nullable(z.string()),
    supervisor_replaced: z._default(z.boolean(), false),
  }),
)

/** A run that is over, or was left out. Times are wall clock, ms. */
export type EndedRun = Readonly<z.output<ReturnType<typeof endedRun>>>

const record = once(() =>
  z.object({
    /** Expression and time zone. Under another one, nothing was missed. */
    schedule: z.string(),
    /** What was due until then is decided; null while the schedule is off. */
    settled: moment(),
    /** The supervisor ended in order: what was due from then on, it did not have to run. */
    closed: z.boolean(),
    /** The run that is under way. */
    current: z.nullable(
      z.object({
        trigger: trigger(),
        scheduled: moment(),
        instance: z.nullable(z.string()),
        began: z.number(),
        started: moment(),
      }),
    ),
    /** Due times whose runs wait for their turn. */
    waiting: z.array(z.number()),
    runs: z.array(endedRun()),
  }),
)

export type JobRecord = Readonly<z.output<ReturnType<typeof record>>>

/** `undefined` when it is damaged. */
export const asRecord = (value: Durable): JobRecord | undefined => record().safeParse(value).data

export const runsKept = 10

/** The `cron` of `status --json`. */
export interface CronView {
  /** ISO 8601; null while the schedule is off. */
  readonly next_run: string | null
  readonly running: boolean
  /** The last 10 runs, the newest last. */
  readonly history: readonly RunView[]
}

/** Times are ISO 8601. */
export interface RunView {
  /** When it was due; null when somebody started it. */
  readonly scheduled: string | null
  /** Null when no process was started. */
  readonly started: string | null
  readonly finished: string | null
  readonly status: RunStatus
  /** Null when it was killed, or nobody knows. */
  readonly exit_code: number | null
  readonly trigger: Trigger
  /** Why it is no success; null when it is. */
  readonly reason: string | null
  /** It began under one supervisor and ended under another: meanwhile nobody may have looked after it. */
  readonly supervisor_replaced: boolean
}

export const iso = (ms: number): string => new Date(ms).toISOString()

export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))

export const viewOfRun = ({ scheduled, started, finished, ...run }: EndedRun): RunView => ({
  scheduled: isoOrNull(scheduled),
  started: isoOrNull(started),
  finished: isoOrNull(finished),
  status: run.status,
  exit_code: run.exit_code,
  trigger: run.trigger,
  reason: run.reason,
  supervisor_replaced: run.supervisor_replaced,
})
