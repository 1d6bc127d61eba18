/** Services that are in no config: started with their command, they live until they are stopped. */
import type { Outcome, ResolvedService, ServiceConfig } from '@systemg/core'
import { exitsAfter, ignoresSigterm, stopsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { remembers, retries, rolling } from '../simulation/plugins.ts'

const x = { command: 'x' }
const fine = { ok: true, problems: [], warnings: [] }

const specOf = async (sim: Simulation, name: string, config: ServiceConfig): Promise<ResolvedService> => {
  const { services } = await sim.configOf({ [name]: config })
  return services[name] as ResolvedService
}

const add = async (
  sim: Simulation,
  name: string,
  config: ServiceConfig = { exec: ['work'] },
  options: { isNew?: boolean } = {},
): Promise<Outcome> => sim.finish(sim.system.startAdHoc(await specOf(sim, name, config), options))

const apply = async (sim: Simulation, next: Record<string, ServiceConfig>, all = false) =>
  sim.finish(sim.system.apply(await sim.configOf(next), { all }))

describe('an ad-hoc service', () => {
  it('is started beside the services of the config, and shown like them', async () => {
    await using sim = await simulate([], { api: x })
    expect(await add(sim, 'worker')).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running', worker: 'running' })
    expect(sim.service('worker').view.ad_hoc).toBe(true)
    expect(sim.service('api').view).not.toHaveProperty('ad_hoc')
    expect(Object.keys(sim.system.config.services)).toEqual(['api', 'worker'])
    expect(sim.world.processes.list('worker').map(({ argv }) => argv)).toEqual([['work']])
  })

  it('that fails is told as a start is, and stays to be looked at', async () => {
    await using sim = await simulate([], {}, { programs: { worker: exitsAfter(10, 3) } })
    expect(await add(sim, 'worker')).toMatchObject({ ok: false, problems: [{ service: 'worker' }] })
    expect(sim.states).toEqual({ worker: 'failed' })
  })

  it('is forgotten when it is stopped, whether it runs or not', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { job: exitsAfter(10) } })
    await add(sim, 'worker')
    await add(sim, 'job')
    expect(sim.states).toEqual({ api: 'running', worker: 'running', job: 'completed' })
    expect(await sim.finish(sim.system.stop(['worker', 'job']))).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running' })
    expect(sim.world.processes.list('worker')).toEqual([])
    expect(Object.keys(sim.system.config.services)).toEqual(['api'])
    const stopped = sim.events.findLast(({ type }) => type === 'instance.stopping')
    expect(stopped).toMatchObject({ service: 'worker', data: { why: 'stopped by you' } })
    for (const table of ['ad_hoc', 'intents', 'outcomes']) expect(sim.host.store.table(table).entries()).toEqual([])
    await expect(sim.system.start({ names: ['worker'] })).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })

  it('that is still stopping cannot be started by name, but anew', async () => {
    await using sim = await simulate([], {}, { programs: { worker: stopsAfter(1_000) } })
    await add(sim, 'worker')
    const stopping = sim.system.stop(['worker'])
    await sim.clock.advance(100)
    await expect(sim.system.start({ names: ['worker'] })).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
    expect(await add(sim, 'worker', { exec: ['other'] })).toEqual(fine)
    await sim.finish(stopping)
    expect(sim.states).toEqual({ worker: 'running' })
    expect(sim.world.processes.list('worker').map(({ argv }) => argv)).toEqual([['other']])
  })

  it('is replaced by a restart, and scaled', async () => {
    await using sim = await simulate([rolling()], {})
    await add(sim, 'worker')
    const [before] = sim.service('worker').pids
    expect(await sim.finish(sim.system.restart({ names: ['worker'] }))).toEqual(fine)
    expect(sim.service('worker').pids).not.toContain(before)
    await sim.finish(sim.system.scale({ worker: 3 }))
    expect(sim.service('worker').pids).toHaveLength(3)
  })

  it('is brought back by a restart policy, if it has one', async () => {
    await using sim = await simulate([retries(1_000)], {})
    await add(sim, 'worker')
    await sim.service('worker').exit({ code: 1 })
    await sim.until(() => sim.service('worker').state === 'running')
    expect(sim.service('worker').view.restarts).toBe(1)
  })

  it('tells plugins that it came and went', async () => {
    const told: string[][] = []
    await using sim = await simulate([], { api: x })
    sim.system.hooks.reload.tap('test', ({ before, after }) => {
      told.push([Object.keys(before.services).join(), Object.keys(after.services).join()])
    })
    await add(sim, 'worker')
    await sim.finish(sim.system.stop(['worker']))
    expect(told).toEqual([
      ['api', 'api,worker'],
      ['api,worker', 'api'],
    ])
  })
})

describe('a name', () => {
  it('that runs the same command already is a success that says so', async () => {
    await using sim = await simulate([], {})
    await add(sim, 'worker')
    const { pids } = sim.service('worker')
    expect(await add(sim, 'worker')).toEqual({
      ...fine,
      warnings: ['`worker` runs already, with the same command.'],
    })
    expect(sim.service('worker').pids).toEqual(pids)
  })

  it('that ran the same command and has ended is started again', async () => {
    await using sim = await simulate([], {})
    await add(sim, 'worker')
    await sim.service('worker').exit({ code: 1 })
    expect(await add(sim, 'worker')).toEqual(fine)
    expect(sim.service('worker').state).toBe('running')
  })

  it.each<[string, string, ServiceConfig, { isNew?: boolean }, string]>([
    ['of the config', 'api', { exec: ['x'] }, {}, 'The name `api` is taken by a service of the config (x).'],
    [
      'with another command',
      'worker',
      { exec: ['other'] },
      {},
      'The name `worker` is taken by an ad-hoc service with another command (work).',
    ],
    [
      'with the same command elsewhere',
      'worker',
      { exec: ['work'], working_dir: '/tmp' },
      {},
      'The name `worker` is taken by an ad-hoc service with another command (work, in /srv).',
    ],
    [
      'when one of its own is wanted',
      'worker',
      { exec: ['work'] },
      { isNew: true },
      'The name `worker` is taken by an ad-hoc service (work).',
    ],
  ])('%s is refused, and nothing is changed', async (_what, name, config, options, message) => {
    await using sim = await simulate([], { api: x })
    await add(sim, 'worker')
    const { events } = sim
    const count = events.length
    await expect(add(sim, name, config, options)).rejects.toMatchObject({ code: 'SYSG_NAME_TAKEN', message })
    expect(events).toHaveLength(count)
  })
})

describe('another config', () => {
  it('does not touch it, with or without a restart of everything', async () => {
    await using sim = await simulate([], { api: x, gone: x })
    await add(sim, 'worker')
    const { pids } = sim.service('worker')
    const next = { api: { command: 'y' }, more: x }
    expect(sim.system.plan(await sim.configOf(next), { all: true })).toContainEqual({
      service: 'worker',
      action: 'keep',
      because: ['ad hoc: no config touches it'],
    })
    expect(await apply(sim, next)).toEqual(fine)
    expect(await apply(sim, next, true)).toEqual(fine)
    expect(await sim.finish(sim.system.restart())).toEqual(fine)
    expect(await sim.start()).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running', worker: 'running', more: 'running' })
    expect(sim.service('worker').pids).toEqual(pids)
  })

  it('that has its name is refused while it lives, and changes nothing', async () => {
    await using sim = await simulate([], { api: x })
    await add(sim, 'worker')
    const before = [sim.service('api').pids, sim.service('worker').pids, sim.system.config]
    const next = { api: { command: 'y' }, worker: { command: 'work' } }
    const refused = { code: 'SYSG_AD_HOC_IN_THE_WAY', message: expect.stringContaining('`worker`') as string }
    await expect(apply(sim, next)).rejects.toMatchObject(refused)
    const config = await sim.configOf(next)
    expect(() => sim.system.plan(config)).toThrow(expect.objectContaining(refused) as Error)
    expect([sim.service('api').pids, sim.service('worker').pids, sim.system.config]).toEqual(before)
  })

  it('gets the name of one that has ended', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { worker: exitsAfter(10, 1) } })
    await add(sim, 'worker')
    sim.service('worker').runs(stopsAfter(1))
    expect(await apply(sim, { api: x, worker: { command: 'z' } })).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running', worker: 'running' })
    expect(sim.service('worker').view).not.toHaveProperty('ad_hoc')
    expect(sim.world.processes.list('worker').map(({ argv }) => argv)).toEqual([['z']])
    expect(sim.host.store.table('ad_hoc').entries()).toEqual([])
    await apply(sim, { api: x })
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('made of the one in force, by a plugin, is no conflict', async () => {
    await using sim = await simulate([], { api: x })
    await add(sim, 'worker')
    expect(await sim.finish(sim.system.apply({ ...sim.system.config, max_concurrent_starts: 3 }))).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running', worker: 'running' })
    expect(sim.service('worker').view.ad_hoc).toBe(true)
  })

  it('warns of one that has failed, which is no failure of the config', async () => {
    await using sim = await simulate([], { api: x }, { programs: { worker: exitsAfter(10, 1) } })
    await add(sim, 'worker')
    const warnings = [
      'The ad-hoc service `worker` has ended: exit code 1. `sysg start -s worker` starts it again, `sysg stop -s worker` forgets it.',
    ]
    expect(await apply(sim, { api: x })).toEqual({ ...fine, warnings })
    expect(await sim.start()).toEqual({ ...fine, warnings })
    expect(await sim.finish(sim.system.settled())).toEqual({ ...fine, warnings })
    expect(sim.service('worker').starts).toBe(1)
  })
})

describe('a killed supervisor', () => {
  it('leaves it to the next one, which adopts it and keeps it apart from the config', async () => {
    await using sim = await simulate([remembers()], { api: x })
    await add(sim, 'worker')
    const { pids } = sim.service('worker')
    sim.crash()
    await sim.boot({ api: { command: 'y' } })
    expect(await sim.start()).toEqual(fine)
    expect(sim.service('worker').pids).toEqual(pids)
    expect(sim.service('worker').view.ad_hoc).toBe(true)
    expect(await apply(sim, { other: x })).toEqual(fine)
    expect(sim.service('worker').pids).toEqual(pids)
    await sim.finish(sim.system.stop(['worker']))
    expect(sim.states).toEqual({ other: 'running' })
  })

  it('does not hide one that ended meanwhile, nor start it again', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { job: exitsAfter(10) } })
    await add(sim, 'worker')
    await add(sim, 'job')
    const [pid = 0] = sim.service('worker').pids
    sim.crash()
    sim.world.processes.kill(pid, 'SIGKILL')
    for (let boots = 0; boots < 2; boots += 1) {
      await sim.boot()
      const { ok, warnings } = await sim.start()
      expect([ok, warnings]).toEqual([true, [expect.stringContaining('`worker` has ended')]])
      expect(sim.states).toEqual({ api: 'running', worker: 'failed', job: 'completed' })
      if (boots === 0) sim.crash()
    }
    expect([sim.service('worker').starts, sim.service('job').starts]).toEqual([1, 1])
    await sim.finish(sim.system.stop(['worker', 'job']))
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('in the moment after it was recorded does not lose it: the next start brings it up', async () => {
    await using sim = await simulate([remembers()], { api: x })
    void sim.system.startAdHoc(await specOf(sim, 'worker', { exec: ['work'] })).catch(() => undefined)
    for (let turns = 0; sim.host.store.table('ad_hoc').entries().length === 0; turns += 1) {
      expect(turns).toBeLessThan(100)
      await Promise.resolve()
    }
    expect(sim.host.store.table('instances').entries()).toHaveLength(1)
    sim.crash()
    await sim.boot()
    expect(sim.service('worker').state).toBe('stopped')
    await sim.start()
    await sim.until(() => sim.service('worker').state === 'running')
    expect(sim.service('worker').starts).toBe(1)
  })

  it('still knows why one could not be started, and when', async () => {
    await using sim = await simulate([remembers()], {})
    sim.world.failSpawns('ENOENT')
    await add(sim, 'worker', { exec: ['wrok'] })
    const { reason, since } = sim.service('worker').view
    expect(reason).toBe('`worker` could not be started: spawn wrok ENOENT (ENOENT)')
    sim.crash()
    await sim.clock.advance(60_000)
    await sim.boot()
    expect(sim.service('worker').view).toMatchObject({ state: 'failed', reason, since, exit: null })
  })

  it('forgets one in the middle of its stop, and the next supervisor ends it', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { worker: stopsAfter(5_000) } })
    await add(sim, 'worker')
    void sim.system.stop(['worker']).catch(() => undefined)
    await sim.clock.advance(100)
    sim.crash()
    await sim.boot()
    await sim.start()
    await sim.until(() => !('worker' in sim.states))
    expect(sim.world.processes.list().map(({ service }) => service)).toEqual(['api'])
  })

  it('is not followed by one whose config has the name of a living one', async () => {
    await using sim = await simulate([remembers()], { api: x })
    await add(sim, 'worker')
    const { pids } = sim.service('worker')
    sim.crash()
    await expect(sim.boot({ api: x, worker: x })).rejects.toMatchObject({ code: 'SYSG_AD_HOC_IN_THE_WAY' })
    expect(sim.world.processes.list('worker').map(({ pid }) => pid)).toEqual(pids)
    await sim.boot({ api: x })
    await sim.start()
    expect(sim.service('worker').pids).toEqual(pids)
  })

  it('leaves the name of a dead one to the config', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { job: exitsAfter(10) } })
    await add(sim, 'worker')
    await add(sim, 'job')
    const [pid = 0] = sim.service('worker').pids
    sim.crash()
    sim.world.processes.kill(pid, 'SIGKILL')
    sim.service('job').runs(stopsAfter(1))
    await sim.boot({ api: x, worker: { command: 'z' }, job: { exec: ['work'] } })
    expect(await sim.start()).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running', worker: 'running', job: 'running' })
    expect(sim.world.processes.list('worker').map(({ argv }) => argv)).toEqual([['z']])
    expect(sim.host.store.table('ad_hoc').entries()).toEqual([])
  })
})

describe('a stop of everything', () => {
  it('ends and forgets it: nothing comes back with the next supervisor', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { job: exitsAfter(10, 1) } })
    await add(sim, 'worker')
    await add(sim, 'job')
    await sim.finish(sim.system.shutdown())
    expect(sim.world.processes.list()).toEqual([])
    await sim.boot()
    expect(await sim.start()).toEqual(fine)
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('that is cut short by SIGKILL has forgotten it all the same', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: { worker: ignoresSigterm() } })
    await add(sim, 'worker')
    void sim.system.shutdown().catch(() => undefined)
    await sim.clock.advance(100)
    sim.crash()
    await sim.boot()
    await sim.start()
    await sim.until(() => !('worker' in sim.states))
    expect(sim.world.processes.list().map(({ service }) => service)).toEqual(['api'])
  })

  it('refuses new ones', async () => {
    await using sim = await simulate([], { api: x }, { programs: { api: stopsAfter(1_000) } })
    void sim.system.shutdown()
    await expect(add(sim, 'worker')).rejects.toMatchObject({ code: 'SYSG_SHUTTING_DOWN' })
  })
})
