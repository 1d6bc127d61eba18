import { describe, expect, it } from 'vitest'
import { mistakeIn } from '../../../plugins/src/cron/expression.ts'

describe('an expression', () => {
  it.each([
    ...[
      '* * * * *',
      '*/5 * * * * *',
      '0 3 * * mon-fri',
      '0 3 * * 7',
      '0 3 * * 0',
      '0 3 L * *',
      '0 3 * * 5#2',
      '0 3 15W * *',
    ],
    ...['0 0 29 2 *', '@hourly', '@daily', '@weekly', '@monthly', '@yearly', '0 22-23,0-5 * * *', '0 0 30 2 1'],
  ])('`%s` is sound', (text) => {
    expect(mistakeIn(text)).toBeUndefined()
  })

  it.each([
    ['', 'must have 5 fields, or 6 with the second first, not 0', 'For example `0 3 * * *`'],
    ['* * * *', 'must have 5 fields, or 6 with the second first, not 4', 'For example `0 3 * * *`'],
    ['0 0 0 1 1 * 2027', 'must have 5 fields, or 6 with the second first, not 7', 'A year'],
    ['2026-12-24T10:00:00', 'must have 5 fields, or 6 with the second first, not 1', 'For example'],
    ['0 25 * * *', 'has a mistake in the hour (`25`)', 'It goes from 0 to 23.'],
    ['61 * * * * *', 'has a mistake in the second (`61`)', 'It goes from 0 to 59.'],
    ['0 3 32 * *', 'has a mistake in the day of the month (`32`)', 'It goes from 1 to 31.'],
    ['0 3 0 * *', 'has a mistake in the day of the month (`0`)', 'It goes from 1 to 31.'],
    ['0 3 * 13 *', 'has a mistake in the month (`13`)', 'It goes from 1 to 12, or JAN to DEC.'],
    ['0 3 * * 8', 'has a mistake in the weekday (`8`)', 'It goes from 0 to 7, or SUN to SAT.'],
    ['0 3 * * MOM', 'has a mistake in the weekday (`MOM`)', 'Did you mean `MON`?'],
    ['0 3 * JUNY *', 'has a mistake in the month (`JUNY`)', 'Did you mean `JUN`?'],
    ['5/15 * * * *', 'has a mistake in the minute (`5/15`): a step needs a range', 'Did you mean `5-59/15`?'],
    ['0 22-5 * * *', 'has a mistake in the hour (`22-5`): the range is backwards', 'Did you mean `22-23,0-5`?'],
    ['*/0 * * * *', 'has a mistake in the minute (`*/0`): ', 'It goes from 0 to 59'],
    ['0 3 * * MON#6', 'has a mistake in the weekday (`MON#6`): ', 'It goes from 0 to 7'],
    ['H 3 * * *', 'has a mistake in the minute (`H`): ', 'It goes from 0 to 59'],
    ['0 0 31 2 *', 'never comes: there is no such date', 'The last day of a month is `L`'],
    ['0 0 31 4,6 *', 'never comes: there is no such date', 'The last day of a month is `L`'],
    ['@dayly', 'is no name of a schedule', 'Did you mean `@daily`?'],
    ['@sometimes', 'is no name of a schedule', 'Known are `@hourly`'],
    ['@reboot', 'is no time', 'A service without `cron` starts when the system does.'],
  ])('`%s` is not', (text, message, hint) => {
    const mistake = mistakeIn(text)
    expect(mistake?.message.startsWith(message), mistake?.message).toBe(true)
    expect(mistake?.hint.startsWith(hint), mistake?.hint).toBe(true)
  })
})
