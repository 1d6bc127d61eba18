/**
 * The key `health_check`: one probe, what a URL must answer, and when to ask.
 *
 * Written flat (`{ url, expect_status, interval }`), read as one shape: `{ probe, options, interval, … }`.
 */
import { duration, SysgError, type Extensions, type KeySchemas } from '@systemg/core'
import { z } from 'zod'
import { healthDefaults } from './defaults.ts'
import { commandSchema, logSchema, notifySchema, pattern, tcpSchema, urlSchema } from './probes/schemas.ts'

const atLeast = (ms: number, text: string) =>
  duration.refine((value) => value >= ms, { error: `must be at least ${text}` })

const timing = {
  interval: atLeast(100, '100ms').prefault('2s').describe('From one try to the next, once it is ready.'),
  start_interval: atLeast(10, '10ms').prefault('200ms').describe('From one try to the next, until it is ready.'),
  attempt_timeout: atLeast(1, '1ms').prefault('5s').describe('How long one try may take.'),
  total_timeout: atLeast(1, '1ms').optional().describe('How long it may take to become ready. Default 60s.'),
  timeout: atLeast(1, '1ms').optional().describe('The older name of `total_timeout`.'),
  start_period: atLeast(1, '1ms').optional().describe('Another name of `total_timeout`.'),
  retries: z.int().min(1).default(3).describe('Failures in a row before a ready instance is unhealthy.'),
  success_threshold: z.int().min(1).default(1).describe('Successes in a row before an unhealthy instance is healthy.'),
  liveness: z
    .boolean()
    .default(true)
    .describe('Restart what becomes unhealthy, if its restart policy would; `false`: show it alone.'),
} satisfies KeySchemas

const statusRange = z.union([
  z.int().min(100).max(599),
  z.string().regex(/^(\d{3}|[1-5]xx|\d{3}-\d{3})$/i, { error: 'must be a status such as `204`, `2xx` or `200-299`' }),
])

/** What belongs to the probe `url`, beside it. */
const ofUrl = {
  expect_status: z
    .union([statusRange, z.array(statusRange).min(1)])
    .optional()
    .describe('Statuses that are good: `204`, `2xx`, `200-299`, or a list. Default `2xx`.'),
  expect_body: pattern.optional().describe('Text that the body must hold, or `/regex/`.'),
  headers: z.record(z.string(), z.string()).optional().describe('Headers of the request.'),
} satisfies KeySchemas

const totalNames = ['total_timeout', 'timeout', 'start_period'] as const
const defaultTotalMs = 60_000

/** A check, ready to be done. Durations in milliseconds. Plain JSON. */
export interface HealthCheck {
  /** The name of a registered probe. */
  readonly probe: string
  /** The value of the probe's key; of `url` a map with what belongs to it. */
  readonly options: unknown
  readonly interval: number
  readonly start_interval: number
  readonly attempt_timeout: number
  readonly total_timeout: number
  readonly retries: number
  readonly success_threshold: number
  readonly liveness: boolean
}

/**
 * The schema of `health_check` with the key of every declared probe.
 *
 * @throws {SysgError} `SYSG_PROBE_NAME` when a probe's key is one of ours.
 */
export const healthCheckSchema = (probes: KeySchemas) => {
  const ours = { ...timing, ...ofUrl }
  const taken = Object.keys(probes).find((name) => Object.hasOwn(ours, name))
  if (taken !== undefined) throw nameTaken(taken)
  const names = Object.keys(probes)
  const optional = Object.fromEntries(Object.entries(probes).map(([name, schema]) => [name, schema.optional()]))
  return z
    .strictObject({ ...optional, ...ours })
    .transform((written, context): HealthCheck => {
      const given: Readonly<Record<string, unknown>> = written
      // A misspelt probe is a mistake already.
      const mistake = context.issues.length > 0 ? undefined : mistakeIn(given, names)
      if (mistake !== undefined) context.addIssue({ code: 'custom', input: written, ...mistake })
      const probe = names.find((name) => given[name] !== undefined) ?? ''
      const { interval, start_interval, attempt_timeout, retries, success_threshold, liveness } = written
      const total = totalNames.map((name) => written[name]).find((ms) => ms !== undefined)
      return {
        ...{ probe, options: optionsOf(probe, given) },
        ...{ interval, start_interval, attempt_timeout, total_timeout: total ?? defaultTotalMs },
        ...{ retries, success_threshold, liveness },
      }
    })
    .optional()
    .describe('How it is known that the service is ready, and that it still lives.')
}

const optionsOf = (probe: string, given: Readonly<Record<string, unknown>>): unknown => {
  if (probe !== 'url') return given[probe]
  const kept = ['url', ...Object.keys(ofUrl)].filter((name) => given[name] !== undefined)
  return Object.fromEntries(kept.map((name) => [name, given[name]]))
}

interface Said {
  readonly message: string
  readonly path?: PropertyKey[]
  readonly params: { readonly hint: string }
}

const mistakeIn = (given: Readonly<Record<string, unknown>>, names: readonly string[]): Said | undefined => {
  const has = (name: string) => given[name] !== undefined
  const used = names.filter(has)
  const list = (all: readonly string[]) => all.map((name) => `\`${name}\``).join(', ')
  if (used.length === 0)
    return {
      message: 'has no probe',
      params: { hint: `Add one of ${list(names)}; for example \`tcp: "localhost:5432"\`.` },
    }
  if (used.length > 1)
    return {
      message: `is a second probe: there is \`${used[0] ?? ''}\` already`,
      path: [used[1] ?? ''],
      params: { hint: 'Keep one of them.' },
    }
  const totals = totalNames.filter(has)
  if (totals.length > 1)
    return {
      message: `means the same as \`${totals[0] ?? ''}\`, which is there already`,
      path: [totals[1] ?? ''],
      params: { hint: 'Keep one of them.' },
    }
  const foreign = used[0] === 'url' ? undefined : Object.keys(ofUrl).find(has)
  if (foreign === undefined) return undefined
  return {
    message: `belongs to the probe \`url\`, and this is \`${used[0] ?? ''}\``,
    path: [foreign],
    params: { hint: 'Remove it, or ask by `url`.' },
  }
}

const nameTaken = (name: string): SysgError =>
  SysgError.of('SYSG_PROBE_NAME', {
    message: `A plugin brings a probe called \`${name}\`, which is a key of every \`health_check\`.`,
    hint: 'The probe needs another name.',
  })

/** How a user writes the timing, and what belongs to `url`. */
export type HealthTiming = z.input<z.ZodObject<typeof timing>> & z.input<z.ZodObject<typeof ofUrl>>

export const probes = { url: urlSchema, tcp: tcpSchema, command: commandSchema, log: logSchema, notify: notifySchema }

export const service = (others: Extensions) => ({ health_check: healthCheckSchema(others.probes) })

/** Options of the plugin, given by whoever builds the system. */
export const options = z
  .strictObject({
    pipes: z
      .string()
      .default(healthDefaults.pipes)
      .describe('Where the named pipes are by which programs say that they are ready.'),
  })
  .prefault({})
