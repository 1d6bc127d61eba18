import { describe, expect, it } from 'vitest'
import { Meter } from '../../../plugins/src/metrics/meter.ts'

const usage = (cpuMs: number, memoryBytes = 1) => ({ cpuMs, memoryBytes, processes: 1 })

describe('the CPU time of an instance', () => {
  it('is a percentage from the first look on, when it has just been started', () => {
    const meter = new Meter(10_000)
    meter.take(usage(150), 10_300)
    expect(meter.cpuPercent).toBe(50)
  })

  it('is none before its second look, when nobody saw it start', () => {
    const meter = new Meter(undefined)
    meter.take(usage(900_000), 10_000)
    expect(meter.cpuPercent).toBeUndefined()
    meter.take(usage(900_100), 10_100)
    expect(meter.cpuPercent).toBeUndefined()
    meter.take(usage(900_250), 10_500)
    expect(meter.cpuPercent).toBe(50)
  })

  it('is measured from a look that is at least a second ago', () => {
    const meter = new Meter(0)
    meter.take(usage(1_000), 1_000)
    meter.take(usage(1_500), 1_500)
    expect(meter.cpuPercent).toBe(100)
    meter.take(usage(1_500), 2_000)
    expect(meter.cpuPercent).toBe(50)
    meter.take(usage(1_500), 3_000)
    expect(meter.cpuPercent).toBe(0)
  })

  it('may be that of several cores', () => {
    const meter = new Meter(0)
    meter.take(usage(4_000), 1_000)
    expect(meter.cpuPercent).toBe(400)
  })

  it('never falls in total, when a process ends that nobody has waited for', () => {
    const meter = new Meter(0)
    meter.take(usage(5_000), 10_000)
    meter.take(usage(1_000), 20_000)
    expect([meter.cpuMs, meter.cpuPercent]).toEqual([5_000, 0])
    meter.take(usage(1_500), 21_000)
    expect([meter.cpuMs, meter.cpuPercent]).toEqual([5_500, 50])
  })

  it('and its memory are nothing when nobody lives any more', () => {
    const meter = new Meter(0)
    meter.take(usage(100, 4096), 1_000)
    meter.take(undefined, 2_000)
    expect([meter.cpuMs, meter.memoryBytes, meter.processes]).toEqual([100, 0, 0])
  })
})
