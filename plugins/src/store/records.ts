/**
 * What the store gives back is what was put in, unless a disk or an older version damaged it. Each entry is checked by
 * itself, so that one bad record costs one record.
 */
import type {
  Durable,
  InstanceRecord,
  Past,
  IntentRecord,
  OutcomeRecord,
  ResolvedService,
  SysgEvent,
} from '@systemg/core'
import { z } from 'zod'

const count = z.int().min(0)

const intent = z.looseObject({
  intent: z.enum(['up', 'stopped']),
  replicas: count.optional(),
  scaledFrom: count.optional(),
})

/** Of the service only what is needed to name, show and stop it: its other keys belong to plugins. */
const service = z.looseObject({
  name: z.string().min(1),
  argv: z.array(z.string()).min(1),
  stop_signal: z.string().startsWith('SIG'),
  stop_timeout: z.number().min(0),
  depends_on: z.record(z.string(), z.unknown()),
})

/** One that is to be run, and needs nothing of others. */
const adHocService = service.extend({
  command: z.string(),
  working_dir: z.string(),
  depends_on: z.strictObject({}),
  startup_grace: z.number().min(0),
  replicas: count,
  success_exit_codes: z.array(z.number()),
})

const instance = z.looseObject({
  id: z.string().min(1),
  service,
  replica: count,
  role: z.enum(['active', 'candidate', 'retired']),
  token: z.string().min(1),
  tree: z.looseObject({ pid: z.int().min(1), startTime: z.number(), token: z.string(), bootId: z.string() }).optional(),
  startedAt: z.number().optional(),
  wasReady: z.boolean(),
  restarts: count,
  transient: z.looseObject({ owner: z.string().optional() }).optional(),
})

const outcome = z.looseObject({
  service: z.string().min(1),
  replica: count,
  outcome: z.enum(['completed', 'failed']),
  config: service,
  instance: z.string(),
  exit: z.looseObject({ code: z.number().nullable(), signal: z.string().nullable() }).optional(),
  failure: z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  at: z.number(),
  lastLines: z.array(z.string()),
  why: z.string().nullable(),
})

const event = z.looseObject({
  seq: count,
  time: z.string(),
  project: z.string(),
  service: z.string().optional(),
  instance: z.string().optional(),
  type: z.string(),
  cause: z.number().optional(),
  data: z.record(z.string(), z.unknown()),
})

/** Gives back the record, or `undefined` when it is damaged. */
export type Check<T> = (value: Durable) => T | undefined

export const asIntent: Check<IntentRecord> = (value) => checked(intent, value) as IntentRecord | undefined
export const asInstance: Check<InstanceRecord> = (value) => checked(instance, value) as InstanceRecord | undefined
export const asOutcome: Check<OutcomeRecord> = (value) => checked(outcome, value) as OutcomeRecord | undefined
export const asService: Check<ResolvedService> = (value) => checked(adHocService, value) as ResolvedService | undefined
export const asEvent: Check<SysgEvent> = (value) => checked(event, value) as SysgEvent | undefined

const checked = (schema: z.ZodType, value: Durable): unknown => {
  const result = schema.safeParse(value)
  return result.success ? result.data : undefined
}

/** Records are plain JSON by contract; their types are too exact to say so. */
export const toDurable = (
  record: Past | IntentRecord | InstanceRecord | OutcomeRecord | ResolvedService | SysgEvent,
): Durable => record as unknown as Durable
