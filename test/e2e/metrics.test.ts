/** CPU and memory of real programs. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { parsedMetrics, parserIsThere } from '../plugins/metrics/prometheus-parser.ts'
import { freePort } from '../ports.ts'
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

it('what is measured outlives the supervisor', async () => {
  await using box = new Sandbox()
  box.config(`
metrics: { interval: 200ms, retention: 1h }
services:
  api: { command: sleep 1000 }
`)
  await box.sysg('start', '-d')
  const points = async () => {
    const { metrics } = JSON.parse(await box.sysg('inspect', 'api', '--json')) as {
      metrics: { points: readonly { time: string; memory_bytes: number }[] }
    }
    return metrics.points
  }
  const before = await until(points, (found) => found.length >= 5)
  expect(before[0]?.memory_bytes).toBeGreaterThan(100_000)
  process.kill((await box.status()).supervisor.pid, 'SIGKILL')
  await box.sysg('start', '-d')
  const after = await points()
  expect(after.map(({ time }) => time)).toEqual(expect.arrayContaining(before.slice(0, 3).map(({ time }) => time)))
})

it('metrics are served to Prometheus, to few clients at once; a port that is taken harms nothing', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  const yaml = (at: number) => `
metrics: { listen: '127.0.0.1:${at}' }
services:
  api: { command: sleep 1000 }
  'odd.name-1': { command: 'exit 3' }
`
  box.config(yaml(port))
  await box.run('start', '-d')
  const url = `http://127.0.0.1:${port}`
  const answer = await until(
    () => fetch(`${url}/metrics`).catch(() => undefined),
    (found) => found !== undefined,
  )
  expect(answer?.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const text = (await answer?.text()) ?? ''
  expect(text).toContain('systemg_service_up{service="api"} 1\n')
  expect(text).toContain('systemg_service_state{service="odd.name-1",state="failed"} 1\n')
  if (parserIsThere) {
    const samples = parsedMetrics(text)
    const of = (name: string) => samples.find((one) => one.name === name && one.labels['service'] !== 'odd.name-1')
    expect(of('systemg_service_memory_bytes')?.value).toBeGreaterThan(100_000)
    expect(of('process_resident_memory_bytes')?.value).toBeGreaterThan(10_000_000)
    expect(of('process_start_time_seconds')?.value).toBeGreaterThan(1.5e9)
    expect(samples.every(({ help }) => help.length > 10)).toBe(true)
  }
  expect((await fetch(`${url}/other`)).status).toBe(404)
  expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405)
  const many = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${url}/metrics`)).status))
  expect(new Set(many)).toEqual(new Set([200]))
  const idle = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  await until(
    () => idle.filter(({ readyState }) => readyState === 'open').length,
    (open) => open <= 32,
  )
  for (const socket of idle) socket.destroy()
  expect(await box.states()).toEqual({ api: 'running', 'odd.name-1': 'failed' })

  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port: other } = taken.address() as AddressInfo
  box.config(yaml(other))
  const started = await box.run('start', '-d')
  const problem = `127.0.0.1:${other}: the port is taken by pid ${process.pid}`
  const warning = expect.stringMatching(
    new RegExp(`^warning: Metrics are not served at ${problem}.*\\. Free it, or give \`metrics.listen\``, 'm'),
  ) as string
  expect(started.stderr).toEqual(warning)
  const told = await until(
    () => box.sysg('events', '--type', 'metrics.*'),
    (events) => events !== '',
  )
  expect(told).toContain(`metrics are not served at ${problem}`)
  expect((await box.service('api')).state).toBe('running')
  await expect(fetch(`${url}/metrics`)).rejects.toThrow()

  await box.sysg('stop')
  box.config(yaml(other))
  expect(await box.run('start', '-d', '-s', 'api')).toMatchObject({ code: 0, stderr: warning })
  taken.close()
})
