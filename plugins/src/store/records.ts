/**
 * What the store gives back is what was put in, unless a disk or an older version damaged it. Each entry is checked by
 * itself, so that one bad record costs one record.
 */
import {
  shape,
  type Durable,
  type InstanceRecord,
  type IntentRecord,
  type OutcomeRecord,
  type Past,
  type ResolvedService,
  type SysgEvent,
} from '@systemg/core'

const intent = shape.loose({
  intent: shape.oneOf('up', 'stopped'),
  replicas: shape.count.optional(),
  scaledFrom: shape.count.optional(),
})

const neededOfService = {
  name: shape.text,
  argv: shape.argv,
  stop_signal: shape.string.where((name) => name.startsWith('SIG'), 'must be a signal'),
  stop_timeout: shape.amount,
  depends_on: shape.record(shape.unknown),
}

/** Of the service only what is needed to name, show and stop it: its other keys belong to plugins. */
const service = shape.loose(neededOfService)

/** One that is to be run, and needs nothing of others. */
const adHocService = shape.loose({
  ...neededOfService,
  command: shape.string,
  working_dir: shape.string,
  depends_on: shape.strict({}),
  startup_grace: shape.amount,
  replicas: shape.count,
  success_exit_codes: shape.list(shape.number),
})

const tree = shape.loose({
  pid: shape.whole.where((pid) => pid > 0, 'must be positive'),
  startTime: shape.number,
  token: shape.string,
  bootId: shape.string,
})

const instance = shape.loose({
  id: shape.text,
  service,
  replica: shape.count,
  role: shape.oneOf('active', 'candidate', 'retired'),
  token: shape.text,
  tree: tree.optional(),
  startedAt: shape.number.optional(),
  wasReady: shape.boolean,
  restarts: shape.count,
  transient: shape.loose({ owner: shape.string.optional() }).optional(),
})

const outcome = shape.loose({
  service: shape.text,
  replica: shape.count,
  outcome: shape.oneOf('completed', 'failed'),
  config: service,
  instance: shape.string,
  exit: shape.loose({ code: shape.number.nullable(), signal: shape.string.nullable() }).optional(),
  failure: shape.loose({ code: shape.string, message: shape.string, hint: shape.string.optional() }).optional(),
  at: shape.number,
  lastLines: shape.list(shape.string),
  why: shape.string.nullable(),
})

const event = shape.loose({
  seq: shape.count,
  time: shape.string,
  project: shape.string,
  service: shape.string.optional(),
  instance: shape.string.optional(),
  type: shape.string,
  cause: shape.number.optional(),
  data: shape.record(shape.unknown),
})

/** Gives back the record, or `undefined` when it is damaged. */
export type Check<T> = (value: Durable) => T | undefined

export const asIntent: Check<IntentRecord> = (value) => intent.read(value) as IntentRecord | undefined
export const asInstance: Check<InstanceRecord> = (value) => instance.read(value) as InstanceRecord | undefined
export const asOutcome: Check<OutcomeRecord> = (value) => outcome.read(value) as OutcomeRecord | undefined
export const asService: Check<ResolvedService> = (value) => adHocService.read(value) as ResolvedService | undefined
export const asEvent: Check<SysgEvent> = (value) => event.read(value) as SysgEvent | undefined

/** Records are plain JSON by contract; their types are too exact to say so. */
export const toDurable = (
  record: Past | IntentRecord | InstanceRecord | OutcomeRecord | ResolvedService | SysgEvent,
): Durable => record as unknown as Durable
