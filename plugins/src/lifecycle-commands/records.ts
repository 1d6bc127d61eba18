/** What is kept over the supervisor's death. Each record is checked by itself: one that is damaged is left out. */
import { once, type Durable, type ResolvedService, type TreeRef } from '@systemg/core'
import * as z from 'zod/mini'
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

const course = once(() =>
  z.object({
    isUp: z.boolean(),
    isRestarting: z.boolean(),
    failed: z.record(z.string(), z.number()),
    told: z.array(z.string()),
  }),
)

const names = moments.flatMap((moment) => outcomes.map((outcome): HookName => `${moment}.${outcome}`))

const run = once(() =>
  z.object({
    hook: z.enum(names),
    command: z.string(),
    timeout: z.number().check(z.minimum(0)),
    service: z.looseObject({ name: z.string().check(z.minLength(1)), working_dir: z.string() }),
    facts: z.record(z.string(), z.string()),
    cause: z.optional(z.number()),
    begun: z.optional(
      z.object({
        tree: z.object({
          pid: z.int().check(z.positive()),
          startTime: z.number(),
          token: z.string(),
          bootId: z.string(),
        }),
        at: z.number(),
      }),
    ),
  }),
)

export const asCourse = (value: Durable): CourseRecord | undefined => course().safeParse(value).data

export const asRun = (value: Durable): HookRun | undefined => run().safeParse(value).data as HookRun | undefined

/** Records are plain JSON; their types are too exact to say so. */
export const toDurable = (record: CourseRecord | HookRun): Durable => record as unknown as Durable
