/** The key `cron` of a service. */
import { duration, nearest } from '@systemg/core'
import { z } from 'zod'
import { mistakeIn } from './expression.ts'

/** With single blanks between its fields. */
const sound = (
  text: string,
  context: { addIssue(issue: { code: 'custom'; message: string; params: { hint: string } }): void },
): string => {
  const plain = text.trim().replace(/\s+/g, ' ')
  const mistake = mistakeIn(plain)
  if (mistake !== undefined) {
    const { message, hint } = mistake
    context.addIssue({ code: 'custom', message, params: { hint } })
  }
  return plain
}

const expression = z
  .string()
  .transform(sound)
  .describe(
    'When it runs: 5 fields (minute, hour, day, month, weekday), or 6 with the second first, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.',
  )

const timezone = z
  .string()
  .superRefine((name, context) => {
    if (isTimeZone(name)) return
    const near = nearest(name, Intl.supportedValuesOf('timeZone'))
    const hint =
      near === undefined ? 'Write the name of a place, such as `Europe/Berlin`, or `UTC`.' : `Did you mean \`${near}\`?`
    context.addIssue({ code: 'custom', message: 'is no time zone', params: { hint } })
  })
  .optional()
  .describe('The IANA time zone of the expression, such as `Europe/Berlin`. Default: that of the supervisor.')

const schedule = z.strictObject({
  expression,
  timezone,
  overlap: z
    .enum(['skip', 'queue', 'replace'])
    .default('skip')
    .describe(
      'What happens when a run is due while the one before goes on: it is left out, waits its turn (up to 10 do), or ends that one.',
    ),
  catch_up: z
    .boolean()
    .default(false)
    .describe('Run once, soon after a start, when a run was missed because no supervisor ran.'),
  timeout: duration
    .refine((ms) => ms > 0, { error: 'must be longer than nothing', params: { hint: 'For no limit, leave it out.' } })
    .optional()
    .describe('A run that takes longer is ended with everything it has started. Default: no limit.'),
})

/** A bare expression is a schedule with every default. Either way code reads one shape. */
export const cron = z
  .union([z.string(), schedule], { error: 'must be an expression such as `0 3 * * *`, or a map with `expression`' })
  .transform((written, context): Cron =>
    typeof written === 'string' ? { expression: sound(written, context), overlap: 'skip', catch_up: false } : written,
  )
  .optional()
  .describe('Run it by a schedule, instead of keeping it up.')

export const service = { cron }

/** When a service runs. `timeout` in milliseconds. */
export interface Cron {
  readonly expression: string
  readonly timezone?: string | undefined
  readonly overlap: 'skip' | 'queue' | 'replace'
  readonly catch_up: boolean
  readonly timeout?: number | undefined
}

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
