import { spawn } from 'node:child_process'
import { expect, it } from 'vitest'
import { nodeClock } from '../../../cli/src/host/clock.ts'
import { readStat } from '../../../cli/src/host/process-stat.ts'

/** Nothing is heard meanwhile. */
const beBusy = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

it('hears what came while the process was busy before a timer that was due by then', async () => {
  const order: string[] = []
  const ended = Promise.withResolvers<void>()
  const fired = Promise.withResolvers<void>()
  const child = spawn('true')
  child.once('exit', () => {
    order.push('exit')
    ended.resolve()
  })
  nodeClock.timer(20, () => {
    order.push('timer')
    fired.resolve()
  })
  beBusy(50)
  // Not reaped: this process has not heard of its end.
  while (readStat(child.pid ?? 0)?.isLiving === true) beBusy(1)
  await Promise.all([ended.promise, fired.promise])
  expect(order).toEqual(['exit', 'timer'])
})

it('fires nothing that is cancelled, not even one that was due', async () => {
  let isFired = false
  const cancel = nodeClock.timer(0, () => {
    isFired = true
  })
  const next = new Promise<void>((resolve) => void setTimeout(resolve, 1))
  beBusy(50)
  // Both are due, and come in this order.
  await next
  cancel()
  await new Promise<void>((resolve) => void nodeClock.timer(5, resolve))
  expect(isFired).toBe(false)
})
