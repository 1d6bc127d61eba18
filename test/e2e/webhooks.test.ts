/** Events on their way to a real server, which is away, refuses, and checks signatures. */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it, onTestFinished } from 'vitest'
import { freePort } from '../ports.ts'
import { Sandbox, until } from './sysg.ts'

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly status: number
}

/** Answers with these, one after the other, and then with 200; what is told of other events always with 200. */
const receiver = async (port: number, statuses: readonly number[] = [], event?: string): Promise<Asked[]> => {
  const asked: Asked[] = []
  const left = [...statuses]
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      const isMeant = event === undefined || request.headers['x-sysg-event'] === event
      const status = (isMeant ? left.shift() : undefined) ?? 200
      asked.push({ headers: request.headers, body, status })
      response.writeHead(status).end('noted')
    })
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return asked
}

const secrets = ['open-sesame-42', 'pa55w0rd-in-url', 't0ken-in-header', 'path-of-the-hook']

const configure = (box: Sandbox, port: number) =>
  box.config(`
webhooks:
  - url: http://me:pa55w0rd-in-url@127.0.0.1:${port}/path-of-the-hook
    events: service.failed
    secret: open-sesame-42
    headers: { X-Token: t0ken-in-header }
services:
  api: { command: 'sleep 0.6; echo "key is $API_KEY"; exit 3', env: { vars: { API_KEY: k-1234567 } } }
`)

it('are signed, and sent again until they have arrived, also over the death of the supervisor; once', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  configure(box, port)
  await box.sysg('start', '-d')
  await until(
    () => box.states(),
    ({ api }) => api === 'failed',
  )
  const away = await until(
    () => box.sysg('webhooks'),
    (shown) => shown.includes('ECONNREFUSED'),
  )
  expect(away).toMatch(/^0 {2}http:\/\/127\.0\.0\.1:\d+\/… {2}service\.failed: 1 waiting; .*tried again in \d+s/)
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  const asked = await receiver(port, [500, 503])
  await until(
    () => asked,
    (all) => all.some(({ status }) => status === 200),
    120_000,
  )
  expect(asked.map(({ status }) => status)).toEqual([500, 503, 200])
  const [first] = asked
  expect(new Set(asked.map(({ body }) => body)).size).toBe(1)
  expect(new Set(asked.map(({ headers }) => headers['x-sysg-delivery'])).size).toBe(1)
  expect(first?.headers).toMatchObject({
    'content-type': 'application/json',
    'x-sysg-event': 'service.failed',
    'x-sysg-signature': `sha256=${createHmac('sha256', 'open-sesame-42')
      .update(first?.body ?? '')
      .digest('hex')}`,
    'x-token': 't0ken-in-header',
    authorization: `Basic ${Buffer.from('me:pa55w0rd-in-url').toString('base64')}`,
  })
  expect(JSON.parse(first?.body ?? '')).toMatchObject({ type: 'service.failed', service: 'api' })
  expect(first?.body).toContain('key is ********')

  expect(await box.sysg('webhooks', '--json')).toContain('"waiting":0')
  const shown = await Promise.all([
    box.sysg('webhooks'),
    box.sysg('events', '--json', '--lines', 'all'),
    box.sysg('logs', '--kind', 'supervisor', '--lines', '10000'),
    box.sysg('plan'),
    // A service has failed.
    box.run('status', '--json').then(({ stdout }) => stdout),
  ])
  for (const secret of secrets) expect(shown.join('\n')).not.toContain(secret)
  await box.sysg('stop')
  expect(asked).toHaveLength(3)
  for (const file of filesBelow(box.home)) {
    const isLog = file.endsWith('.log')
    if (isLog) for (const secret of secrets) expect(readFileSync(file, 'latin1'), file).not.toContain(secret)
    else expect(statSync(file).mode & 0o077, file).toBe(0)
  }
})

it('can be tried: a test prints what was answered', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  configure(box, port)
  expect((await box.run('webhooks')).code).toBe(3)
  await box.sysg('start', '-d').catch(() => undefined)
  const nobody = await box.run('webhooks', 'test')
  expect([nobody.code, nobody.stdout]).toEqual([1, expect.stringMatching(/failed: .*ECONNREFUSED/)])
  const asked = await receiver(port, [401], 'webhook.test')
  expect((await box.run('webhooks', 'test', '0')).stdout).toMatch(/failed: status 401 after \d+ ms\n {3}noted/)
  expect(await box.sysg('webhooks', 'test')).toMatch(/status 200 after \d+ ms/)
  expect(asked.filter(({ headers }) => headers['x-sysg-event'] === 'webhook.test').length).toBeGreaterThanOrEqual(2)
  const wrong = await box.run('webhooks', 'test', '7')
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('no webhook with the number 7')])
  expect((await box.run('webhooks', 'tset')).code).toBe(2)
})

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
