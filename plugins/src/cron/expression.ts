/** What is wrong with a cron expression, in words that help. Croner decides what is right. */
import { nearest, whyOf } from '@systemg/core'
import { calendarOf } from './calendar.ts'

export interface Mistake {
  /** Goes behind the name of the key: `must have 5 or 6 fields`. */
  readonly message: string
  readonly hint: string
}

/** `undefined` when it is sound and comes some day. */
export const mistakeIn = (expression: string): Mistake | undefined => {
  if (expression.startsWith('@')) return mistakeInNickname(expression)
  const parts = expression.split(' ').filter((part) => part !== '')
  if (parts.length !== 5 && parts.length !== 6) return wrongCount(parts.length)
  const of = parts.length === 6 ? fields : fields.slice(1)
  const wrong = parts.flatMap((part, index) => {
    const field = of[index]
    const failure = field === undefined ? undefined : failureOf(parts.map((_, other) => (other === index ? part : '*')))
    return field === undefined || failure === undefined ? [] : [mistakeInField(part, field, failure)]
  })
  if (wrong[0] !== undefined) return wrong[0]
  const failure = failureOf(parts)
  if (failure !== undefined) return { message: `can't be read: ${failure}`, hint: example }
  return comes(expression) ? undefined : never
}

interface Field {
  readonly name: string
  readonly low: number
  readonly high: number
  readonly names?: readonly string[]
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

const fields: readonly Field[] = [
  { name: 'second', low: 0, high: 59 },
  { name: 'minute', low: 0, high: 59 },
  { name: 'hour', low: 0, high: 23 },
  { name: 'day of the month', low: 1, high: 31 },
  { name: 'month', low: 1, high: 12, names: months },
  { name: 'weekday', low: 0, high: 7, names: weekdays },
]

const nicknames = ['@hourly', '@daily', '@weekly', '@monthly', '@yearly', '@annually', '@midnight']

const example = 'For example `0 3 * * *`: every day at 3:00 (minute, hour, day, month, weekday).'

const never: Mistake = {
  message: 'never comes: there is no such date',
  hint: 'The last day of a month is `L`, as in `0 3 L * *`.',
}

const wrongCount = (count: number): Mistake => ({
  message: `must have 5 fields, or 6 with the second first, not ${count}`,
  hint: count === 7 ? 'A year can’t be given: leave the last field out.' : example,
})

const mistakeInNickname = (expression: string): Mistake | undefined => {
  if (failureOf([expression]) === undefined) return undefined
  if (expression.toLowerCase() === '@reboot')
    return { message: 'is no time', hint: 'A service without `cron` starts when the system does.' }
  const near = nearest(expression, nicknames)
  const hint = near === undefined ? `Known are ${nicknames.map((name) => `\`${name}\``).join(', ')}.` : didYouMean(near)
  return { message: 'is no name of a schedule', hint }
}

const mistakeInField = (part: string, field: Field, failure: string): Mistake => {
  const { name, low, high, names = [] } = field
  const range = `${low} to ${high}${names.length === 0 ? '' : `, or ${names[0] ?? ''} to ${names.at(-1) ?? ''}`}`
  const about = `has a mistake in the ${name} (\`${part}\`)`
  const [, from, step] = /^(\d+)\/(\d+)$/.exec(part) ?? []
  if (from !== undefined && step !== undefined)
    return { message: `${about}: a step needs a range`, hint: didYouMean(`${from}-${high}/${step}`) }
  const [, first, last] = /^(\d+)-(\d+)$/.exec(part) ?? []
  if (first !== undefined && last !== undefined && Number(first) > Number(last) && Number(first) <= high)
    return { message: `${about}: the range is backwards`, hint: didYouMean(`${first}-${high},${low}-${last}`) }
  const outside = (part.replace(/\/\d+/g, '').match(/\d+/g) ?? []).find(
    (text) => Number(text) < low || Number(text) > high,
  )
  if (outside !== undefined && !part.includes('#')) return { message: about, hint: `It goes from ${range}.` }
  const word = (part.match(/[a-z]{2,}/gi) ?? []).find((text) => !names.includes(text.toUpperCase()))
  const near = word === undefined ? undefined : nearest(word, names)
  if (near !== undefined) return { message: about, hint: didYouMean(near) }
  return { message: `${about}: ${failure}`, hint: `It goes from ${range}, with \`*\`, \`,\`, \`-\` and \`/\`.` }
}

const didYouMean = (what: string): string => `Did you mean \`${what}\`?`

const failureOf = (parts: readonly string[]): string | undefined => {
  try {
    calendarOf({ expression: parts.join(' '), timezone: 'UTC' })
    return undefined
  } catch (thrown) {
    return whyOf(thrown).replace(/^Cron\w+: /, '')
  }
}

/** Whether it comes does not depend on when somebody asks: dates repeat after 400 years at the latest. */
const comes = (expression: string): boolean =>
  calendarOf({ expression, timezone: 'UTC' }).after(Date.UTC(2026, 0, 1)) !== undefined
