/** What commands do to a system that runs: start, stop, restart, scale, shutdown. */
import { definePlugin } from '@systemg/core'
import { daemonizes, exitsAfter, ignoresSigterm, stopsAfter, type Program } from '@systemg/core/simulated'
import { simulate, type Simulation, type SimulationOptions } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { retries, rolling } from '../simulation/plugins.ts'

const x = { command: 'x' }

/** A shop: web needs api, api needs db; a worker stands alone. */
const shop = { db: x, api: { ...x, depends_on: ['db'] }, web: { ...x, depends_on: ['api'] }, worker: x }

/** Programs of commands that belong to no service: `skip`. */
const commands = (program: Program): SimulationOptions => ({ programs: { '': program } })

/** Services in the order in which their processes were started, from the beginning. */
const startsOf = (sim: Simulation): readonly (string | undefined)[] =>
  sim.events.filter(({ type }) => type === 'instance.started').map(({ service }) => service)

describe('start', () => {
  it('brings everything up, dependencies first', async () => {
    await using sim = await simulate([], shop, { idle: true })
    expect(sim.states).toEqual({ db: 'stopped', api: 'stopped', web: 'stopped', worker: 'stopped' })
    expect(await sim.start()).toEqual({ ok: true, problems: [], warnings: [] })
    expect(startsOf(sim)).toEqual(['db', 'worker', 'api', 'web'])
    expect(new Set(Object.values(sim.states))).toEqual(new Set(['running']))
  })

  it('of named services starts only what they need', async () => {
    await using sim = await simulate([], shop, { idle: true })
    expect(await sim.start(['api'])).toEqual({ ok: true, problems: [], warnings: [] })
    expect(sim.states).toEqual({ db: 'running', api: 'running', web: 'stopped', worker: 'stopped' })
    expect(await sim.start()).toMatchObject({ ok: true })
    expect(sim.states).toMatchObject({ web: 'running', worker: 'running' })
    expect(sim.service('db').starts).toBe(1)
  })

  it('of what runs already changes nothing', async () => {
    await using sim = await simulate([], shop)
    const seen = sim.events.length
    expect(await sim.start()).toEqual({ ok: true, problems: [], warnings: [] })
    expect(await sim.start(['api'])).toEqual({ ok: true, problems: [], warnings: [] })
    expect(sim.events).toHaveLength(seen)
  })

  it('of an unknown name is an error that leaves everything as it was', async () => {
    await using sim = await simulate([], shop, { idle: true })
    await expect(sim.start(['api', 'nobody'])).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
    await expect(sim.finish(sim.system.stop(['nobody']))).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
    await expect(sim.finish(sim.system.restart({ names: ['nobody'] }))).rejects.toMatchObject({
      code: 'SYSG_SERVICE_UNKNOWN',
    })
    await expect(sim.finish(sim.system.scale({ nobody: 2 }))).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
    await sim.clock.advance(1_000)
    expect(sim.world.processes.list()).toEqual([])
  })

  it('does not override what a person stopped: of everything it says so, of a dependent it refuses', async () => {
    await using sim = await simulate([], shop)
    await sim.finish(sim.system.stop(['db', 'api']))
    expect(await sim.start()).toEqual({
      ok: true,
      problems: [],
      warnings: [
        '`db` stays stopped, as you asked; `sysg start -s db` starts it.',
        '`api` stays stopped, as you asked; `sysg start -s api` starts it.',
      ],
    })
    await expect(sim.start(['api'])).rejects.toMatchObject({
      code: 'SYSG_DEPENDENCY_STOPPED',
      message: '`api` needs `db`, which you stopped.',
      hint: 'Start it first (`sysg start -s db`), or use `sysg start -s api --with-deps`.',
    })
    expect(sim.states).toEqual({ db: 'stopped', api: 'stopped', web: 'running', worker: 'running' })
    expect(await sim.finish(sim.system.start({ names: ['api'], withDeps: true }))).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ db: 'running', api: 'running', web: 'running', worker: 'running' })
  })

  it('lets those that were blocked by it follow', async () => {
    await using sim = await simulate([], shop, { idle: true })
    await sim.start(['db'])
    await sim.finish(sim.system.stop(['db']))
    const outcome = await sim.start()
    expect(sim.states).toEqual({ db: 'stopped', api: 'blocked', web: 'blocked', worker: 'running' })
    expect(outcome).toMatchObject({ ok: true, problems: [] })
    expect(outcome.warnings).toContain('`web` is blocked: api is blocked: db was stopped by you.')
    await sim.start(['db'])
    await sim.until(() => sim.service('web').state === 'running')
  })

  it('re-arms a service that had given up, and its count begins anew', async () => {
    await using sim = await simulate([retries(10, 1)], { api: x }, { programs: { api: exitsAfter(100, 1) } })
    await sim.until(() => sim.service('api').state === 'failed')
    expect(sim.service('api').starts).toBe(2)
    sim.service('api').runs(exitsAfter(1_000, 1))
    expect(await sim.start(['api'])).toMatchObject({ ok: true })
    await sim.until(() => sim.service('api').state === 'failed')
    expect(sim.service('api').starts).toBe(4)
  })

  it('runs a one-shot again only when it is named', async () => {
    await using sim = await simulate([], { job: x }, { programs: { job: exitsAfter(10) } })
    expect(sim.states).toEqual({ job: 'completed' })
    await sim.start()
    expect(sim.service('job').starts).toBe(1)
    await sim.start(['job'])
    expect(sim.service('job').starts).toBe(2)
  })

  it('tells what failed with its reason, its last lines and what to do', async () => {
    const lines = definePlugin({
      name: 'lines',
      setup: ({ hooks }) => hooks.exited.tap('lines', (before) => [...before, 'port taken']),
    })
    const services = { db: x, api: { ...x, depends_on: ['db'] } }
    await using sim = await simulate([lines], services, { idle: true, programs: { db: exitsAfter(10, 1) } })
    const { ok, problems } = await sim.start()
    expect(ok).toBe(false)
    expect(problems).toEqual([
      {
        service: 'db',
        code: 'SYSG_START_FAILED',
        message: '`db` did not start: exit code 1, `port taken`.',
        hint: '`sysg logs db` shows what it wrote.',
        last_lines: ['port taken'],
      },
      expect.objectContaining({
        service: 'api',
        message: '`api` is blocked: db failed: exit code 1, `port taken`.',
        hint: '`sysg start -s db` starts `db` again; `api` follows by itself.',
        last_lines: [],
      }),
    ])
  })

  it('can be waited for with a limit that changes nothing but the waiting', async () => {
    await using sim = await simulate([], { api: { ...x, startup_grace: '10s' } }, { idle: true })
    const controller = new AbortController()
    const starting = sim.system.start({ signal: controller.signal })
    const failed = expect(starting).rejects.toThrow('enough')
    await sim.clock.advance(100)
    controller.abort(new Error('enough'))
    await failed
    await sim.until(() => sim.service('api').state === 'running')
    expect(sim.service('api').starts).toBe(1)
  })

  it('takes other exit codes for success when the config says so', async () => {
    const services = {
      job: { ...x, success_exit_codes: [0, 3] },
      after: { ...x, depends_on: { job: { condition: 'completed' } } },
    } as const
    await using sim = await simulate([], services, { programs: { job: exitsAfter(10, 3) } })
    expect(sim.states).toEqual({ job: 'completed', after: 'running' })
    sim.service('job').runs(exitsAfter(10, 4))
    expect(await sim.start(['job'])).toMatchObject({ ok: false })
    expect(sim.service('job').state).toBe('failed')
  })

  it('tries again what failed because the machine was short of something, whatever the policy', async () => {
    for (const errno of ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']) {
      await using sim = await simulate([], { api: x }, { idle: true })
      sim.world.failSpawns(errno, 3)
      await sim.start()
      await sim.until(() => sim.service('api').state === 'running')
      expect(sim.world.elapsedMs()).toBe(3_250)
      expect(sim.service('api').starts).toBe(1)
    }
  })

  it('shows the services that are asked for, in that order, and leaves out what is not there', async () => {
    await using sim = await simulate([], { a: x, b: x, c: x })
    expect(sim.system.view(['c', 'gone', 'a']).map(({ name }) => name)).toEqual(['c', 'a'])
    expect(sim.system.view().map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  it('never counts such a failure against the policy', async () => {
    await using sim = await simulate([retries(10, 0)], { api: x }, { idle: true })
    sim.world.failSpawns('EAGAIN', 5)
    await sim.start()
    await sim.until(() => sim.service('api').state === 'running')
  })

  it('has no more services starting at once than allowed', async () => {
    const names = Array.from({ length: 7 }, (_, index) => `s${index}`)
    let most = 0
    await using sim = await simulate([], Object.fromEntries(names.map((name) => [name, x])), {
      system: { max_concurrent_starts: 2 },
      onEvent: (_event, at) => {
        const starting = at.system
          .view()
          .flatMap(({ instances }) => instances.filter(({ state }) => state === 'starting'))
        most = Math.max(most, starting.length)
      },
    })
    expect(most).toBe(2)
    expect(new Set(Object.values(sim.states))).toEqual(new Set(['running']))
    expect(sim.world.elapsedMs()).toBe(4 * 250)
  })

  it('tells of a program that puts itself into the background, and ends what it left', async () => {
    await using sim = await simulate([], { api: x }, { programs: { api: daemonizes() } })
    const told = sim.events.find(({ type }) => type === 'service.daemonized')
    expect(told).toMatchObject({ service: 'api', data: { pids: [expect.any(Number)] } })
    await sim.clock.advance(1_000)
    expect(sim.world.processes.list()).toEqual([])
    expect(sim.service('api').state).not.toBe('running')
  })
})

describe('skip', () => {
  it('leaves a service out, and those that need it go on', async () => {
    const services = {
      seed: { ...x, skip: true },
      api: { ...x, depends_on: { seed: { condition: 'completed' } } },
    } as const
    await using sim = await simulate([], services)
    expect(sim.states).toEqual({ seed: 'skipped', api: 'running' })
    expect(sim.service('seed').reason).toBe('skipped by its config')
    expect(sim.service('seed').starts).toBe(0)
  })

  it('does not hold for a service that a person starts by name', async () => {
    await using sim = await simulate([], { seed: { ...x, skip: true } })
    expect(await sim.start(['seed'])).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ seed: 'running' })
  })

  it.each([
    [0, 'skipped'],
    [1, 'running'],
    [127, 'running'],
  ])('by a command that exits %i: %s', async (code, state) => {
    const options = commands(exitsAfter(50, code))
    await using sim = await simulate(
      [],
      { seed: { ...x, skip: 'test -e done' }, api: { ...x, depends_on: ['seed'] } },
      options,
    )
    expect(sim.states).toEqual({ seed: state, api: 'running' })
  })

  it('by a command is run by a shell in the folder of the service, without the variables of the supervisor', async () => {
    const seen: unknown[] = []
    const notes: Program = (self) => {
      seen.push([self.argv, self.cwd, Object.keys(self.env).filter((name) => name.startsWith('SYSG_'))])
      self.exit(0)
    }
    await using sim = await simulate([], { seed: { ...x, skip: 'test -e done', working_dir: 'data' } }, commands(notes))
    expect(sim.states).toEqual({ seed: 'skipped' })
    expect(seen).toEqual([[['/bin/sh', '-c', 'test -e done'], '/srv/data', []]])
  })
})

describe('stop', () => {
  it('ends one service alone, and warns of the dependents that go on', async () => {
    await using sim = await simulate([], shop)
    const outcome = await sim.finish(sim.system.stop(['db']))
    expect(outcome).toEqual({
      ok: true,
      problems: [],
      warnings: ['`api` depends on what you stopped, and goes on.'],
    })
    expect(sim.states).toEqual({ db: 'stopped', api: 'running', web: 'running', worker: 'running' })
    expect(sim.service('db').reason).toBe('stopped by you')
  })

  it('of what is stopped is done, and so is one of nothing', async () => {
    await using sim = await simulate([], shop)
    await sim.finish(sim.system.stop(['web']))
    expect(await sim.finish(sim.system.stop(['web']))).toEqual({ ok: true, problems: [], warnings: [] })
    expect(await sim.finish(sim.system.stop([]))).toEqual({ ok: true, problems: [], warnings: [] })
  })

  it('waits as long as the config allows, or as its caller says', async () => {
    const services = { api: { ...x, stop_timeout: '20s' } }
    await using sim = await simulate([], services, { programs: { api: ignoresSigterm() } })
    const patient = sim.world.elapsedMs()
    await sim.finish(sim.system.stop(['api']))
    expect(sim.world.elapsedMs() - patient).toBeGreaterThanOrEqual(20_000)
    await sim.start(['api'])
    const hasty = sim.world.elapsedMs()
    await sim.finish(sim.system.stop(['api'], { graceMs: 500 }))
    expect(sim.world.elapsedMs() - hasty).toBeLessThan(1_000)
  })

  it('ends a wait for a restart', async () => {
    await using sim = await simulate([retries(60_000)], { api: x })
    await sim.service('api').exit({ code: 1 })
    expect(sim.states).toEqual({ api: 'backoff' })
    await sim.finish(sim.system.stop(['api']))
    expect(sim.states).toEqual({ api: 'stopped' })
    await sim.clock.advance(120_000)
    expect(sim.service('api').starts).toBe(1)
  })
})

describe('restart', () => {
  it('of named services replaces them alone; those that depend on them are not touched', async () => {
    await using sim = await simulate([], shop)
    expect(await sim.finish(sim.system.restart({ names: ['db'] }))).toEqual({ ok: true, problems: [], warnings: [] })
    expect([sim.service('db').starts, sim.service('api').starts, sim.service('db').view.restarts]).toEqual([2, 1, 0])
    expect(sim.states).toEqual({ db: 'running', api: 'running', web: 'running', worker: 'running' })
  })

  it('starts what was stopped, and what is skipped', async () => {
    await using sim = await simulate([], { api: x, seed: { ...x, skip: true } })
    await sim.finish(sim.system.stop(['api']))
    expect(await sim.finish(sim.system.restart({ names: ['api', 'seed'] }))).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ api: 'running', seed: 'running' })
  })

  it('of everything replaces what is wanted, in order, and leaves what a person stopped', async () => {
    await using sim = await simulate([], shop)
    await sim.finish(sim.system.stop(['worker']))
    const before = startsOf(sim).length
    expect(await sim.finish(sim.system.restart())).toMatchObject({ ok: true })
    expect(startsOf(sim).slice(before)).toEqual(['db', 'api', 'web'])
    expect(sim.service('worker').state).toBe('stopped')
  })

  it('of everything stops at the first that fails; the rest is unchanged', async () => {
    await using sim = await simulate([], shop)
    sim.service('api').runs(exitsAfter(10, 1))
    const outcome = await sim.finish(sim.system.restart())
    expect(outcome.ok).toBe(false)
    expect(outcome.problems[0]).toMatchObject({ service: 'api', code: 'SYSG_DEPLOY_FAILED' })
    expect(sim.service('web').starts).toBe(1)
    expect(sim.service('db').starts).toBe(2)
  })

  it('of several names those that it did not come to, when one fails before them', async () => {
    await using sim = await simulate([rolling()], shop)
    sim.service('api').runs(exitsAfter(10, 1))
    const before = sim.service('web').pids
    const outcome = await sim.finish(sim.system.restart({ names: ['web', 'api', 'db'] }))
    expect(outcome.problems.map(({ service, code }) => [service, code])).toEqual([['api', 'SYSG_DEPLOY_FAILED']])
    expect(outcome.warnings).toEqual(['Not replaced, since `api` failed before: `web`. What runs of them goes on.'])
    expect(sim.service('web').pids).toEqual(before)
  })
})

describe('scale', () => {
  it('adds and takes away instances, and tells them apart', async () => {
    await using sim = await simulate([], { api: x })
    expect(await sim.finish(sim.system.scale({ api: 3 }))).toMatchObject({ ok: true })
    const replicas = sim.world.processes.list('api').map(({ env }) => env['SYSG_REPLICA'])
    expect(replicas).toEqual(['0', '1', '2'])
    expect(await sim.finish(sim.system.scale({ api: 1 }))).toMatchObject({ ok: true })
    expect(sim.world.processes.list('api').map(({ env }) => env['SYSG_REPLICA'])).toEqual(['0'])
    expect(sim.service('api').starts).toBe(3)
  })

  it('to none stops the service, blocks its dependents, and is undone by another number', async () => {
    await using sim = await simulate([], { api: x, web: { ...x, depends_on: ['api'] } })
    expect(await sim.finish(sim.system.scale({ api: 0 }))).toMatchObject({ ok: true })
    expect(sim.service('api').state).toBe('stopped')
    expect(sim.world.processes.list('api')).toEqual([])
    expect(await sim.finish(sim.system.scale({ api: 2 }))).toMatchObject({ ok: true })
    expect(sim.service('api').pids).toHaveLength(2)
    expect(sim.service('web').state).toBe('running')
  })

  it('holds until a config changes the number', async () => {
    await using sim = await simulate([], { api: { ...x, replicas: 2 } })
    await sim.finish(sim.system.scale({ api: 3 }))
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'y', replicas: 2 } })))
    expect(sim.service('api').pids).toHaveLength(3)
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'y', replicas: 1 } })))
    expect(sim.service('api').pids).toHaveLength(1)
  })
})

describe('shutdown', () => {
  it('a second time with `now` kills what still stops', async () => {
    await using sim = await simulate([], shop, { programs: { api: ignoresSigterm(), web: ignoresSigterm() } })
    const ending = sim.system.shutdown()
    await sim.clock.advance(1_000)
    expect(sim.service('web').pids).toHaveLength(1)
    const before = sim.world.elapsedMs()
    await sim.finish(sim.system.shutdown({ now: true }))
    await sim.finish(ending)
    expect(sim.world.processes.list()).toEqual([])
    expect(sim.world.elapsedMs() - before).toBeLessThan(100)
    expect(sim.eventTypes().filter((type) => type === 'system.stopped')).toHaveLength(1)
  })

  it('refuses what comes afterwards, and starts nothing that was on its way', async () => {
    await using sim = await simulate([], shop, { idle: true })
    const starting = sim.system.start()
    await sim.clock.advance(10)
    await sim.finish(sim.system.shutdown())
    expect(await sim.finish(starting)).toMatchObject({ ok: false, problems: [{ code: 'SYSG_STOPPED_MEANWHILE' }] })
    const asked: readonly (() => Promise<unknown>)[] = [
      () => sim.system.start(),
      () => sim.system.restart(),
      () => sim.system.scale({ db: 2 }),
      () => sim.system.run('db'),
    ]
    for (const ask of asked) await expect(sim.finish(ask())).rejects.toMatchObject({ code: 'SYSG_SHUTTING_DOWN' })
    await sim.clock.advance(60_000)
    expect([sim.service('db').starts, sim.service('api').starts]).toEqual([1, 0])
  })

  it('waits for a stop that is under way', async () => {
    await using sim = await simulate([], shop, { programs: { db: stopsAfter(2_000) } })
    const stopping = sim.system.stop(['db'])
    await sim.clock.advance(500)
    await sim.finish(sim.system.shutdown())
    expect(await sim.finish(stopping)).toMatchObject({ ok: true })
    expect(sim.world.processes.list()).toEqual([])
  })
})

describe('run', () => {
  it('says nothing when a dependency keeps it from running', async () => {
    const services = { db: x, job: { ...x, depends_on: ['db'] } }
    await using sim = await simulate([], services, { programs: { db: exitsAfter(10, 1), job: exitsAfter(10) } })
    expect(sim.states).toEqual({ db: 'failed', job: 'blocked' })
    expect(await sim.finish(sim.system.run('job'))).toBeUndefined()
  })
})
