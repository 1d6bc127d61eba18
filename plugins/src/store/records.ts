/**
 * What the store gives back is what was put in, unless a disk or an older version damaged it. Each entry is checked by
 * itself, so that one bad record costs one record.
 */
import {
  once,
  type Durable,
  type InstanceRecord,
  type IntentRecord,
  type OutcomeRecord,
  type Past,
  type ResolvedService,
  type SysgEvent,
} from '@systemg/core'
import * as z from 'zod/mini'

const text = once(() => z.string().check(z.minLength(1)))
const amount = once(() => z.number().check(z.minimum(0)))
const count = once(() => z.int().check(z.minimum(0)))

const intent = once(() =>
  z.looseObject({
    intent: z.enum(['up', 'stopped']),
    replicas: z.optional(count()),
    scaledFrom: z.optional(count()),
  }),
)

/** Of the service only what is needed to name, show and stop it: its other keys belong to plugins. */
const service = once(() =>
  z.looseObject({
    name: text(),
    argv: z.tuple([text()], z.string()),
    stop_signal: z.string().check(z.startsWith('SIG')),
    stop_timeout: amount(),
    depends_on: z.record(z.string(), z.unknown()),
  }),
)

/** One that is to be run, and needs nothing of others. */
const adHocService = once(() =>
  z.extend(service(), {
    command: z.string(),
    working_dir: z.string(),
    depends_on: z.strictObject({}),
    startup_grace: amount(),
    replicas: count(),
    success_exit_codes: z.array(z.number()),
  }),
)

const tree = once(() =>
  z.looseObject({
    pid: z.int().check(z.positive()),
    startTime: z.number(),
    token: z.string(),
    bootId: z.string(),
  }),
)

const instance = once(() =>
  z.looseObject({
    id: text(),
    service: service(),
    replica: count(),
    role: z.enum(['active', 'candidate', 'retired']),
    token: text(),
    tree: z.optional(tree()),
    startedAt: z.optional(z.number()),
    wasReady: z.boolean(),
    restarts: count(),
    transient: z.optional(z.looseObject({ owner: z.optional(z.string()) })),
  }),
)

const outcome = once(() =>
  z.looseObject({
    service: text(),
    replica: count(),
    outcome: z.enum(['completed', 'failed', 'backoff']),
    retry: z.optional(z.looseObject({ at: z.number(), delayMs: amount(), restarts: count() })),
    config: service(),
    instance: z.string(),
    exit: z.optional(z.looseObject({ code: z.nullable(z.number()), signal: z.nullable(z.string()) })),
    failure: z.optional(z.looseObject({ code: z.string(), message: z.string(), hint: z.optional(z.string()) })),
    at: z.number(),
    lastLines: z.array(z.string()),
    why: z.nullable(z.string()),
  }),
)

const event = once(() =>
  z.looseObject({
    seq: count(),
    time: z.string(),
    project: z.string(),
    service: z.optional(z.string()),
    instance: z.optional(z.string()),
    type: z.string(),
    cause: z.optional(z.number()),
    data: z.record(z.string(), z.unknown()),
  }),
)

/** Gives back the record, or `undefined` when it is damaged. */
export type Check<T> = (value: Durable) => T | undefined

export const asIntent: Check<IntentRecord> = (value) => intent().safeParse(value).data as IntentRecord | undefined
export const asInstance: Check<InstanceRecord> = (value) =>
  instance().safeParse(value).data as InstanceRecord | undefined
export const asOutcome: Check<OutcomeRecord> = (value) => outcome().safeParse(value).data as OutcomeRecord | undefined
export const asService: Check<ResolvedService> = (value) =>
  adHocService().safeParse(value).data as ResolvedService | undefined
export const asEvent: Check<SysgEvent> = (value) => event().safeParse(value).data as SysgEvent | undefined

/** Records are plain JSON by contract; their types are too exact to say so. */
export const toDurable = (
  record: Past | IntentRecord | InstanceRecord | OutcomeRecord | ResolvedService | SysgEvent,
): Durable => record as unknown as Durable
