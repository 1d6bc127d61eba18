/** CPU and memory of real programs. */
import { expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

const burn = 'while :; do :; done'

it('status shows what a service and its children use, and a table has the columns', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  idle: { command: sleep 1000 }
  busy: { command: 'sh -c "${burn}" & sleep 1000', stop_timeout: 0 }
  pair: { command: sleep 1000, replicas: 2 }
  done: { command: 'true' }
`)
  await box.sysg('start', '-d')
  const busy = await until(
    () => box.service('busy'),
    ({ cpu_percent: percent }) => (percent ?? 0) > 5,
  )
  expect(busy.memory_bytes).toBeGreaterThan(500_000)
  expect(await box.service('idle')).toMatchObject({ cpu_percent: expect.closeTo(0, -1) as number })
  expect((await box.service('idle')).memory_bytes).toBeGreaterThan(100_000)
  expect(await box.service('done')).toMatchObject({ cpu_percent: null, memory_bytes: null })
  const table = await box.sysg('status', 'pair')
  expect(table).toMatch(/^NAME .* CPU +MEMORY /m)
  expect(table).toMatch(/^└ pair-2 .* \d+\.\d% +[\d.]+[KM] /m)
  expect(table).toMatch(/^pair .* \d+\.\d% +[\d.]+[KM] /m)
})
