/** A start that a person types does not wait for the backoff of what has crashed. */
import type { Outcome, ServiceConfig } from '@systemg/core'
import { exitsAfter, forks, ignoresSigterm, serve } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { remembers, retries } from '../simulation/plugins.ts'

const hourMs = 3_600_000
const x = { command: 'x' } satisfies ServiceConfig

const ways: Readonly<Record<string, (sim: Simulation) => Promise<Outcome>>> = {
  'a start of everything': (sim) => sim.system.start(),
  'a start by name': (sim) => sim.system.start({ names: ['api'] }),
  'a start that applies what changed': (sim) => sim.system.apply(sim.system.config),
  'the start of a supervisor by a person': (sim) => sim.system.start({ appliesChanges: true }),
}

const untilDown = (sim: Simulation) => sim.until(() => sim.service('api').state !== 'running')

const crash = async (sim: Simulation) => {
  sim.world.processes.exit(sim.service('api').pids[0] ?? 0, 1)
  await untilDown(sim)
}

/** Its tracked process has crashed, and another one of its tree does not end at the first word. */
const leaving = { programs: { api: forks(ignoresSigterm()) } }

describe.each(Object.entries(ways))('%s', (_name, start) => {
  const expectStarted = async (sim: Simulation) => {
    sim.service('api').runs(serve())
    expect(await sim.finish(start(sim))).toMatchObject({ ok: true, problems: [] })
    expect(sim.states).toEqual({ api: 'running' })
    expect(sim.world.elapsedMs()).toBeLessThan(hourMs / 2)
    // It was asked for by a person, and the next crash is the first in a row.
    expect(sim.service('api').view.restarts).toBe(0)
    await crash(sim)
    await sim.clock.advance(hourMs / 2)
    expect(sim.service('api').state).toBe('backoff')
    await sim.clock.advance(hourMs)
    expect(sim.service('api').state).toBe('running')
  }

  it('starts what waits in backoff', async () => {
    await using sim = await simulate([retries(hourMs)], { api: x })
    await crash(sim)
    expect(sim.states).toEqual({ api: 'backoff' })
    await expectStarted(sim)
  })

  it('starts what has crashed when nothing of it lives any more', async () => {
    await using sim = await simulate([retries(hourMs)], { api: x }, leaving)
    await crash(sim)
    expect(sim.states).toEqual({ api: 'stopping' })
    await expectStarted(sim)
  })

  it('starts what is ended since it is unhealthy', async () => {
    await using sim = await simulate([retries(hourMs)], { api: x }, { programs: { api: ignoresSigterm() } })
    sim.system.reportHealth('api-1', { healthy: false, reason: 'status 503' })
    await untilDown(sim)
    expect(sim.states).toEqual({ api: 'stopping' })
    await expectStarted(sim)
  })

  it('starts what crashed while no supervisor ran', async () => {
    for (const options of [{}, leaving]) {
      await using sim = await simulate([remembers(), retries(hourMs)], { api: x }, options)
      const [pid = 0] = sim.service('api').pids
      sim.crash()
      sim.world.processes.exit(pid, 1)
      await sim.boot()
      await expectStarted(sim)
    }
  })

  it('starts it also when the supervisor has come back by itself', async () => {
    await using sim = await simulate([remembers(), retries(hourMs)], { api: x }, leaving)
    const [pid = 0] = sim.service('api').pids
    sim.crash()
    sim.world.processes.exit(pid, 1)
    await sim.boot()
    const resumed = sim.system.resume()
    await expectStarted(sim)
    await sim.finish(resumed)
  })

  it('starts the one of several replicas that is down', async () => {
    await using sim = await simulate([retries(hourMs)], { api: { ...x, replicas: 2 } })
    sim.world.processes.exit(sim.service('api').pids[0] ?? 0, 1)
    await sim.until(() => sim.service('api').reason?.startsWith('1 of 2 ready') === true)
    expect(await sim.finish(start(sim))).toMatchObject({ ok: true, problems: [] })
    expect(sim.service('api').view).toMatchObject({ state: 'running', reason: null })
    expect(sim.world.elapsedMs()).toBeLessThan(hourMs / 2)
  })
})

it('what a person stops meanwhile stays stopped, and starts later as if nothing had been asked before', async () => {
  await using sim = await simulate([retries(hourMs)], { api: x }, leaving)
  await crash(sim)
  const started = sim.system.start()
  const stopped = sim.system.stop(['api'])
  await sim.finish(Promise.all([started, stopped]))
  expect(sim.states).toEqual({ api: 'stopped' })
  sim.service('api').runs(exitsAfter(1_000, 1))
  await sim.start(['api'])
  await sim.clock.advance(2_000)
  expect(sim.states).toEqual({ api: 'backoff' })
})

it('what ends well meanwhile has completed', async () => {
  await using sim = await simulate([], { api: x }, leaving)
  sim.world.processes.exit(sim.service('api').pids[0] ?? 0, 0)
  await untilDown(sim)
  expect(await sim.finish(sim.system.start())).toMatchObject({ ok: true })
  expect(sim.states).toEqual({ api: 'completed' })
  expect(sim.service('api').starts).toBe(1)
})
