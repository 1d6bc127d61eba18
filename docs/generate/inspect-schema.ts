/** The object of `sysg inspect --json`, as a schema: for other programs as JSON Schema, and for the tests. */
import { z } from '@systemg/core'

const time = z.iso.datetime()
const percent = z.number().min(0)
const bytes = z.int().min(0)
const text = z.string()
const count = z.int().min(0)

interface Process {
  pid: number
  command: string
  cpu_ms: number
  memory_bytes: number
  children: Process[]
}

const processNode: z.ZodType<Process> = z
  .strictObject({
    pid: count,
    command: text.describe('Secrets are masked.'),
    cpu_ms: z.number().min(0),
    memory_bytes: bytes,
    get children() {
      return z.array(processNode)
    },
  })
  .meta({ id: 'process' })

const exit = z.looseObject({ code: z.int().nullable(), signal: text.nullable(), at: time, oom_killed: z.boolean() })

const instance = z.looseObject({
  id: text,
  pid: count.nullable(),
  state: text,
  slot: text.nullable(),
  role: z.enum(['active', 'candidate', 'retired']),
  replica: count,
  uptime_ms: z.number().nullable(),
})

const point = z.strictObject({
  time: time.describe('The end of the span.'),
  span_ms: z.number().min(0),
  cpu_percent: percent,
  cpu_percent_max: percent,
  memory_bytes: bytes,
  memory_bytes_max: bytes,
})

export const inspectSchema = z
  .looseObject({
    name: text,
    id: z.string().regex(/^[0-9a-f]{8}$/),
    state: text,
    health: z.enum(['healthy', 'unhealthy', 'starting', 'none']),
    pid: count.nullable(),
    since: time,
    uptime_ms: z.number().nullable(),
    restarts: count,
    reason: text.nullable(),
    depends_on: z.array(text),
    exit: exit.nullable(),
    cpu_percent: percent.nullable(),
    memory_bytes: bytes.nullable(),
    instances: z.array(instance),
    children: z.array(z.unknown()),
    cron: z
      .looseObject({
        next_run: time.nullable(),
        running: z.boolean(),
        history: z.array(
          z.strictObject({
            scheduled: time.nullable(),
            started: time.nullable(),
            finished: time.nullable(),
            status: z.enum(['success', 'failed', 'skipped', 'timeout', 'interrupted']),
            exit_code: z.number().nullable(),
            trigger: z.enum(['schedule', 'manual', 'catch_up']),
            reason: text.nullable(),
            supervisor_replaced: z.boolean().describe('It began under one supervisor and ended under another.'),
          }),
        ),
      })
      .nullable(),
    last_lines: z.array(text),
    replicas: count,
    retry_at: time.nullable(),
    instance: text.nullable().describe('The instance that was asked for; null: the whole service.'),
    config: z.record(text, z.unknown()).describe('The keys of the service with every default, secrets masked.'),
    env: z
      .array(z.strictObject({ name: text, value: text, origin: text, file: text.optional() }))
      .describe('Sorted by name, secrets masked.'),
    metrics: z
      .strictObject({
        cpu_percent: percent.nullable(),
        memory_bytes: bytes.nullable(),
        processes: count,
        cpu_seconds: z.number().min(0),
        window_ms: z.number(),
        points: z.array(point),
      })
      .nullable(),
    events: z.array(z.looseObject({ seq: count, time, type: text, data: z.record(text, z.unknown()) })),
    tree: z.array(z.strictObject({ instance: text, processes: z.array(processNode) })),
    health_history: z.array(
      z.strictObject({
        service: text,
        instance: text,
        results: z.array(
          z.strictObject({ time, healthy: z.boolean(), reason: text.nullable(), duration_ms: z.number() }),
        ),
      }),
    ),
    sections: z.array(z.strictObject({ title: text, lines: z.array(text) })).describe('What plugins add to read.'),
  })
  .describe('What `sysg inspect --json` prints. Plugins may add fields.')

/** As JSON Schema. */
export const inspectJsonSchema = (): string => `${JSON.stringify(z.toJSONSchema(inspectSchema), null, 2)}\n`
