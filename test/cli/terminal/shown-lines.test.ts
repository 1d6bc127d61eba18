import type { LogRecord } from '@systemg/plugins/logs'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ShownLines } from '../../../cli/src/terminal/shown-lines.ts'

const record = (service: string, second: number, line: string): LogRecord => ({
  ...{ time: new Date(second * 1000).toISOString(), service, instance: `${service}-1`, stream: 'stdout', line },
})

it('takes every line once, wherever one begins to look again', () => {
  const lines = fc.array(fc.record({ service: fc.constantFrom('api', 'db'), pauseS: fc.nat(2) }), { maxLength: 30 })
  fc.assert(
    fc.property(lines, fc.nat(30), fc.nat(4), (steps, cut, overlapS) => {
      let second = 10
      const all = steps.map(({ service, pauseS }, at) => record(service, (second += pauseS), String(at)))
      const shown = new ShownLines()
      const seen = all.slice(0, cut).filter((one) => shown.take(one))
      shown.goOn()
      const fromMs = (shown.latestMs ?? 0) - overlapS * 1000
      const again = all.filter(({ time }) => Date.parse(time) >= fromMs)
      expect([...seen, ...again.filter((one) => shown.take(one))]).toEqual(all)
    }),
  )
})

it('shows the lines of another instance, though they look the same', () => {
  const shown = new ShownLines()
  const one = record('api', 1, 'hello')
  expect(shown.take(one)).toBe(true)
  shown.goOn()
  expect(shown.take(one)).toBe(false)
  expect(shown.take({ ...one, instance: 'api-2' })).toBe(true)
})
