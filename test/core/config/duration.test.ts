import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { duration, formatDuration, parseDuration } from '../../../core/src/config/index.ts'

describe('duration', () => {
  it.each([
    [10, 10_000],
    [0, 0],
    [0.25, 250],
    ['10', 10_000],
    ['0.5', 500],
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['1d2h3m4s5ms', 93_784_005],
    [' 5s ', 5_000],
    ['1second', 1_000],
    ['2minutes', 120_000],
  ])('reads %j as %d ms', (value, ms) => {
    expect(duration.parse(value)).toBe(ms)
  })

  it.each([
    '',
    'soon',
    '10 s',
    '-1s',
    '1.5s',
    '30s1m',
    '1s1s',
    '1w',
    '1e3',
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e300,
    '9'.repeat(30),
    'constructor',
    '1constructor',
  ])('refuses %j and gives an example', (value) => {
    const result = duration.safeParse(value)
    expect(result.error?.issues[0]?.message).toBe('must be a duration such as `10s`')
  })

  it.each([true, null, [], {}])('refuses %j, which is neither text nor a number, with the same words', (value) => {
    expect(duration.safeParse(value).error?.issues[0]?.message).toBe('must be a duration such as `10s`')
  })

  it('turns a fraction with a unit into the whole number to write instead', () => {
    const [issue] = duration.safeParse('1.5s').error?.issues ?? []
    expect(issue).toMatchObject({ params: { hint: 'Only whole numbers take a unit: write `1s500ms`.' } })
  })

  it('takes a default in the notation of users', () => {
    expect(z.object({ wait: duration.prefault('1m') }).parse({})).toEqual({ wait: 60_000 })
  })

  it.each([
    [0, '0s'],
    [250, '250ms'],
    [1_500, '1s500ms'],
    [90_000, '1m30s'],
    [86_400_000, '1d'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('reads back what it writes', () => {
    fc.assert(fc.property(fc.nat({ max: 10 ** 12 }), (ms) => parseDuration(formatDuration(ms)) === ms))
  })
})
