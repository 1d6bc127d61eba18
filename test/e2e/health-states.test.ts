/** What becomes of real programs that answer badly, late, not at all, or now well and now badly. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SysgEvent } from '@systemg/core'
import { expect, it } from 'vitest'
import { Deployed, layouts } from './layouts.ts'
import { freePort, freePorts } from '../ports.ts'
import { Sandbox, until } from './sysg.ts'

const node = process.execPath

/** Answers with the statuses of its arguments, one after the other, then with the last of them; 0 is no answer at all. */
const server = `
const [port, ...statuses] = process.argv.slice(2).map(Number)
const server = require('node:http').createServer((request, response) => {
  require('node:fs').appendFileSync('asked', process.pid + '\\n')
  const status = statuses.length > 1 ? statuses.shift() : statuses[0]
  if (status !== 0) response.writeHead(status).end()
})
server.listen(port, '127.0.0.1')
`

const eventsOf = async (box: Sandbox): Promise<readonly SysgEvent[]> => {
  const { stdout } = await box.run('events', '--json', '--lines', 'all')
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SysgEvent)
}

const startsIn = (events: readonly SysgEvent[]) => events.filter(({ type }) => type === 'instance.started').length

/** How often the server was asked. */
const asked = (box: Sandbox): number => {
  try {
    return readFileSync(join(box.folder, 'asked'), 'utf8').split('\n').length - 1
  } catch {
    return 0
  }
}

const open = async (statuses: string, check: string, more = '') => {
  const box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  const url = `url: "http://127.0.0.1:${port}/", start_interval: 50ms, interval: 100ms`
  const web = `{ command: "${node} server.cjs ${port} ${statuses}", health_check: { ${url}, ${check} } ${more} }`
  box.config(`services: { web: ${web} }`)
  return box
}

it('one that answers 500 for a while is starting, with the reason, and then running', async () => {
  const failures = Array.from({ length: 40 }, () => 500).join(' ')
  await using box = await open(`${failures} 200`, 'retries: 2')
  const started = box.run('start', '-d')
  const seen = await until(
    () => box.service('web').catch(() => undefined),
    (service) => service?.reason === 'not ready yet: status 500',
  )
  expect(seen).toMatchObject({ state: 'starting', health: 'starting' })
  expect(await started).toMatchObject({ code: 0 })
  expect(await box.service('web')).toMatchObject({ state: 'running', health: 'healthy', reason: null })
  // Failures before the first success are not counted as anything.
  const events = await eventsOf(box)
  expect(startsIn(events)).toBe(1)
  expect(events.filter(({ type }) => type === 'service.unhealthy')).toEqual([])
})

it('one that accepts and never answers is not ready in time, and the start fails', async () => {
  await using box = await open('0', 'attempt_timeout: 300ms, total_timeout: 1500ms')
  const { code, stderr } = await box.run('start', '-d')
  expect(code).toBe(1)
  expect(stderr).toContain('not ready within 1s500ms: timeout: no answer within 300ms')
  expect(await box.service('web')).toMatchObject({ state: 'failed', pid: null })
  expect(asked(box)).toBeGreaterThan(1)
})

it('one that is ready and then never answers again is unhealthy', async () => {
  await using box = await open('200 200 200 200 0', 'attempt_timeout: 500ms, retries: 2')
  expect((await box.run('start', '-d')).code).toBe(0)
  const { pid } = await box.service('web')
  const seen = await until(
    () => box.service('web'),
    ({ state }) => state === 'unhealthy',
  )
  // Nobody said that it is to come back.
  expect(seen).toMatchObject({ health: 'unhealthy', reason: 'timeout: no answer within 500ms', pid })
})

it('one that flaps, but fails less often in a row than `retries`, is left alone', async () => {
  const flaps = Array.from({ length: 12 }, () => '500 500 200').join(' ')
  await using box = await open(`200 ${flaps}`, 'retries: 3', ', restart_policy: always, backoff: 100ms')
  expect((await box.run('start', '-d')).code).toBe(0)
  await until(
    () => asked(box),
    (count) => count > 36,
  )
  const events = await eventsOf(box)
  expect(startsIn(events)).toBe(1)
  expect(events.filter(({ type }) => type === 'service.unhealthy')).toEqual([])
})

it('one that flaps is healthy again after `success_threshold` successes in a row, not before', async () => {
  const flaps = '500 500 200 500 200 200'
  await using box = await open(`200 ${flaps}`, 'retries: 2, success_threshold: 2, liveness: false')
  expect((await box.run('start', '-d')).code).toBe(0)
  const told = await until(
    async () =>
      (await eventsOf(box)).map(({ type }) => type).filter((type) => /^service\.(ready|unhealthy)$/.test(type)),
    (types) => types.length === 3,
  )
  expect(told).toEqual(['service.ready', 'service.unhealthy', 'service.ready'])
  expect(asked(box)).toBeGreaterThanOrEqual(7)
  expect(startsIn(await eventsOf(box))).toBe(1)
})

it('one that becomes unhealthy in every life is restarted as often as its policy says, and no more', async () => {
  const more = ', restart_policy: on-failure, backoff: 50ms, max_restarts: 3'
  await using box = await open('200 503', 'retries: 2', more)
  await box.run('start', '-d')
  await until(
    () => box.service('web'),
    ({ state, restarts }) => state === 'unhealthy' && restarts === 3,
  )
  const seen = asked(box)
  await until(
    () => asked(box),
    (count) => count > seen + 5,
  )
  // Better badly than not at all: what would not come back is left alone.
  expect(await box.service('web')).toMatchObject({ state: 'unhealthy', reason: 'status 503' })
  const events = await eventsOf(box)
  expect(startsIn(events)).toBe(1 + 3)
  expect(events.filter(({ type }) => type === 'service.restarting')).toHaveLength(3)
})

it('a candidate that never accepts is not taken for healthy because the old one answers on their socket', async () => {
  await using site = await Deployed.open(layouts.oneSocket, { says: 'old' })
  const address = `127.0.0.1:${site.place.port}`
  const old = await site.answer()
  const pid = old.split(' ').at(-1)
  for (const check of [{ url: `http://${address}/health` }, { tcp: address }]) {
    site.configure({ says: 'new', behaves: 'never accepts', check, totalTimeout: '2s' })
    const { code, stderr } = await site.deploy()
    expect(code).toBe(1)
    expect(stderr).toContain('SYSG_HEALTH_SHARED_SOCKET')
    expect(stderr).toMatch(new RegExp(`not ready within 2s: answered by pid ${pid}, not by api-\\d`))
    expect(await site.answer()).toBe(old)
  }
  expect(site.visitors.failures).toEqual([])
})

it('nor in a slot of its own, nor by what the proxy answers', async () => {
  await using site = await Deployed.open(layouts.behindProxy, { says: 'old' })
  const old = await site.answer()
  site.configure({ says: 'new', behaves: 'never accepts', totalTimeout: '1s' })
  expect((await site.deploy()).stderr).toContain('not ready within 1s: connection refused')
  const check = { url: `http://127.0.0.1:${site.place.port}/health` }
  site.configure({ says: 'new', behaves: 'never accepts', check, totalTimeout: '1s' })
  expect((await site.deploy()).stderr).toMatch(/not ready within 1s: answered by pid \d+, not by api-\d/)
  expect(await site.answer()).toBe(old)
  expect(site.visitors.failures).toEqual([])
})

it('the descriptor for `ready` comes behind the sockets', async () => {
  await using box = new Sandbox()
  const [one, other] = await freePorts()
  box.file(
    'says-so.sh',
    '#!/bin/sh\necho "$LISTEN_FDS $SYSG_NOTIFY_FD" > said\nreadlink /proc/$$/fd/3 /proc/$$/fd/4 > sockets\necho ready >&"$SYSG_NOTIFY_FD"\nexec sleep 1000\n',
  )
  const sockets = JSON.stringify([`tcp://127.0.0.1:${one}`, `tcp://127.0.0.1:${other}`])
  box.config(`services: { web: { command: ./says-so.sh, sockets: ${sockets}, health_check: { notify: true } } }`)
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect(readFileSync(join(box.folder, 'said'), 'utf8')).toBe('2 5\n')
  expect(readFileSync(join(box.folder, 'sockets'), 'utf8')).toMatch(/^socket:\[\d+\]\nsocket:\[\d+\]\n$/)
})
