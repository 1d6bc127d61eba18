/** Durations as users write them (`"90s"`, `"1m30s"`, `10`) and as code reads them: whole milliseconds. */
import { z } from 'zod'

/** What to say when something is no duration. */
const expected = 'must be a duration such as `10s`'

/**
 * Schema of a duration: text or number in, whole milliseconds out. A bare number is seconds and may have a fraction.
 * Use it with a default as `duration.prefault('1s')`.
 */
export const duration = z
  .union([z.string(), z.number()], { error: expected })
  .transform((value, context) => {
    const ms = parseDuration(value)
    if (ms !== undefined) return ms
    context.addIssue({ code: 'custom', message: expected, params: { hint: hintFor(value) } })
    return z.NEVER
  })
  .meta({
    description: 'A duration: whole numbers with ms, s, m, h or d (`90s`, `1m30s`), or a number of seconds.',
    pattern: String.raw`^\s*(\d+(\.\d+)?|(\d+(ms|[smhd]|(second|minute|hour|day)s?))+)\s*$`,
    // What editors say in place of the pattern.
    patternErrorMessage: expected,
  })

/** Milliseconds of `"90s"`, `"1m30s"`, `"10"` or `10`; `undefined` when it is no duration. */
export const parseDuration = (value: string | number): number | undefined => {
  const text = String(value).trim()
  if (/^\d+(\.\d+)?$/.test(text)) return whole(Number(text) * 1_000)
  if (!/^(\d+[a-z]+)+$/.test(text)) return undefined
  let total = 0
  let last = Number.POSITIVE_INFINITY
  for (const [, count, unit] of text.matchAll(/(\d+)([a-z]+)/g)) {
    const unitMs = unitOf(unit ?? '')
    if (unitMs === undefined || unitMs >= last) return undefined
    total += Number(count) * unitMs
    last = unitMs
  }
  return whole(total)
}

/** The shortest way to write a duration: `90_000` is `1m30s`. Fractions of a millisecond are rounded. */
export const formatDuration = (ms: number): string => {
  let rest = Math.round(ms)
  let text = ''
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs)
    if (count > 0) text += `${count}${unit}`
    rest -= count * unitMs
  }
  return text === '' ? '0s' : text
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

const longNames: Readonly<Record<string, (typeof units)[number][0]>> = {
  day: 'd',
  days: 'd',
  hour: 'h',
  hours: 'h',
  minute: 'm',
  minutes: 'm',
  second: 's',
  seconds: 's',
}

const unitOf = (written: string): number | undefined => {
  const unit = Object.hasOwn(longNames, written) ? longNames[written] : written
  return units.find(([name]) => name === unit)?.[1]
}

const whole = (ms: number): number | undefined => {
  const rounded = Math.round(ms)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}

const hintFor = (value: string | number): string => {
  const fraction = /^(\d*\.\d+)\s*(d|h|m|s)$/.exec(String(value).trim())
  const unitMs = unitOf(fraction?.[2] ?? '')
  if (fraction !== null && unitMs !== undefined)
    return `Only whole numbers take a unit: write \`${formatDuration(Number(fraction[1]) * unitMs)}\`.`
  return 'Whole numbers with ms, s, m, h or d, the largest first (`1m30s`); a bare number is seconds.'
}
