import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { condensed, recordOf, rowOf, type Row } from '../../../plugins/src/metrics/rows.ts'

const minute = 60_000

const row = (timeMs: number, cpu: number, memory: number, spanMs = 5_000): Row => ({
  timeMs,
  spanMs,
  services: new Map([['api', { cpuPercent: cpu, cpuPercentMax: cpu, memoryBytes: memory, memoryBytesMax: memory }]]),
})

describe('rows condensed to a minute', () => {
  it('have the mean by time, and keep the highest', () => {
    const rows = [row(5_000, 100, 10), row(35_000, 0, 40, 30_000), row(60_000, 0, 10, 25_000)]
    const [only, ...others] = condensed(rows, minute)
    expect(others).toEqual([])
    expect(only).toMatchObject({ timeMs: minute, spanMs: minute })
    expect(only?.services.get('api')).toEqual({
      cpuPercent: (100 * 5) / 60,
      cpuPercentMax: 100,
      memoryBytes: 25,
      memoryBytesMax: 40,
    })
  })

  it('are as many as minutes that something was measured in; a row belongs to the minute it ends in', () => {
    const rows = [row(1, 1, 1), row(minute, 1, 1), row(minute + 1, 1, 1), row(5 * minute, 1, 1)]
    expect(condensed(rows, minute).map(({ timeMs }) => timeMs)).toEqual([minute, 2 * minute, 5 * minute])
  })

  it('are never outside of what was measured, nor is a second condensing of them', () => {
    const samples = fc.array(fc.tuple(fc.nat(20 * minute), fc.nat(400), fc.nat(1_000_000)), { minLength: 1 })
    fc.assert(
      fc.property(samples, (all) => {
        const rows = all.map(([time, cpu, memory]) => row(time + 1, cpu, memory))
        const cpus = all.map(([, cpu]) => cpu)
        for (const bucketMs of [minute, 5 * minute]) {
          for (const { services } of condensed(condensed(rows, minute), bucketMs)) {
            const usage = services.get('api')
            expect(usage?.cpuPercent).toBeLessThanOrEqual(Math.max(...cpus) + 1e-6)
            expect(usage?.cpuPercent).toBeGreaterThanOrEqual(Math.min(...cpus) - 1e-6)
            expect(cpus).toContain(usage?.cpuPercentMax)
          }
        }
      }),
    )
  })
})

describe('a stored row', () => {
  it('comes back as it was', () => {
    for (const one of [row(5_000, 12.5, 4096), ...condensed([row(1, 1, 2), row(2, 3, 4)], minute)])
      expect(rowOf(one.timeMs, recordOf(one))).toEqual(one)
  })

  it.each([null, 5, {}, { ms: 'x', services: {} }, { ms: 1, services: { api: [1] } }])(
    'is left out when it is %j',
    (value) => {
      expect(rowOf(1, value as never)).toBeUndefined()
    },
  )
})
