/** The life of a system, with real processes and the built `sysg`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

/** The older README's pair. */
const pair = (policy: string) => `
version: "1"
services:
  database:
    command: "sleep 1000"
    restart_policy: "${policy}"
    backoff: 1s
  web:
    command: "sleep 2000"
    depends_on:
      - database
`

it('starts in order, cascades on kill -9, and brings both back by the policy', async () => {
  await using box = new Sandbox()
  box.config(pair('always'))
  const started = await box.run('start', '-d')
  expect(started).toMatchObject({ code: 0, stdout: '' })
  expect(await box.states()).toEqual({ database: 'running', web: 'running' })
  const database = await box.service('database')
  const web = await box.service('web')
  process.kill(database.pid ?? 0, 'SIGKILL')
  const blocked = await until(
    () => box.service('web'),
    ({ state }) => state === 'blocked',
  )
  expect(blocked.reason).toBe('database is in backoff: killed by SIGKILL')
  expect(isAlive(web.pid ?? 0)).toBe(false)
  await until(
    () => box.states(),
    (states) => states['web'] === 'running' && states['database'] === 'running',
  )
  expect((await box.service('database')).restarts).toBe(1)
  expect((await box.service('web')).restarts).toBe(0)
  const events = (await box.run('events', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; service?: string })
  const ready = events.filter(({ type }) => type === 'service.ready').map(({ service }) => service)
  expect(ready).toEqual(['database', 'web', 'database', 'web'])
})

it('without a policy the dependent stays down and says why; starting the dependency brings both back', async () => {
  await using box = new Sandbox()
  box.config(pair('never'))
  await box.run('start', '-d')
  process.kill((await box.service('database')).pid ?? 0, 'SIGKILL')
  await until(
    () => box.states(),
    (states) => states['web'] === 'blocked',
  )
  const status = await box.run('status')
  expect(status.code).toBe(1)
  expect(status.stdout).toContain('database failed: killed by SIGKILL')
  const again = await box.run('start', '-s', 'database')
  expect(again.code).toBe(0)
  await until(
    () => box.states(),
    (states) => states['web'] === 'running' && states['database'] === 'running',
  )
})

it('stop leaves nothing alive: a child, a grandchild under a shell, and one that escaped by setsid and ignores SIGTERM', async () => {
  await using box = new Sandbox()
  const escapes = box.file(
    'escapes.sh',
    `#!/bin/sh
sleep 3001 &
sh -c 'sleep 3002; true' &
setsid sh -c 'trap "" TERM; (trap "" TERM; while :; do sleep 3003; done) & echo $! > "$0"' ${join(box.folder, 'escaped.pid')}
exec sleep 3000
`,
  )
  box.config(`services: { tree: { command: "${escapes}", stop_timeout: 1s } }`)
  expect((await box.run('start', '-d')).code).toBe(0)
  const escaped = await until(
    () => Number(readIf(join(box.folder, 'escaped.pid'))),
    (pid) => pid > 0,
  )
  expect(isAlive(escaped)).toBe(true)
  const before = box.processes()
  expect(before.length).toBeGreaterThan(4)
  const stopped = await box.run('stop')
  expect(stopped.code).toBe(0)
  expect(before.filter(isAlive)).toEqual([])
  expect(box.processes()).toEqual([])
})

it('start -d ends with 1 when something fails, and names it with its last lines', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  fine: { command: "sleep 1000" }
  broken: { command: "echo no such table: users >&2; exit 3" }
  needs: { command: "sleep 1000", depends_on: [broken] }
`)
  const { code, stderr } = await box.run('start', '-d')
  expect(code).toBe(1)
  expect(stderr).toContain('broken')
  expect(stderr).toContain('exit code 3')
  expect(stderr).toContain('no such table: users')
  expect(stderr).toContain('broken failed')
  expect(await box.states()).toEqual({ fine: 'running', broken: 'failed', needs: 'blocked' })
})

it('a flapping service backs off, is given up, and disturbs nobody', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  calm: { command: "sleep 1000" }
  flaps: { command: "exit 1", restart_policy: always, backoff: { initial: 50ms, factor: 2, jitter: 0 }, max_restarts: 3 }
`)
  const calm = box.run('start', '-d')
  expect((await calm).code).toBe(1)
  const before = await box.service('calm')
  const failed = await until(
    () => box.service('flaps'),
    ({ state }) => state === 'failed',
  )
  expect(failed.restarts).toBe(3)
  expect(failed.reason).toContain('exit code 1')
  expect(await box.service('calm')).toMatchObject({ pid: before.pid, restarts: 0, state: 'running' })
  const events = (await box.run('events', '--json', '-s', 'flaps')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; data: { delay_ms: number } })
  expect(events.filter(({ type }) => type === 'service.restarting').map(({ data }) => data.delay_ms)).toEqual([
    50, 100, 200,
  ])
})

it('a config with mistakes changes nothing and lists them all; the next good one is applied', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: "sleep 1000" } }')
  await box.run('start', '-d')
  const { pid } = await box.service('api')
  box.config('services: { api: { comand: "sleep 1001", stop_timeout: soon } }')
  const bad = await box.run('restart')
  expect(bad.code).toBe(5)
  expect(bad.stderr).toContain('systemg.yaml:1:')
  expect(bad.stderr).toContain('`command`')
  expect(bad.stderr).toContain('soon')
  expect(await box.service('api')).toMatchObject({ pid, state: 'running' })
  box.config('services: { api: { command: "sleep 1000" }, more: { command: "sleep 1002" } }')
  expect((await box.run('plan')).stdout).toContain('new in the config')
  expect((await box.run('start', '-d')).code).toBe(0)
  expect(await box.service('api')).toMatchObject({ pid, state: 'running' })
  expect((await box.service('more')).state).toBe('running')
})

it('in the foreground: output of all services, Ctrl-C stops in reverse order', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  db: { command: "echo db is up; exec sleep 1000" }
  api: { command: "echo api is up; exec sleep 1000", depends_on: [db] }
`)
  const child = box.spawn(['start'])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await until(
    () => output,
    (text) => /db +\| db is up/.test(text) && /api +\| api is up/.test(text),
  )
  child.kill('SIGINT')
  const code = await new Promise((done) => child.once('exit', done))
  expect(code).toBe(130)
  expect(box.processes()).toEqual([])
  const events = (await box.run('events', '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; service?: string })
  const stopped = events.filter(({ type }) => type === 'service.stopped').map(({ service }) => service)
  expect(stopped).toEqual(['api', 'db'])
})

it('two starts at once give one supervisor and two successes', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: "sleep 1000" } }')
  const results = await Promise.all(Array.from({ length: 4 }, () => box.run('start', '-d')))
  expect(results.map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']))
  expect((await box.service('api')).instances).toHaveLength(1)
})

it('a killed supervisor without `respawn`: services go on, the next start takes them up under the same pids', async () => {
  await using box = new Sandbox()
  box.config(
    'respawn: false\nservices: { db: { command: "sleep 1000" }, api: { command: "sleep 1000", depends_on: [db] } }',
  )
  await box.run('start', '-d')
  const before = await box.status()
  process.kill(before.supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(before.supervisor.pid),
    (alive) => !alive,
  )
  const orphaned = await box.run('status')
  expect(orphaned.code).toBe(3)
  expect(orphaned.stdout).toContain('unsupervised')
  expect((await box.run('start', '-d')).code).toBe(0)
  const after = await box.status()
  expect(after.services.map(({ name, pid, state }) => [name, pid, state])).toEqual(
    before.services.map(({ name, pid, state }) => [name, pid, state]),
  )
  process.kill(after.supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(after.supervisor.pid),
    (alive) => !alive,
  )
  expect((await box.run('stop')).code).toBe(0)
  expect(box.processes()).toEqual([])
})

const readIf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

it('an edited env file replaces the services that use it, and no others', async () => {
  await using box = new Sandbox()
  box.file('api.env', 'GREETING=one\nTOKEN=hunter2\n')
  box.config(`
services:
  api: { command: "echo said $GREETING; exec sleep 1000", env: { file: api.env } }
  db: { command: "sleep 1000" }
`)
  expect((await box.run('start', '-d')).code).toBe(0)
  const before = await box.service('db')
  expect((await box.run('plan', '--json')).stdout).not.toContain('restart')
  box.file('api.env', '# greets\nGREETING=two\nTOKEN=hunter2\n')
  const plan = await box.run('plan')
  expect(plan.stdout).toMatch(/restart +api +the env file api\.env changed/)
  expect(plan.stdout).not.toContain('hunter2')
  expect((await box.run('start', '-d')).code).toBe(0)
  await until(
    async () => (await box.run('logs', 'api')).stdout,
    (said) => said === 'said one\nsaid two\n',
  )
  expect((await box.service('db')).pid).toBe(before.pid)
  const api = await box.service('api')
  await box.run('start', '-d')
  expect((await box.service('api')).pid).toBe(api.pid)
})
