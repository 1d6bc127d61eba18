/** What is kept over the supervisor's death. Each record is checked by itself: one that is damaged is left out. */
import { shape, type Durable, type ResolvedService, type TreeRef } from '@systemg/core'
import type { CourseRecord } from './course.ts'
import { moments, outcomes, type HookName } from './hook-names.ts'

/** A hook that is to be run, or runs. */
export interface HookRun {
  readonly hook: HookName
  readonly command: string
  /** ms. */
  readonly timeout: number
  readonly service: ResolvedService
  /** What it is told: `SYSG_EVENT` and so on. */
  readonly facts: Readonly<Record<string, string>>
  /** The event that led to it. */
  readonly cause?: number
  /** It runs. `at`: since when, wall clock, ms. */
  readonly begun?: { readonly tree: TreeRef; readonly at: number }
}

const course = shape.loose({
  isUp: shape.boolean,
  isRestarting: shape.boolean,
  failed: shape.record(shape.number),
  told: shape.list(shape.string),
})

const names = moments.flatMap((moment) => outcomes.map((outcome): HookName => `${moment}.${outcome}`))

const run = shape.loose({
  hook: shape.oneOf(...names),
  command: shape.string,
  timeout: shape.amount,
  service: shape.loose({ name: shape.text, working_dir: shape.string }),
  facts: shape.record(shape.string),
  cause: shape.number.optional(),
  begun: shape
    .loose({
      tree: shape.loose({
        pid: shape.whole.where((pid) => pid > 0, 'must be positive'),
        startTime: shape.number,
        token: shape.string,
        bootId: shape.string,
      }),
      at: shape.number,
    })
    .optional(),
})

export const asCourse = (value: Durable): CourseRecord | undefined => course.read(value)

export const asRun = (value: Durable): HookRun | undefined => run.read(value) as HookRun | undefined

/** Records are plain JSON; their types are too exact to say so. */
export const toDurable = (record: CourseRecord | HookRun): Durable => record as unknown as Durable
