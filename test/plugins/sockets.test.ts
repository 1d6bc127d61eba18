import { parseYaml, resolveConfig } from '@systemg/core'
import { simulate, type SimulationOptions } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { sockets } from '@systemg/plugins/sockets'
import { store } from '@systemg/plugins/store'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { isMistake, meet, parseAddress, type Address } from '../../plugins/src/sockets/address.ts'
import { withListenPid } from '../../plugins/src/sockets/launch.ts'
import { sockets as socketsKey } from '../../plugins/src/sockets/options.ts'
import { rolling } from '../simulation/plugins.ts'

const address = (written: string): Address => {
  const parsed = parseAddress(written)
  if (isMistake(parsed)) throw new Error(parsed.expected)
  return parsed
}

describe('an address', () => {
  it.each([
    ['tcp://127.0.0.1:80', 'tcp://127.0.0.1:80'],
    ['tcp://localhost:8080', 'tcp://127.0.0.1:8080'],
    ['tcp://0.0.0.0:65535/', 'tcp://0.0.0.0:65535'],
    ['tcp://[::]:80', 'tcp://[::]:80'],
    ['tcp://[0:0:0:0:0:0:0:1]:80', 'tcp://[::1]:80'],
    ['tcp://[2001:DB8::0:1]:080', 'tcp://[2001:db8::1]:80'],
    ['unix:///run/app.sock', 'unix:///run/app.sock'],
    ['unix:///run//a/./b/../app.sock', 'unix:///run/a/app.sock'],
  ])('%s has one form: %s', (written, text) => {
    expect(address(written).text).toBe(text)
  })

  it.each([
    ['8080', 'Did you mean `tcp://127.0.0.1:8080`?'],
    [':8080', 'Did you mean `tcp://0.0.0.0:8080`?'],
    ['http://127.0.0.1:80', 'Did you mean `tcp://127.0.0.1:80`?'],
    ['/run/x.sock', 'Did you mean `unix:///run/x.sock`?'],
    ['tcp://::1:80', 'An IPv6 address stands in brackets: `tcp://[::1]:8080`.'],
    ['tcp://example.org:80', 'Names can stand for several addresses and change'],
    ['tcp://:80', 'All addresses are `0.0.0.0`, or `[::]` for IPv6 and IPv4.'],
    ['tcp://127.0.0.1:0', 'Port 0 is another one each time'],
    ['tcp://[fe80::1%eth0]:80', 'Addresses of one network interface'],
    ['tcp://[::ffff:1.2.3.4]:80', 'Write an IPv4 address without brackets'],
    ['unix:///run/', 'Name the socket itself, not its folder.'],
    [`unix:///${'x'.repeat(107)}`, 'It has 108.'],
  ])('%s is none, with a hint', (written, hint) => {
    const parsed = parseAddress(written)
    expect(isMistake(parsed) && parsed.hint).toContain(hint)
  })

  it.each([
    '',
    'tcp://127.0.0.1',
    'tcp://127.0.0.1:65536',
    'tcp://1.2.3:80',
    'tcp://01.2.3.4:80',
    'unix://x.sock',
    'unix:///',
  ])('%j is none', (written) => {
    expect(isMistake(parseAddress(written))).toBe(true)
  })

  it.each([
    ['tcp://127.0.0.1:80', 'tcp://127.0.0.1:80', true],
    ['tcp://127.0.0.1:80', 'tcp://127.0.0.2:80', false],
    ['tcp://0.0.0.0:80', 'tcp://127.0.0.1:80', true],
    ['tcp://0.0.0.0:80', 'tcp://127.0.0.1:81', false],
    ['tcp://0.0.0.0:80', 'tcp://[::1]:80', false],
    ['tcp://[::]:80', 'tcp://[::1]:80', true],
    ['tcp://[::]:80', 'tcp://127.0.0.1:80', true],
    ['unix:///a', 'unix:///a', true],
    ['unix:///a', 'unix:///b', false],
    ['unix:///a', 'tcp://0.0.0.0:80', false],
  ])('%s and %s are in each other’s way: %s', (one, other, expected) => {
    expect([meet(address(one), address(other)), meet(address(other), address(one))]).toEqual([expected, expected])
  })
})

describe('the key', () => {
  it('fills in what is not said', () => {
    expect(socketsKey.parse(['tcp://localhost:80', { listen: 'unix:///a', name: 'admin', mode: '0660' }])).toEqual([
      { listen: 'tcp://127.0.0.1:80', name: 'unknown', backlog: 4096 },
      { listen: 'unix:///a', name: 'admin', backlog: 4096, mode: 0o660 },
    ])
  })

  it.each(['0660', '660', '0o660', 660, 0o660])('takes %j for the permissions rw-rw----', (mode) => {
    expect(socketsKey.parse([{ listen: 'unix:///a', mode }])[0]?.mode).toBe(0o660)
  })

  it.each(['0440', 'rw', 384 + 1000, 0, '06600', 6.6])('refuses %j as permissions', (mode) => {
    expect(socketsKey.safeParse([{ listen: 'unix:///a', mode }]).success).toBe(false)
  })
})

describe('a config', () => {
  const problemsOf = async (text: string) => {
    const readText = () => Promise.resolve(undefined)
    const parsed = await parseYaml({ text, file: '/srv/systemg.yaml', readText })
    const plugins = [{ plugin: sockets }, { plugin: { name: 'cron', service: { cron: cronKey } } }]
    const projectDefault = { id: 'test', name: 'test' }
    const source = { ...parsed, file: '/srv/systemg.yaml', folder: '/srv', env: {}, readText }
    const { problems } = await resolveConfig({ ...source, plugins, projectDefault })
    return problems.map(({ line, column, code, severity }) => `${line ?? 0}:${column ?? 0} ${severity} ${code}`)
  }

  it('may have an address once, and the second place is marked', async () => {
    const text = `services:
  a: { command: x, sockets: ["tcp://127.0.0.1:80", "unix:///a"] }
  b:
    command: x
    sockets:
      - unix:///run/../a
      - { name: web, listen: "tcp://[::]:80" }
      - tcp://127.0.0.1:81
`
    expect(await problemsOf(text)).toEqual(['6:9 error SYSG_SOCKETS_SHARED', '7:9 error SYSG_SOCKETS_SHARED'])
  })

  it('may not have sockets for what runs by a schedule', async () => {
    const text = 'services:\n  a: { command: x, cron: daily, sockets: ["unix:///a"] }\n'
    expect(await problemsOf(text)).toEqual(['2:42 error SYSG_SOCKETS_CRON'])
  })

  it.each([
    ['cd /srv && ./server', ['2:17 warning SYSG_SOCKETS_SHELL']],
    ['cd /srv && exec ./server', []],
    ['./server $HOME', []],
    ['./server', []],
  ])('is warned of a shell between: %s', async (command, problems) => {
    const text = `services:\n  a: { command: "${command}", sockets: ["unix:///a"] }\n`
    expect(await problemsOf(text)).toEqual(problems)
  })
})

describe('the launch', () => {
  it('goes through a shell that says its own pid and becomes the program', () => {
    const spec = { argv: ['node', 'x'], env: { A: '1', 'a.b': '2' } } as unknown as Parameters<typeof withListenPid>[0]
    const script = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"'
    const launched = withListenPid(spec)
    expect(launched.argv).toEqual(['/bin/sh', '-c', script, 'sh', 'env', 'a.b=2', 'node', 'x'])
    expect(launched.argv.slice(-(launched.programWords ?? 0))).toEqual(spec.argv)
  })
})

const cronKey = z.string().optional()

const web = 'tcp://127.0.0.1:80'
const admin = 'unix:///run/admin.sock'
const always = { restart_policy: 'always', backoff: '5s' } as const

const simulateWith = (
  services: Parameters<typeof simulate>[1],
  options: SimulationOptions = {},
  plugins: Parameters<typeof simulate>[0] = [],
) => simulate([store, restart, sockets, ...plugins], services, options)

describe('sockets in simulation', () => {
  it('are descriptors 3 and 4 before anything else, and named', async () => {
    const late = {
      name: 'late',
      setup: ({ hooks }: Parameters<NonNullable<typeof sockets.setup>>[0]) =>
        hooks.prepare.tap('late', (spec) => ({ ...spec, env: { ...spec.env, NEXT: String(3 + spec.inherit.length) } })),
    }
    await using sim = await simulateWith(
      { api: { command: 'x', sockets: [web, { listen: admin, name: 'admin' }] } },
      {},
      [late],
    )
    const [process] = sim.world.processes.list('api')
    expect(process?.env).toMatchObject({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'unknown:admin', NEXT: '5' })
    expect(process?.argv.slice(0, 2)).toEqual(['/bin/sh', '-c'])
  })

  it('are bound when the service is first started, not before', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] } }, { idle: true })
    expect(sim.world.isBound(web)).toBe(false)
    await sim.start()
    expect(sim.world.isBound(web)).toBe(true)
  })

  it('stay open over a crash, the wait after it, and a stop', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web], ...always } })
    await sim.service('api').exit({ signal: 'SIGKILL' })
    expect([sim.service('api').state, sim.world.isBound(web)]).toEqual(['backoff', true])
    await sim.clock.advance(6_000)
    expect(sim.service('api').state).toBe('running')
    await sim.finish(sim.system.stop(['api']))
    expect([sim.service('api').state, sim.world.isBound(web)]).toEqual(['stopped', true])
  })

  it('are closed by a stop with --release, and bound by the next start', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] } })
    const release = () => Promise.resolve(sim.system.registries.methods.call('sockets.release', { services: ['api'] }))
    await expect(release()).rejects.toMatchObject({ code: 'SYSG_SOCKETS_IN_USE' })
    await sim.finish(sim.system.stop(['api']))
    expect(await release()).toEqual({ released: [web] })
    expect(sim.world.isBound(web)).toBe(false)
    await sim.start(['api'])
    expect(sim.world.isBound(web)).toBe(true)
  })

  it('are closed when the service is removed, once its last process has ended', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] }, other: { command: 'x' } })
    await sim.finish(sim.system.apply(await sim.configOf({ other: { command: 'x' } })))
    expect(sim.world.isBound(web)).toBe(false)
  })

  it('are closed when the service is removed while it is stopped', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] }, other: { command: 'x' } })
    await sim.finish(sim.system.stop(['api']))
    await sim.finish(sim.system.apply(await sim.configOf({ other: { command: 'x' } })))
    expect(sim.world.isBound(web)).toBe(false)
  })

  it('are closed when the system stops', async () => {
    const sim = await simulateWith({ api: { command: 'x', sockets: [web, admin] } })
    await sim.finish(sim.system.shutdown())
    expect([web, admin].filter((one) => sim.world.isBound(one))).toEqual([])
    await sim[Symbol.asyncDispose]()
  })

  it('are one for all replicas and for a candidate beside them', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web], replicas: 3 } }, {}, [rolling()])
    expect(sim.world.processes.list('api').map(({ env }) => env['LISTEN_FDS'])).toEqual(['1', '1', '1'])
    expect(await sim.finish(sim.system.restart({ names: ['api'] }))).toMatchObject({ ok: true })
    expect(sim.service('api').starts).toBe(6)
  })

  it('that are new are bound while the old instance serves, and old ones closed after it', async () => {
    const seen: boolean[][] = []
    await using sim = await simulateWith(
      { api: { command: 'x', sockets: [web] } },
      {
        onEvent: ({ type }, { world }) => {
          if (type === 'deploy.step' || type === 'deploy.succeeded')
            seen.push([web, admin].map((one) => world.isBound(one)))
        },
      },
    )
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x', sockets: [admin] } })))
    // Steps `stop` and `start`, then the end.
    expect(seen).toEqual([
      [true, true],
      [false, true],
      [false, true],
    ])
  })

  it('that are taken by somebody fail the deploy and leave what serves alone', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] } })
    const { pids } = sim.service('api')
    sim.world.occupy(admin)
    const next = await sim.configOf({ api: { command: 'x', sockets: [web, admin] } })
    const outcome = await sim.finish(sim.system.apply(next))
    expect(outcome.problems).toMatchObject([{ service: 'api', code: 'SYSG_SOCKETS_TAKEN' }])
    expect(sim.service('api').pids).toEqual(pids)
    sim.world.occupy(admin, false)
    expect(await sim.finish(sim.system.restart({ names: ['api'] }))).toMatchObject({ ok: true })
    expect(sim.world.isBound(admin)).toBe(true)
  })

  it('that are taken at the start are tried again by the policy', async () => {
    const sim = await simulateWith({ api: { command: 'x', sockets: [web], ...always } }, { idle: true })
    sim.world.occupy(web)
    expect((await sim.start()).problems).toMatchObject([
      { code: 'SYSG_SOCKETS_TAKEN', message: expect.stringContaining('it is tried again') as string },
    ])
    sim.world.occupy(web, false)
    await sim.clock.advance(6_000)
    expect(sim.service('api').state).toBe('running')
    await sim[Symbol.asyncDispose]()
  })

  it('move to another service without being closed', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] }, other: { command: 'x' } })
    const next = await sim.configOf({ api: { command: 'x' }, other: { command: 'x', sockets: [web] } })
    expect(await sim.finish(sim.system.apply(next))).toMatchObject({ ok: true })
    expect(sim.world.isBound(web)).toBe(true)
  })

  it('outlive the supervisor: the next one hands them on', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] } }, {}, [rolling()])
    sim.crash()
    await sim.boot()
    expect(await sim.finish(sim.system.restart({ names: ['api'] }))).toMatchObject({ ok: true })
    expect(sim.service('api').starts).toBe(2)
  })

  it('of a service that was stopped, or has gone from the config, are kept or closed by the next supervisor', async () => {
    await using sim = await simulateWith({
      api: { command: 'x', sockets: [web] },
      job: { command: 'x', sockets: [admin] },
    })
    await sim.finish(sim.system.stop(['api', 'job']))
    sim.crash()
    await sim.boot({ api: { command: 'x', sockets: [web] } })
    expect([web, admin].map((one) => sim.world.isBound(one))).toEqual([true, false])
  })

  it('that were lost with the supervisor are not handed on; the error says so, and a stop and a start bind them anew', async () => {
    await using sim = await simulateWith({ api: { command: 'x', sockets: [web] } }, {}, [rolling()])
    sim.crash()
    sim.world.loseSockets()
    await sim.boot()
    expect(sim.service('api').state).toBe('running')
    const outcome = await sim.finish(sim.system.restart({ names: ['api'] }))
    expect(outcome.problems).toMatchObject([{ service: 'api' }])
    expect(outcome.problems[0]?.message).toContain("so it can't be handed on")
    expect(sim.service('api')).toMatchObject({ state: 'running', starts: 1 })
    await sim.finish(sim.system.stop(['api']))
    expect(await sim.start(['api'])).toMatchObject({ ok: true })
  })
})
