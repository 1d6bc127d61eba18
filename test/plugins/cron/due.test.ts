import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { calendarOf } from '../../../plugins/src/cron/calendar.ts'
import { dueUntil, markAt, soonMs } from '../../../plugins/src/cron/due.ts'

const utc = (expression: string) => calendarOf({ expression, timezone: 'UTC' })
const time = (text: string) => Date.parse(`2026-01-05T${text}Z`)

describe('what is due', () => {
  const everySecond = utc('* * * * * *')

  it('is each due time, when it is found soon', () => {
    expect(dueUntil(everySecond, time('03:00:00'), time('03:00:00.999'))).toEqual([])
    expect(dueUntil(everySecond, time('03:00:00'), time('03:00:02.500'))).toEqual([time('03:00:01'), time('03:00:02')])
    expect(dueUntil(everySecond, time('03:00:00'), time('03:00:11'))).toHaveLength(11)
  })

  it('is the last due time alone, when it is found late', () => {
    expect(dueUntil(everySecond, time('03:00:00'), time('03:00:11.500'))).toEqual([time('03:00:11')])
    expect(dueUntil(utc('0 3 * * *'), time('02:00:00'), time('05:00:00'))).toEqual([time('03:00:00')])
  })

  it('is what counting would find, however long it took', () => {
    const expressions = [
      '* * * * *',
      '*/7 * * * *',
      '*/5 * * * * *',
      '0 3 * * *',
      '* * 3 * * *',
      '0 0 1 * *',
      '30 1,5 * * 1',
    ]
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
    const settled = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 1) })
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.constantFrom(...zones),
        settled,
        fc.integer({ min: 0, max: 3_600_000 }),
        (expression, timezone, from, passedMs) => {
          const calendar = calendarOf({ expression, timezone })
          const counted: number[] = []
          for (let at = calendar.after(from); at !== undefined && at <= from + passedMs; at = calendar.after(at))
            counted.push(at)
          const isLate = counted[0] !== undefined && counted[0] < from + passedMs - soonMs
          expect(dueUntil(calendar, from, from + passedMs)).toEqual(isLate ? counted.slice(-1) : counted)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('a clock that was set back', () => {
  it.each([
    ['a daily job that has run does not run again', '0 3 * * *', '03:00:00', '02:05:00', '03:00:00'],
    ['a daily job that has not run runs when its time comes', '0 3 * * *', '02:50:00', '02:05:00', '02:50:00'],
    ['a job of every minute goes on from there', '* * * * *', '03:05:00', '02:05:30', '02:05:30'],
    ['a job of every minute waits for less than that', '* * * * *', '03:05:00', '03:04:30', '03:05:00'],
    ['a job of every second waits for half a second', '* * * * * *', '03:00:01', '03:00:00.500', '03:00:01'],
    ['a clock that only goes on changes nothing', '* * * * *', '03:05:00', '03:05:30', '03:05:00'],
  ])('%s', (_, expression, settled, now, mark) => {
    expect(markAt(utc(expression), time(settled), time(now))).toBe(time(mark))
  })
})
