/**
 * Durations and moments that people type as options.
 *
 * The grammar of durations is that of `parseDuration` in the core, which client commands must not load: a test compares
 * the two.
 */
import { Failure } from '../failures.ts'

const unitsMs: readonly (readonly [name: RegExp, ms: number])[] = [
  [/^(d|days?)$/, 86_400_000],
  [/^(h|hours?)$/, 3_600_000],
  [/^(m|minutes?)$/, 60_000],
  [/^(s|seconds?)$/, 1_000],
  [/^ms$/, 1],
]

/** Milliseconds of `"90s"`, `"1m30s"` or `"10"` (seconds); `undefined` when it is no duration. */
export const parseDuration = (value: string): number | undefined => {
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return whole(Number(text) * 1_000)
  if (!/^(\d+[a-z]+)+$/.test(text)) return undefined
  let total = 0
  let last = Number.POSITIVE_INFINITY
  for (const [, count, unit] of text.matchAll(/(\d+)([a-z]+)/g)) {
    const unitMs = unitsMs.find(([name]) => name.test(unit ?? ''))?.[1]
    if (unitMs === undefined || unitMs >= last) return undefined
    total += Number(count) * unitMs
    last = unitMs
  }
  return whole(total)
}

/** @param option - As typed, for the message: `--timeout`. @throws {Failure} `SYSG_USAGE` when it is no duration. */
export const durationMs = (value: string, option?: string): number => {
  const ms = parseDuration(value)
  if (ms !== undefined) return ms
  throw new Failure('SYSG_USAGE', {
    message: `${option === undefined ? '' : `\`${option}\`: `}\`${value}\` is no duration: write \`10s\`, \`1m30s\`, or a number of seconds.`,
  })
}

/** Oftener than this nobody can look, ms. */
const shortestIntervalMs = 100

/** As `durationMs`, for how often something is repeated: above zero. @throws {Failure} `SYSG_USAGE`. */
export const intervalMs = (value: string, option: string): number => {
  const ms = durationMs(value, option)
  if (ms > 0) return Math.max(shortestIntervalMs, ms)
  throw new Failure('SYSG_USAGE', { message: `\`${option}\` takes a duration above zero.` })
}

/**
 * A moment as people type it: a duration (so long ago), or a date, with a time or without one, in local time unless it
 * says otherwise.
 *
 * @param nowMs - Wall clock, ms. @returns Wall clock, ms. @throws {Failure} `SYSG_USAGE`.
 */
export const momentMs = (value: string, option: string, nowMs: number): number => {
  const ago = parseDuration(value)
  // What is longer ago than dates go was before everything.
  if (ago !== undefined) return Math.max(0, nowMs - ago)
  const text = value.trim()
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return dateMs(`${text}T00:00:00`, value, option)
  if (/^\d{4}-\d{2}-\d{2}[ T]\d/.test(text)) return dateMs(text.replace(' ', 'T'), value, option)
  throw noMoment(value, option)
}

const dateMs = (iso: string, value: string, option: string): number => {
  const ms = Date.parse(iso)
  if (Number.isNaN(ms) || !isInCalendar(iso)) throw noMoment(value, option)
  return ms
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
const isInCalendar = (iso: string): boolean => {
  const [year = 0, month = 0, day = 0] = iso.slice(0, 'yyyy-mm-dd'.length).split('-').map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}

const noMoment = (value: string, option: string): Failure =>
  new Failure('SYSG_USAGE', {
    message: `\`${option}\` takes a duration (\`10m\`: so long ago) or a date (\`2026-01-31T12:00\`), not \`${value}\`.`,
  })

const whole = (ms: number): number | undefined => {
  const rounded = Math.round(ms)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}
