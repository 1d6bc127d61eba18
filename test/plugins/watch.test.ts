/** When a change of files restarts a service, and when it does not. */
import type { ServiceConfig } from '@systemg/core'
import { exitsAfter, ignoresSigterm } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { restart, watch } from '@systemg/plugins'
import { describe, expect, it } from 'vitest'
import { rolling } from '../simulation/plugins.ts'
import { FakeFiles } from './watch/fake-files.ts'

const api = { command: 'x', watch: ['src'] } satisfies ServiceConfig

const withFiles = (files: FakeFiles) => ({ plugin: watch, options: { files: files.watch } })

/** Files change; resolves when what follows at once is done. */
const change = async (sim: Simulation, files: FakeFiles, ...paths: readonly string[]) => {
  for (const path of paths) files.change(path)
  await sim.clock.settle()
}

describe('a change', () => {
  it('restarts the service when nothing has changed for a while, and says why', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api, other: { command: 'x', watch: ['lib'] } })
    await change(sim, files, '/srv/src/server.js')
    await sim.clock.advance(199)
    expect(sim.service('api').starts).toBe(1)
    await sim.clock.advance(1_000)
    expect([sim.service('api').starts, sim.service('other').starts]).toEqual([2, 1])
    const told = sim.events.find(({ type }) => type === 'watch.changed')
    expect(told).toMatchObject({ service: 'api', data: { paths: ['src/server.js'], more: 0 } })
    expect(sim.events.find(({ type }) => type === 'deploy.started')?.cause).toBe(told?.seq)
  })

  it('fifty times in a burst is one restart, and names the first files', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api })
    for (let n = 0; n < 50; n += 1) {
      await change(sim, files, `/srv/src/${n}.js`)
      await sim.clock.advance(100)
    }
    expect(sim.service('api').starts).toBe(1)
    await sim.clock.advance(1_000)
    expect(sim.service('api').starts).toBe(2)
    const told = sim.events.find(({ type }) => type === 'watch.changed')
    expect(told?.data).toEqual({ paths: [0, 1, 2, 3, 4].map((n) => `src/${n}.js`), more: 45 })
  })

  it('during a restart leads to exactly one more', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([rolling(), withFiles(files)], { api })
    await change(sim, files, '/srv/src/a.js')
    await sim.until(() => sim.service('api').starts === 2)
    for (const name of ['b', 'c', 'd']) {
      await change(sim, files, `/srv/src/${name}.js`)
      await sim.clock.advance(300)
    }
    expect(sim.service('api').starts).toBe(2)
    await sim.clock.advance(10_000)
    expect(sim.service('api').starts).toBe(3)
    expect(sim.service('api').pids).toHaveLength(1)
  })

  it("during a person's deploy waits for its end", async () => {
    const files = new FakeFiles()
    await using sim = await simulate([rolling(), withFiles(files)], { api })
    const restarted = sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.service('api').starts === 2)
    await change(sim, files, '/srv/src/a.js')
    expect(await sim.finish(restarted)).toMatchObject({ ok: true })
    await sim.clock.advance(10_000)
    expect(sim.service('api').starts).toBe(3)
  })

  it('of a file that several services watch restarts them together, dependencies first', async () => {
    const files = new FakeFiles()
    const services = { web: { ...api, depends_on: ['db'] }, db: api }
    await using sim = await simulate([withFiles(files)], services)
    await change(sim, files, '/srv/src/shared.js')
    const from = sim.events.length
    await sim.clock.advance(2_000)
    const stops = sim.events.slice(from).flatMap(({ type, service }) => (type === 'deploy.started' ? [service] : []))
    expect(stops).toEqual(['db', 'web'])
    expect([sim.service('db').starts, sim.service('web').starts]).toEqual([2, 2])
  })

  it('by the service itself, again and again, is told once, and restarts it at a slower pace', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api })
    let builds = 0
    sim.service('api').runs((self) => {
      builds += 1
      self.after(300, () => ['built.js', `chunk-${builds}.js`].forEach((name) => files.change(`/srv/src/${name}`)))
    })
    await change(sim, files, '/srv/src/server.js')
    await sim.clock.advance(60_000)
    const told = sim.events.filter(({ type }) => type === 'watch.loops')
    expect(told.map(({ service, data }) => [service, data])).toEqual([['api', { paths: ['src/built.js'], more: 0 }]])
    expect(sim.service('api').starts).toBeLessThan(30)

    sim.service('api').runs(exitsAfter(3_600_000))
    await sim.clock.advance(30_000)
    const before = sim.service('api').starts
    await change(sim, files, '/srv/src/server.js')
    await sim.clock.advance(1_000)
    expect(sim.service('api').starts).toBe(before + 1)
  })

  it.each<[how: string, at: readonly number[], path: (run: number) => string]>([
    ['each time under another name', [300], (run) => `run-${run}.log`],
    ['always some time after its start', [4_000], () => 'cache.json'],
    ['again and again', Array.from({ length: 100 }, (_, n) => 500 * n), () => 'app.log'],
  ])(
    'by the service itself, %s, is told once, and no more than twelve restarts a minute follow',
    async (_how, at, path) => {
      const files = new FakeFiles()
      await using sim = await simulate([withFiles(files)], { api })
      let runs = 0
      sim.service('api').runs((self) => {
        runs += 1
        const written = `/srv/src/${path(runs)}`
        for (const ms of at) self.after(ms, () => files.change(written))
      })
      await change(sim, files, '/srv/src/server.js')
      await sim.clock.advance(60_000)
      expect(sim.eventTypes().filter((type) => type === 'watch.loops')).toHaveLength(1)
      const before = sim.service('api').starts
      await sim.clock.advance(60_000)
      expect(sim.eventTypes().filter((type) => type === 'watch.loops')).toHaveLength(1)
      expect(sim.service('api').starts - before).toBeLessThanOrEqual(12)
    },
  )

  it('by a person, who saves when it comes to mind, is never taken for one of the service', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api })
    for (let n = 0; n < 40; n += 1) {
      await change(sim, files, '/srv/src/server.js')
      await sim.clock.advance([3_000, 9_000, 5_000, 4_000, 17_000][n % 5] ?? 0)
      expect(sim.service('api').starts).toBe(n + 2)
    }
    expect(sim.eventTypes()).not.toContain('watch.loops')
  })

  it('costs no restart of the policy', async () => {
    const files = new FakeFiles()
    const limited = { ...api, restart_policy: 'always', max_restarts: 1, backoff: '1s' } as const
    await using sim = await simulate([restart, withFiles(files)], { api: limited })
    for (let n = 0; n < 4; n += 1) {
      await change(sim, files, '/srv/src/a.js')
      await sim.clock.advance(1_000)
    }
    expect([sim.service('api').starts, sim.service('api').view.restarts]).toEqual([5, 0])
    expect(sim.service('api').state).toBe('running')
  })
})

describe('a service that does not run', () => {
  it('is brought back by a change when it had failed, was in backoff, or had completed', async () => {
    const files = new FakeFiles()
    const services = {
      failed: api,
      waits: { ...api, restart_policy: 'always', backoff: '1h' },
      done: api,
    } as const
    const programs = { failed: exitsAfter(10, 1), waits: exitsAfter(10, 1), done: exitsAfter(10) }
    await using sim = await simulate([restart, withFiles(files)], services, { programs })
    expect(sim.states).toEqual({ failed: 'failed', waits: 'backoff', done: 'completed' })
    for (const name of ['failed', 'waits']) sim.service(name).runs(exitsAfter(3_600_000))
    await change(sim, files, '/srv/src/fixed.js')
    await sim.clock.advance(1_000)
    expect(sim.states).toEqual({ failed: 'running', waits: 'running', done: 'completed' })
    expect(sim.service('done').starts).toBe(2)
  })

  it('is left alone when a person stopped it, nobody started it, it is skipped, or something it needs is down', async () => {
    const files = new FakeFiles()
    const services = {
      stopped: api,
      idle: api,
      skipped: { ...api, skip: true },
      broken: { command: 'x' },
      blocked: { ...api, depends_on: ['broken'] },
    }
    await using sim = await simulate([withFiles(files)], services, {
      idle: true,
      programs: { broken: exitsAfter(10, 1) },
    })
    await sim.start(['stopped', 'blocked'])
    await sim.finish(sim.system.stop(['stopped']))
    const before = sim.world.spawnCount('stopped')
    await change(sim, files, '/srv/src/a.js')
    await sim.clock.advance(5_000)
    expect(sim.world.spawnCount('stopped')).toBe(before)
    expect(sim.service('idle').starts + sim.service('skipped').starts + sim.service('blocked').starts).toBe(0)
    expect(sim.states).toMatchObject({ stopped: 'stopped', blocked: 'blocked' })
    expect(sim.eventTypes().filter((type) => type === 'watch.changed')).toEqual([])
  })

  it('is looked at again when it is on its way down', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api }, { programs: { api: ignoresSigterm() } })
    const stopping = sim.system.stop(['api'])
    await change(sim, files, '/srv/src/a.js')
    await sim.finish(stopping)
    await sim.clock.advance(5_000)
    expect([sim.service('api').state, sim.service('api').starts]).toEqual(['stopped', 1])
  })
})

describe('a restart that fails', () => {
  it('leaves the old instance when the strategy can, and the next change tries again', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([rolling(), withFiles(files)], { api })
    const { pids } = sim.service('api')
    sim.service('api').runs(exitsAfter(10, 1))
    await change(sim, files, '/srv/src/typo.js')
    await sim.clock.advance(5_000)
    expect(sim.service('api').pids).toEqual(pids)
    expect(sim.eventTypes('api')).toContain('deploy.rolled_back')
    sim.service('api').runs(exitsAfter(3_600_000))
    await change(sim, files, '/srv/src/typo.js')
    await sim.clock.advance(5_000)
    expect(sim.service('api').pids).not.toEqual(pids)
    expect(sim.service('api').state).toBe('running')
  })
})

describe('a reload', () => {
  it('takes up other paths without a restart, and keeps what has not changed', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api, same: api })
    const next = await sim.configOf({ api: { ...api, watch: { paths: ['lib'], debounce: '1s' } }, same: api })
    expect(sim.system.plan(next)[0]).toEqual({
      ...{ service: 'api', action: 'keep' },
      because: ['`watch` changed, taken up at once'],
    })
    await sim.finish(sim.system.apply(next))
    expect([files.opened, files.closed]).toEqual([3, 1])
    await change(sim, files, '/srv/lib/a.js')
    await sim.clock.advance(900)
    expect(sim.service('api').starts).toBe(1)
    await sim.clock.advance(1_000)
    expect([sim.service('api').starts, sim.service('same').starts]).toEqual([2, 1])
  })

  it('ends to watch what is gone, and forgets what had changed', async () => {
    const files = new FakeFiles()
    await using sim = await simulate([withFiles(files)], { api, gone: api })
    await change(sim, files, '/srv/src/a.js')
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x' } })))
    await sim.clock.advance(1_000)
    expect([files.open, sim.service('api').starts]).toEqual([0, 1])
  })
})

it('closes everything with the system, and restarts nothing that stops', async () => {
  const files = new FakeFiles()
  const sim = await simulate([withFiles(files)], { api }, { programs: { api: ignoresSigterm() } })
  const ending = sim.system.shutdown()
  await change(sim, files, '/srv/src/a.js')
  await sim.finish(ending)
  await sim[Symbol.asyncDispose]()
  expect([files.open, sim.service('api').starts]).toEqual([0, 1])
})

it('says once what cannot be watched and what helps, and the service goes on', async () => {
  const files = new FakeFiles()
  await using sim = await simulate([withFiles(files)], { api })
  for (let n = 0; n < 3; n += 1) files.fail({ code: 'ENOSPC', message: 'System limit for number of file watchers' })
  const failures = sim.events.filter(({ type }) => type === 'watch.failed')
  expect(failures).toHaveLength(1)
  expect(failures[0]?.data).toMatchObject({ reason: expect.stringContaining('fs.inotify.max_user_watches') as string })
  expect(sim.states).toEqual({ api: 'running' })
})

it('opens nothing without a service that watches', async () => {
  const files = new FakeFiles()
  await using sim = await simulate([withFiles(files)], { api: { command: 'x' } })
  expect([files.opened, sim.states]).toEqual([0, { api: 'running' }])
})

describe('a config', () => {
  it.each<[what: string, watch: unknown, message: RegExp]>([
    ['a bare path', 'src', /must be a list of paths such as `\[src\]`/],
    ['no path', [], /must name at least one path/],
    ['an empty path', [''], /must not be empty/],
    ['a home', ['~/src'], /must not begin with `~`/],
    ['an exclusion', ['!src'], /must not begin with `!`/],
    ['braces', ['src/*.{ts,js}'], /must not have braces/],
    ['a misspelt key', { paths: ['src'], ignored: ['x'] }, /`ignored` is not a key/],
    ['no paths', { ignore: ['x'] }, /paths/],
    ['a wrong duration', { paths: ['src'], debounce: 'soon' }, /soon/],
  ])('with %s is refused', async (_what, written, message) => {
    const services = { api: { command: 'x', watch: written } as ServiceConfig }
    await expect(simulate([watch], services)).rejects.toThrow(message)
  })

  it('with `cron` beside `watch` is refused', () => {
    const service = { name: 'job', watch: { paths: ['src'] }, cron: { expression: '* * * * *' } }
    const issues = watch.check?.({ services: { job: service } } as never)
    expect(issues).toMatchObject([{ path: ['services', 'job', 'watch'], message: /both `watch` and `cron`/ }])
  })
})
