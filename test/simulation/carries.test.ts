/** What later plugins need of the core: two instances at once, replicas, sockets, probes, schedules, adoption. */
import { definePlugin } from '@systemg/core'
import { exitsAfter } from '@systemg/core/simulated'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { probed, remembers, retries, rolling, sockets } from './plugins.ts'

const x = { command: 'x' }

describe('a rolling deploy', () => {
  it('has two instances for a while, on one socket, and never none that serves', async () => {
    await using sim = await simulate(
      [sockets({ api: 'tcp://127.0.0.1:80' }), rolling()],
      { api: x },
      {
        onEvent: ({ type }, at) => {
          if (type.startsWith('deploy.')) expect(at.service('api').state).toBe('running')
        },
      },
    )
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.service('api').pids.length === 2)
    const held = sim.world.processes.list('api').map(({ env }) => env['LISTEN_FDS'])
    expect(held).toEqual(['1', '1'])
    expect((await sim.finish(deploy)).ok).toBe(true)
    expect(sim.service('api').pids).toHaveLength(1)
    expect(sim.eventTypes('api').filter((type) => type.startsWith('deploy.'))).toEqual([
      'deploy.started',
      ...Array<string>(3).fill('deploy.step'),
      'deploy.step',
      'deploy.switched',
      'deploy.step',
      'deploy.step',
      'deploy.succeeded',
    ])
  })

  it('of four replicas goes one at a time', async () => {
    await using sim = await simulate([rolling()], { api: { ...x, replicas: 4 } })
    let most = 0
    sim.world.processes.watch(() => (most = Math.max(most, sim.service('api').pids.length)))
    const before = new Set(sim.service('api').pids)
    expect((await sim.finish(sim.system.restart({ names: ['api'] }))).ok).toBe(true)
    expect(most).toBe(5)
    expect(sim.service('api').pids.filter((pid) => before.has(pid))).toEqual([])
    expect(sim.service('api').pids).toHaveLength(4)
  })

  it('that fails at the third of four replicas leaves every replica serving', async () => {
    const healthy = new Set(['api-1', 'api-2', 'api-3', 'api-4', 'api-5', 'api-6'])
    await using sim = await simulate([probed(healthy), rolling()], { api: { ...x, replicas: 4 } })
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.service('api').view.instances.some(({ id }) => id === 'api-7'))
    const candidate = sim.service('api').view.instances.find(({ id }) => id === 'api-7')
    sim.world.processes.exit(candidate?.pid ?? 0, 1)
    expect((await sim.finish(deploy)).ok).toBe(false)
    expect(
      sim
        .service('api')
        .view.instances.map(({ id }) => id)
        .sort(),
    ).toEqual(['api-3', 'api-4', 'api-5', 'api-6'])
    expect(sim.service('api').state).toBe('running')
  })
})

describe('replicas', () => {
  it('make a service ready when all are, and down when none is', async () => {
    const healthy = new Set(['api-1', 'web'])
    await using sim = await simulate(
      [probed(healthy), retries(60_000)],
      { api: { ...x, replicas: 4 }, web: { ...x, depends_on: ['api'] } },
      { idle: true },
    )
    void sim.system.start()
    await sim.clock.advance(1_000)
    expect(sim.states).toEqual({ api: 'starting', web: 'waiting' })
    expect(sim.service('api').reason).toBe('1 of 4 ready')
    healthy.add('api')
    await sim.until(() => sim.service('web').state === 'running')
    await sim.service('api').exit({ code: 1 })
    expect(sim.states).toEqual({ api: 'running', web: 'running' })
    expect(sim.service('api').reason).toBe('3 of 4 ready: replica 0 is in backoff, exit code 1')
    for (let left = 3; left > 0; left -= 1) await sim.service('api').exit({ code: 1 })
    expect(sim.states).toEqual({ api: 'backoff', web: 'blocked' })
    await sim.until(() => sim.service('web').state === 'running')
    expect(sim.service('api').pids).toHaveLength(4)
  })

  it('are scaled up and down, each with a number of its own', async () => {
    await using sim = await simulate([], { api: { ...x, replicas: 2 } })
    await sim.finish(sim.system.scale({ api: 4 }))
    const numbers = () => sim.world.processes.list('api').map(({ env }) => env['SYSG_REPLICA'])
    expect(numbers()).toEqual(['0', '1', '2', '3'])
    await sim.finish(sim.system.scale({ api: 1 }))
    expect(numbers()).toEqual(['0'])
    await sim.finish(sim.system.apply(await sim.configOf({ api: { ...x, replicas: 3 } })))
    expect(numbers()).toEqual(['0', '1', '2'])
  })
})

describe('a plugin of a third party', () => {
  it('brings a probe, found by its name', async () => {
    await using sim = await simulate([probed(new Set(['api']))], { api: x })
    expect(sim.system.registries.probes.list().map(({ name, plugin }) => [name, plugin])).toEqual([['test', 'probed']])
    expect(sim.service('api').view.health).toBe('healthy')
  })

  it('schedules a service: it does not start at boot, runs when asked, and is scheduled again', async () => {
    const cron = definePlugin({
      name: 'cron',
      setup: (api) => {
        const { hooks, host, system } = api
        hooks.plan.tap('cron', ({ service }) =>
          service.name === 'job' ? { mode: 'scheduled', reason: 'every hour' } : undefined,
        )
        let cancel = () => undefined as void
        const again = () =>
          (cancel = host.clock.timer(3_600_000, () => {
            void system.run('job')
            again()
          }))
        again()
        api.onDispose(() => cancel())
      },
    })
    await using sim = await simulate([cron], { job: x }, { programs: { job: exitsAfter(1_000, 3) } })
    expect(sim.service('job').state).toBe('scheduled')
    await sim.clock.advance(3 * 3_600_000 + 60_000)
    expect(sim.service('job').starts).toBe(3)
    expect(sim.service('job').state).toBe('scheduled')
    expect(sim.service('job').view.exit).toMatchObject({ code: 3 })
  })

  it('that throws harms only the start it was part of, by name', async () => {
    const broken = definePlugin({
      name: 'broken',
      setup: ({ hooks }) => {
        hooks.prepare.tap('broken', (spec, { service }) => {
          if (service.name === 'api') throw new Error('no key')
          return spec
        })
        hooks.started.tap('broken', () => {
          throw new Error('never mind')
        })
      },
    })
    await using sim = await simulate([broken], { api: x, web: x })
    expect(sim.states).toEqual({ api: 'failed', web: 'running' })
    expect(sim.service('api').reason).toBe('Plugin `broken` failed in `prepare` of `api`: no key')
    expect(sim.eventTypes()).toContain('plugin.error')
  })

  it('that hangs is given up after its time limit', async () => {
    const hanging = definePlugin({
      name: 'hanging',
      setup: ({ hooks }) =>
        hooks.beforeStart.tapPromise({ name: 'hanging', limitMs: 3_000 }, () => new Promise(() => undefined)),
    })
    await using sim = await simulate([hanging], { api: x })
    expect(sim.service('api').reason).toContain('did not answer `beforeStart` of `api` within 3000 ms')
    expect(sim.world.elapsedMs()).toBe(3_000)
  })
})

describe('a new supervisor', () => {
  it('adopts what lives under the same pid, and brings back what died meanwhile', async () => {
    await using sim = await simulate(
      [remembers(), retries(1_000)],
      { db: x, web: x, job: x },
      { programs: { job: exitsAfter(100) } },
    )
    const [db] = sim.service('db').pids
    const [web = 0] = sim.service('web').pids
    sim.crash()
    sim.world.processes.kill(web, 'SIGKILL')
    await sim.boot()
    await sim.finish(sim.system.resume())
    await sim.until(() => sim.service('web').state === 'running')
    expect(sim.service('db').pids).toEqual([db])
    expect(sim.service('db').starts).toBe(1)
    expect(sim.service('web').view.restarts).toBe(1)
    const lost = sim.events.find(({ type, service }) => type === 'service.exited' && service === 'web')
    expect(lost?.data['exit']).toEqual({ code: null, signal: null, unknown: true, unseen: true })
  })

  it('starts at once what died meanwhile, whatever its backoff: a person asked for it', async () => {
    await using sim = await simulate([remembers(), retries(3_600_000)], { db: x, web: { ...x, depends_on: ['db'] } })
    const [db = 0] = sim.service('db').pids
    sim.crash()
    sim.world.processes.kill(db, 'SIGKILL')
    await sim.boot()
    expect(await sim.start()).toMatchObject({ ok: true, problems: [] })
    expect(sim.states).toEqual({ db: 'running', web: 'running' })
    expect(sim.world.elapsedMs()).toBeLessThan(60_000)
  })

  it('does not run a completed one-shot again, nor start what a person stopped', async () => {
    const services = { migrate: x, api: { ...x, depends_on: { migrate: { condition: 'completed' as const } } }, old: x }
    await using sim = await simulate([remembers()], services, { programs: { migrate: exitsAfter(100) } })
    await sim.finish(sim.system.stop(['old']))
    sim.crash()
    await sim.boot()
    const outcome = await sim.start()
    expect(sim.states).toEqual({ migrate: 'completed', api: 'running', old: 'stopped' })
    expect(sim.service('migrate').starts).toBe(1)
    expect(outcome.warnings).toEqual(['`old` stays stopped, as you asked; `sysg start -s old` starts it.'])
  })

  it('never signals a pid that now belongs to somebody else', async () => {
    await using sim = await simulate([remembers()], { api: x, other: x })
    const [pid = 0] = sim.service('api').pids
    sim.crash()
    sim.world.processes.kill(pid, 'SIGKILL')
    const stranger = sim.world.host()
    sim.world.reusePid(pid)
    await stranger.processes.spawn({
      argv: ['stranger'],
      env: { SYSG_SERVICE: 'stranger' },
      cwd: '/',
      stdout: 'null',
      stderr: 'null',
      inherit: [],
      token: 'another',
    })
    expect(sim.world.processes.list('api').map((one) => one.pid)).not.toContain(pid)
    await sim.boot()
    await sim.start()
    await sim.finish(sim.system.stop(['api']))
    expect(sim.world.processes.list('stranger').map((one) => one.pid)).toEqual([pid])
    sim.world.processes.kill(pid, 'SIGKILL')
  })
})
