/** Every example comes up, does what its README says, stops, and leaves nothing behind. */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { freePort, freePorts } from '../ports.ts'
import { resultOf, Sandbox, until } from './sysg.ts'

const repository = join(import.meta.dirname, '../..')

/** Whether a program is installed; a test that needs it is skipped otherwise, and says so. */
const has = (program: string): boolean => {
  const isThere = spawnSync(program, ['--version']).error === undefined
  if (!isThere) console.warn(`skipped: what needs \`${program}\`, which is not installed`)
  return isThere
}

it('has a test for every example', () => {
  const folders = readdirSync(join(repository, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(repository, 'examples', entry.name, 'README.md')))
    .map(({ name }) => name)
    // Packages of their own: `plugin-packages.test.ts` installs them.
    .filter((name) => !name.startsWith('systemg-plugin-'))
  expect(folders.sort()).toEqual([
    'behind-nginx',
    'cron',
    'first',
    'notifications',
    'orchestrator',
    'postgres',
    'shop',
    'typescript',
    'zero-downtime',
  ])
})

it('first: web starts after the database and greets visitors by their number', async () => {
  const [databasePort, webPort] = await freePorts()
  const example = openExample('first', { DATABASE_PORT: String(databasePort), WEB_PORT: String(webPort) })

  await example.sysg('start', '-d')
  expect(await example.states()).toEqual({ database: 'running', web: 'running' })
  const greetings = [await get(webPort, '/'), await get(webPort, '/')]
  expect(greetings.map(({ body }) => body)).toEqual(['Welcome, visitor 2\n', 'Welcome, visitor 3\n'])

  await example.sysg('stop')
  await untilNothingRuns(example)
})

it('first: web is blocked while the database is dead, and comes back when a person starts it', async () => {
  const [databasePort, webPort] = await freePorts()
  const example = openExample('first', { DATABASE_PORT: String(databasePort), WEB_PORT: String(webPort) })
  await example.sysg('start', '-d')

  process.kill(await example.pid('database'), 'SIGKILL')
  await vi.waitFor(async () => expect(await example.states()).toEqual({ database: 'failed', web: 'blocked' }), patience)

  await example.sysg('start', '-s', 'database')
  await vi.waitFor(
    async () => expect(await example.states()).toEqual({ database: 'running', web: 'running' }),
    patience,
  )
  // Up for its `startup_grace`, it counts as running, listening or not.
  await vi.waitFor(async () => expect((await get(webPort, '/')).status).toBe(200), patience)

  await example.sysg('stop')
  await untilNothingRuns(example)
})

it('cron: the clock strikes each second, and the report counts its strikes', async () => {
  const example = openExample('cron')
  await example.sysg('start', '-d')
  expect(await example.sysg('validate')).toMatch(/^report runs next at .* 03:00:00, .* \(Europe\/Berlin\)$/m)
  const historyOf = async (name: string) => (await example.service(name)).cron?.history ?? []
  await vi.waitFor(async () => expect((await historyOf('clock')).length).toBeGreaterThan(2), patience)
  await vi.waitFor(
    async () => expect((await historyOf('slow')).map(({ status }) => status)).toContain('success'),
    patience,
  )
  expect((await historyOf('slow')).map(({ status }) => status)).toContain('skipped')

  await example.sysg('start', '-d', '-s', 'report')
  expect(await example.sysg('logs', 'report')).toMatch(/\d+ strikes/)
  expect(await historyOf('report')).toMatchObject([{ status: 'success', trigger: 'manual' }])

  await example.sysg('stop')
  await untilNothingRuns(example)
})

it.runIf(has('python3'))('orchestrator: three workers at once, the fourth waits, and all end with it', async () => {
  const example = openExample('orchestrator', { SYSG: `${process.execPath} ${join(repository, 'cli/bin/sysg.mjs')}` })
  await example.sysg('start', '-d')
  const workers = async () => (await example.service('orchestrator')).children?.map(({ name }) => name) ?? []
  await vi.waitFor(() => expect(existsSync(join(example.folder, 'inbox'))).toBe(true), patience)
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(example.folder, 'inbox', name), name === 'a' ? '3' : '9')
  await vi.waitFor(async () => expect(await workers()).toEqual(['a', 'b', 'c']), patience)
  await vi.waitFor(
    async () =>
      expect(await example.sysg('logs', 'orchestrator')).toContain(
        '`d` was not started: the limit `children` is 3, and `orchestrator` has 3 now.',
      ),
    patience,
  )
  await vi.waitFor(async () => expect(await workers()).toContain('d'), patience)
  expect(existsSync(join(example.folder, 'done', 'a'))).toBe(true)
  expect(await example.sysg('logs', 'orchestrator')).toMatch(/^orchestrator:a \| takes 3 s$/m)

  await example.sysg('stop')
  await untilNothingRuns(example)
})

it('notifications: the receiver is told, the diary is written', async () => {
  const port = await freePort()
  const example = openExample('notifications', { RECEIVER_PORT: String(port), WEBHOOK_SECRET: 'hush' })
  await example.sysg('start', '-d')
  expect(await example.sysg('webhooks', 'test')).toMatch(/status 200 after \d+ ms\n {3}thank you/)
  await vi.waitFor(async () => {
    const told = (await example.sysg('logs', 'receiver')).split('\n').map((line) => line.replace(/^.*\| /, ''))
    const of = (type: string) => told.filter((line) => line === `${type} of shaky`).length
    expect([of('service.ready'), of('service.restarting'), of('service.failed')]).toEqual([3, 2, 1])
  }, patience)
  expect((await get(port, '/', 'POST')).status).toBe(401)
  const diary = readFileSync(join(example.folder, 'diary.txt'), 'utf8').replaceAll(/\d{2,}/g, 'N')
  expect(diary.trim().split('\n')).toEqual([
    ...[
      'up, pid N',
      'crashed with 3',
      'up, pid N',
      'back, attempt 1',
      'crashed with 3',
      'up, pid N',
      'back, attempt 2',
    ],
    'crashed with 3',
  ])
  await example.sysg('stop')
  await untilNothingRuns(example)
})

it('shop: an order is taken, packed, and survives the death of the store', async () => {
  const [storePort, apiPort] = await freePorts()
  const example = openExample('shop')
  writeFileSync(join(example.folder, 'shop.env'), `STORE_PORT=${storePort}\nAPI_PORT=${apiPort}\n`)
  const running = { store: 'running', migrate: 'completed', api: 'running', worker: 'running' }

  await example.sysg('start', '-d')
  expect(await example.states()).toEqual(running)
  expect(await get(apiPort, '/orders?product=tea', 'POST')).toMatchObject({ status: 201 })
  await vi.waitFor(async () => expect((await get(apiPort, '/orders/1')).body).toContain('"packed"'), patience)

  const killed = await example.pid('store')
  process.kill(killed, 'SIGKILL')
  await vi.waitFor(async () => {
    expect(await example.pid('store')).not.toBe(killed)
    expect(await example.states()).toEqual(running)
  }, patience)
  expect((await get(apiPort, '/orders/1')).body).toContain('"packed"')
  expect((await get(apiPort, '/stock/tea')).body).toContain('19')

  await example.sysg('stop')
  await untilNothingRuns(example)
})

it('shop: on stop the worker finishes the order in hand, because the store stops last', async () => {
  const [storePort, apiPort] = await freePorts()
  const example = openExample('shop')
  writeFileSync(join(example.folder, 'shop.env'), `STORE_PORT=${storePort}\nAPI_PORT=${apiPort}\n`)
  writeFileSync(join(example.folder, 'worker.env'), 'PACKING_MS=1500\n')

  await example.sysg('start', '-d')
  await get(apiPort, '/orders?product=tea', 'POST')
  await vi.waitFor(async () => expect(await example.sysg('logs', 'worker')).toContain('packing order 1'), patience)
  await example.sysg('stop')
  expect(await example.sysg('logs', 'worker')).toContain('packed order 1: tea, 19 left')
  await untilNothingRuns(example)
})

it('typescript: the plugin in the config writes down every start', async () => {
  const example = openExample('typescript')
  const starts = () =>
    readFileSync(join(example.folder, 'starts.log'), 'utf8')
      .replaceAll(/^\S+Z | as .*$/gm, '')
      .trim()
      .split('\n')

  await example.sysg('start', '-d')
  expect(await example.states()).toEqual({ minutes: 'running', seconds: 'running' })
  await example.sysg('restart', '-s', 'seconds')
  expect(starts()).toEqual(['minutes started', 'seconds started', 'seconds started'])

  await example.sysg('stop')
  await untilNothingRuns(example)
})

it('zero-downtime: a bad version that never says it is ready leaves the old one serving', async () => {
  const port = await freePort()
  const example = openExample('zero-downtime', { PORT: String(port) })
  await example.sysg('start', '-d')
  const serving = await example.pid('web')
  const server = join(example.folder, 'server.js')
  const good = readFileSync(server, 'utf8')
  writeFileSync(server, `${good}\nthrow new Error('bad version')\n`)
  const bad = await example.run('restart', '-s', 'web')
  expect(bad.code).toBe(1)
  expect(bad.stderr).toContain('bad version')
  expect(await get(port, '/')).toEqual({ status: 200, body: `version 1, pid ${serving}\n` })
  writeFileSync(server, good)
  await example.sysg('restart', '-s', 'web')
  expect((await get(port, '/')).body).toBe(`version 1, pid ${await example.pid('web')}\n`)
  await example.sysg('stop')
  await untilNothingRuns(example)
})

it.skipIf(!has('nginx'))('behind-nginx: slots take turns, and a switch that does not hold is undone', async () => {
  const [http, blue, green] = await freePorts()
  const variables = { HTTP_PORT: String(http), BLUE_PORT: String(blue), GREEN_PORT: String(green) }
  const example = openExample('behind-nginx', variables)
  await example.sysg('start', '-d')
  expect((await get(http, '/slot')).body).toBe(String(blue))
  await example.sysg('restart', '-s', 'api')
  expect((await get(http, '/slot')).body).toBe(String(green))
  const serving = await example.pid('api')

  writeFileSync(join(example.folder, 'verify.js'), "console.error('not there'); process.exit(1)\n")
  const failed = await example.run('restart', '-s', 'api')
  expect(failed.code).toBe(1)
  expect(failed.stderr).toMatch(/switch_verify[\s\S]*not there/)
  expect((await get(http, '/')).body).toBe(`Hello from port ${green}, pid ${serving}\n`)
  await example.sysg('stop')
  await untilNothingRuns(example)
})

it.skipIf(!has('psql'))(
  'postgres: ten cold starts in order, asked by pg_isready and by tcp in turn',
  async () => {
    const [database, http] = await freePorts()
    const example = openExample('postgres', { PGPORT: String(database), HTTP_PORT: String(http) })
    const config = join(example.folder, 'systemg.yaml')
    const byCommand = readFileSync(config, 'utf8')
    const byTcp = byCommand.replace('command: pg_isready -q', `tcp: 127.0.0.1:${database}`)
    expect(byTcp).not.toBe(byCommand)
    for (let round = 0; round < 10; round += 1) {
      rmSync(join(example.folder, 'data'), { recursive: true, force: true })
      writeFileSync(config, round % 2 === 0 ? byCommand : byTcp)
      await example.sysg('start', '-d')
      expect(await example.states()).toEqual({ db: 'running', migrate: 'completed', api: 'running' })
      expect((await get(http, '/visit')).body).toBe('1 visits\n')
      await example.sysg('stop')
    }
    const order = (await example.sysg('events', '--json', '--lines', 'all'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { readonly type: string; readonly service?: string })
      .flatMap(({ type, service }) => {
        if (type === 'instance.started' && service !== undefined) return [`${service} starts`]
        return type === 'instance.ready' && service === 'db'
          ? ['db is ready']
          : type === 'service.completed'
            ? ['migrated']
            : []
      })
    expect(order).toEqual(
      Array.from({ length: 10 }, () => ['db starts', 'db is ready', 'migrate starts', 'migrated', 'api starts']).flat(),
    )
    await untilNothingRuns(example)
  },
  180_000,
)

it('demo: tells its story to the end and leaves nothing', async () => {
  const sandbox = new Sandbox()
  const demo = sandbox.spawnNode([join(repository, 'examples/demo.mjs')], { TMPDIR: sandbox.folder })
  const { code, stdout, stderr } = await resultOf(demo)
  expect(stdout).toContain('no process is left')
  expect(code, stderr).toBe(0)
  expect(readdirSync(sandbox.folder).filter((name) => name.startsWith('sysg-'))).toEqual([])
})

const patience = { timeout: 20_000, interval: 50 }

/** A copy of an example; this Node is the first that it finds. */
const openExample = (name: string, variables: Readonly<Record<string, string>> = {}): Sandbox => {
  const example = new Sandbox()
  const isSource = (path: string) => !['data', 'run', 'starts.log'].some((made) => path.endsWith(`/${made}`))
  // PostgreSQL and the workers of nginx become somebody else when root starts them.
  chmodSync(example.folder, 0o755)
  cpSync(join(repository, 'examples', name), example.folder, { recursive: true, filter: isSource })
  // So that a config in TypeScript finds `systemg`.
  symlinkSync(join(repository, 'node_modules'), join(example.folder, 'node_modules'))
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  // Some examples name their project, so that alone does not say that a process is one of this sandbox.
  example.environment = { PATH, EXAMPLE: example.folder, ...variables }
  return example
}

const untilNothingRuns = (example: Sandbox) =>
  until(
    () => example.processes(),
    (living) => living.length === 0,
  )

const get = async (port: number, path: string, method = 'GET'): Promise<{ status: number; body: string }> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, signal: AbortSignal.timeout(5_000) })
  return { status: response.status, body: await response.text() }
}
