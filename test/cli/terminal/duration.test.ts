import { parseDuration as coreParse } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { formatAge, formatElapsed } from '../../../cli/src/terminal/age.ts'
import { durationMs, intervalMs, momentMs, parseDuration } from '../../../cli/src/terminal/duration.ts'

const texts = [
  ...['0', '1', '10', ' 10 ', '1.5', '.5', '1.', '-1', '+1', '1e3', '1_000', '', ' ', 'soon', 's', '5 s', '5S', '5µs'],
  ...['5ms', '5s', '5m', '5h', '5d', '5w', '1second', '2seconds', '1minute', '3hours', '1day', '2days', '1seconds'],
  ...['1m30s', '1h1ms', '30s1m', '1m1m', '1d2h3m4s5ms', '1.5s', '1m 30s', '99999999999999999', '9007199254740993ms'],
  ...['9007199254740991d', '1constructor', '1toString'],
]

describe('a duration as an option', () => {
  it.each(texts)('%j means what it means in a config', (text) => {
    expect(parseDuration(text)).toBe(coreParse(text))
  })

  it('names the option when it is none', () => {
    expect(() => durationMs('soon', '--timeout')).toThrow('`--timeout`: `soon` is no duration')
    expect(durationMs('1m30s')).toBe(90_000)
  })

  it('is above zero, and not too short to be looked at, where something is repeated', () => {
    expect(intervalMs('2s', '--stream')).toBe(2000)
    expect(intervalMs('1ms', '--stream')).toBe(100)
    expect(() => intervalMs('0', '--stream')).toThrow('above zero')
  })
})

describe('a moment as an option', () => {
  const nowMs = Date.parse('2026-01-31T12:00:00Z')

  it.each([
    ['10m', nowMs - 600_000],
    ['30', nowMs - 30_000],
    ['104249991d', 0],
    ['2026-01-31T10:00:00Z', nowMs - 7_200_000],
    ['2026-01-31 10:00:00.250Z', nowMs - 7_199_750],
    ['2026-01-31T12:00+02:00', nowMs - 7_200_000],
    ['2026-01-31T10:00', new Date(2026, 0, 31, 10).getTime()],
    ['2026-01-31', new Date(2026, 0, 31).getTime()],
  ])('%j is understood', (text, ms) => {
    expect(momentMs(text, '--since', nowMs)).toBe(ms)
  })

  it.each(['', 'yesterday', '2026-13-45', '2026-02-30', '2026-02-29T10:00Z', '2026-01-31T99:00', '31.01.2026'])(
    '%j is not',
    (text) => {
      expect(() => momentMs(text, '--since', nowMs)).toThrow('`--since` takes')
    },
  )
})

describe('an age', () => {
  it.each([
    [-5, '0s'],
    [Number.NaN, '0s'],
    [999, '0s'],
    [3_000, '3s'],
    [312_000, '5m12s'],
    [300_000, '5m'],
    [3_599_999, '59m59s'],
    [7_300_000, '2h'],
    [86_400_000 * 3.9, '3d'],
  ])('of %d ms is %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text)
  })

  it.each([
    [0, '0ms'],
    [320, '320ms'],
    [1_290, '1.2s'],
    [9_999, '9.9s'],
    [12_000, '12s'],
  ])('that matters, of %d ms, is %s', (ms, text) => {
    expect(formatElapsed(ms)).toBe(text)
  })
})
