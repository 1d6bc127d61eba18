import { definePlugin, type InstanceInfo, type ServiceConfig } from '@systemg/core'
import { all, answers, exitsAfter, prints, type Program } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { dotenv } from '@systemg/plugins/dotenv'
import { health } from '@systemg/plugins/health'
import { logs } from '@systemg/plugins/logs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { commandProbe } from '../../../plugins/src/health/probes/command.ts'

const address = 'tcp://127.0.0.1:8080'

/** Start one service and say how that went. */
const start = async (check: ServiceConfig['health_check'], program: Program, plugins = [dotenv, logs, health]) => {
  const services = { api: { command: 'x', health_check: { total_timeout: '2s', ...check } } }
  await using sim = await simulate(plugins, services, { programs: { api: program } })
  return sim.service('api').view
}

describe('url', () => {
  const url = 'http://localhost:8080/'
  const served = (status: number, body = '') => answers(address, () => ({ status, body }))

  it.each([
    { status: 204, expected: undefined, state: 'running' },
    { status: 301, expected: undefined, state: 'failed' },
    { status: 301, expected: ['2xx', 301], state: 'running' },
    { status: 404, expected: 404, state: 'running' },
    { status: 404, expected: '400-403', state: 'failed' },
    { status: 200, expected: '2XX', state: 'running' },
  ])('status $status with $expected: $state', async ({ status, expected, state }) => {
    const check = { url, ...(expected === undefined ? {} : { expect_status: expected }) }
    const view = await start(check, served(status))
    expect(view.state).toBe(state)
    if (state === 'failed') expect(view.reason).toBe(`not ready within 2s: status ${status}`)
  })

  it('wants the right body, where one is expected', async () => {
    expect((await start({ url, expect_body: '/"db": ?"up"/' }, served(200, '{"db": "up"}'))).state).toBe('running')
    expect((await start({ url, expect_body: 'up' }, served(200, 'down'))).reason).toBe(
      'not ready within 2s: status 200, but the body does not hold up',
    )
  })

  it('sends the headers that are given', async () => {
    const needsKey = answers(address, ({ headers }) => ({ status: headers['x-key'] === 'api' ? 200 : 401 }))
    expect((await start({ url, headers: { 'X-Key': '{service}' } }, needsKey)).state).toBe('running')
  })

  it('says that the connection was closed, or refused', async () => {
    const closes = answers(address, () => 'close')
    expect((await start({ url }, closes)).reason).toContain('the connection was closed without an answer')
    expect((await start({ url }, () => undefined)).reason).toContain('connection refused')
  })
})

describe('tcp', () => {
  it('is content with a connection', async () => {
    expect(
      (
        await start(
          { tcp: 'localhost:8080' },
          answers(address, () => 'hang'),
        )
      ).state,
    ).toBe('running')
    expect(
      (
        await start(
          { tcp: 8080 },
          answers(address, () => 'hang'),
        )
      ).state,
    ).toBe('running')
    expect((await start({ tcp: '127.0.0.1:8081' }, answers(address))).reason).toBe(
      'not ready within 2s: connection refused',
    )
  })
})

describe('command', () => {
  const service =
    (program: Program): Program =>
    (self) => {
      // The check runs with the environment of the service, so it is told from it by its arguments.
      if (self.argv[0] === 'check') program(self)
    }

  it('that exits 0 is good news, anything else is told with its last line', async () => {
    expect((await start({ command: 'check' }, service(exitsAfter(10)))).state).toBe('running')
    const fails = service(all(prints('connecting\nno such table: users\n\n'), exitsAfter(10, 3)))
    expect((await start({ command: 'check me' }, fails)).reason).toBe(
      'not ready within 2s: exit code 3, `no such table: users`',
    )
  })

  it('that does not exist is named', async () => {
    const failure = { errno: 'ENOENT', message: 'there is no program of this name in PATH (/bin)' }
    const probe = commandProbe({ run: async () => ({ exit: { code: null, signal: null }, output: '', failure }) })
    const instance = { service: { working_dir: '/' } } as unknown as InstanceInfo
    const asking = probe({
      instance,
      options: 'pg_isredy -q',
      signal: new AbortController().signal,
      answeredBy: undefined,
    })
    await expect(asking).rejects.toThrow("`pg_isredy` can't be run: there is no program of this name in PATH (/bin)")
  })

  it('that takes too long is ended with everything it started', async () => {
    const hangs = service(all(prints('waiting\n'), (self) => void self.fork(() => undefined)))
    const view = await start({ command: 'check', attempt_timeout: '1s' }, hangs)
    expect(view.reason).toBe('not ready within 2s: timeout: the command was still running, `waiting`')
  })

  it('runs with the environment and in the folder of the service', async () => {
    const seen: string[] = []
    const looks = service((self) => {
      seen.push(`${self.cwd} ${self.env['PORT'] ?? ''} ${self.argv.join(' ')}`)
      self.exit(0)
    })
    const services = {
      api: {
        ...{ command: 'x', working_dir: 'app', env: { vars: { PORT: 80 } } },
        health_check: { command: ['check', '${SYSG_REPLICA}'] },
      },
    }
    await using sim = await simulate([dotenv, health], services, { programs: { api: looks } })
    expect([sim.states['api'], seen]).toEqual(['running', ['/srv/app 80 check 0']])
  })
})

describe('log', () => {
  const writes =
    (...parts: readonly string[]): Program =>
    (self) =>
      parts.forEach(
        (part, index) =>
          void self.after(100 * (index + 1), () => self.write(part, index % 2 === 0 ? 'stdout' : 'stderr')),
      )

  it.each([
    { what: 'a line', log: '/^ready$/', parts: ['starting\nready\n'] },
    { what: 'a line in pieces', log: '/^ready to serve$/', parts: ['starting\nrea', '', 'dy to', '', ' serve\n'] },
    {
      what: 'a line in colours',
      log: '/ready in \\d+ ms/',
      parts: ['\u001b[32mready\u001b[39m in \u001b[1m300\u001b[0m ms\n'],
    },
    { what: 'a line of stderr', log: 'listening', parts: ['', 'now listening on 80\n'] },
    { what: 'a line that ends as on Windows', log: '/^ready$/', parts: ['ready\r\n'] },
  ])('finds $what', async ({ log, parts }) => {
    expect((await start({ log }, writes(...parts))).state).toBe('running')
  })

  it('looks at whole lines of one stream, and says what it did not find', async () => {
    expect((await start({ log: '/^ready$/' }, writes('rea', 'dy\n', 'soon\n'))).reason).toContain(
      'not ready within 2s: no line of its output was /^ready$/ so far',
    )
  })

  it('does not take the line of the run before for one of this run', async () => {
    await using sim = await simulate(
      [logs, health],
      { api: { command: 'x', health_check: { log: 'ready', total_timeout: '2s' } } },
      {
        programs: { api: writes('ready\n') },
      },
    )
    sim.service('api').runs(() => undefined)
    const outcome = await sim.finish(sim.system.restart({ names: ['api'] }))
    expect(outcome.problems[0]?.message).toContain('no line of its output was `ready` so far')
  })

  it('asks nothing more afterwards', async () => {
    await using sim = await simulate(
      [logs, health],
      { api: { command: 'x', health_check: { log: 'ready' } } },
      {
        programs: { api: writes('ready\n') },
      },
    )
    expect(sim.service('api').view.health).toBe('healthy')
    expect(sim.world.pendingTimers(sim.host)).toBe(0)
  })
})

describe('notify', () => {
  const run = (program: Program) =>
    simulate(
      [dotenv, logs, health],
      { api: { command: 'x', health_check: { notify: true, total_timeout: '5s' } } },
      {
        idle: true,
        programs: { api: program },
      },
    )
  const says =
    (...words: readonly string[]): Program =>
    (self) =>
      words.forEach(
        (word, index) =>
          void self.after(1_000 * (index + 1), () => self.writeTo(Number(self.env['SYSG_NOTIFY_FD']), word)),
      )

  it.each(['ready\n', 'READY=1\n', 'READY=1', 'STATUS=warm\nREADY=1\nMAINPID=1\n'])(
    'waits for the line %j',
    async (word) => {
      await using sim = await run(says(word))
      void sim.system.start()
      await sim.clock.advance(999)
      expect(sim.service('api').view.health).toBe('starting')
      await sim.clock.advance(1)
      expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'healthy' })
      expect(sim.world.pendingTimers(sim.host)).toBe(0)
    },
  )

  it('shows how far the program says it is', async () => {
    await using sim = await run(says('STATUS=loading 40%\n'))
    expect((await sim.start()).problems[0]?.message).toContain('not ready within 5s: it says: loading 40%')
  })

  it('gives the number behind the descriptors of others', async () => {
    const sockets = definePlugin({
      name: 'sockets',
      setup({ hooks, host }) {
        const socket = host.sockets.listen(address, {})
        hooks.prepare.tapPromise('sockets', async (spec) => ({ ...spec, inherit: [await socket] }))
        hooks.shutdown.tapPromise('sockets', async () => (await socket).close())
      },
    })
    await using sim = await simulate(
      [health, sockets],
      { api: { command: 'x', health_check: { notify: true } } },
      {
        programs: { api: (self) => (self.env['SYSG_NOTIFY_FD'] === '4' ? self.writeTo(4, 'ready\n') : self.exit(1)) },
      },
    )
    expect(sim.states['api']).toBe('running')
  })

  const notify = (sim: Simulation, token: string) =>
    sim.system.registries.methods.call('notify', { token, state: 'ready' })

  it('takes the word of who has the token, and of nobody else', async () => {
    await using sim = await run(() => undefined)
    void sim.system.start()
    await sim.clock.advance(1_000)
    const token = sim.world.processes.list('api')[0]?.token ?? ''
    expect(() => notify(sim, 'f'.repeat(32))).toThrow(expect.objectContaining({ code: 'SYSG_NOTIFY_UNKNOWN' }) as Error)
    expect(sim.service('api').state).toBe('starting')
    expect(notify(sim, token)).toEqual({ service: 'api', instance: 'api-1', awaited: true })
    await sim.clock.settle()
    expect(sim.service('api').state).toBe('running')
    await sim.finish(sim.system.stop(['api']))
    expect(() => notify(sim, token)).toThrow('belongs to no instance')
  })

  it('leaves no pipe behind', async () => {
    await using sim = await run(says('ready\n'))
    await sim.start()
    await sim.finish(sim.system.stop(['api']))
    expect(await sim.host.files.list('run/notify')).toEqual([])
  })
})

describe('a probe of a third party', () => {
  const redis = definePlugin({
    name: 'redis-probe',
    probes: { redis: z.strictObject({ port: z.string() }) },
    setup({ registerProbe, host }) {
      registerProbe('redis', async ({ options, signal, answeredBy }) => {
        const { port } = options as { port: string }
        const connection = await host.net.connect({ host: 'localhost', port: Number(port) }, { signal, answeredBy })
        connection.close()
      })
    },
  })
  const check = { redis: { port: '80${SYSG_REPLICA}0' } } as never

  it('is asked like ours', async () => {
    const service: Program = (self) => void self.answer('tcp://127.0.0.1:8000', () => 'hang')
    expect((await start(check, service, [dotenv, health, redis])).health).toBe('healthy')
    expect((await start(check, () => undefined, [dotenv, health, redis])).reason).toContain('ECONNREFUSED')
  })
})

describe('the history', () => {
  it('keeps the last results of an instance, and those of the one that ended last', async () => {
    let status = 503
    await using sim: Simulation = await simulate(
      [logs, health],
      { api: { command: 'x', health_check: { url: 'http://localhost:8080/' } } },
      { idle: true, programs: { api: answers(address, () => ({ status })) } },
    )
    const history = (params?: unknown) => sim.system.registries.methods.call('health.history', params)
    void sim.system.start()
    await sim.clock.advance(300)
    status = 200
    await sim.clock.advance(100)
    expect(history({ service: 'api' })).toMatchObject([
      {
        service: 'api',
        instance: 'api-1',
        results: [
          { healthy: false, reason: 'status 503', duration_ms: 0 },
          { healthy: false },
          { healthy: true, reason: null },
        ],
      },
    ])
    await sim.clock.advance(5 * 60_000)
    const [kept] = history() as [{ results: readonly unknown[] }]
    expect(kept.results).toHaveLength(20)
    await sim.finish(sim.system.restart({ names: ['api'] }))
    expect(history()).toMatchObject([{ instance: 'api-1' }, { instance: 'api-2' }])
    expect(() => history({ service: 'nope' })).toThrow(
      expect.objectContaining({ code: 'SYSG_SERVICE_UNKNOWN' }) as Error,
    )
  })
})
