/** Commands that meet each other, or a service in a state of its own. */
import { definePlugin } from '@systemg/core'
import { exitsAfter, ignoresSigterm, stopsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { retries } from '../simulation/plugins.ts'

const x = { command: 'x' }
const shop = { db: x, api: { ...x, depends_on: ['db'] }, web: { ...x, depends_on: ['api'] }, worker: x }

/** Services in the order in which their processes ended, from now on. */
const endsOf = (sim: Simulation): string[] => {
  const ended: string[] = []
  sim.world.processes.watch(({ process, exit }) => {
    if (exit !== undefined && process.service !== undefined) ended.push(process.service)
  })
  return ended
}

describe('restart', () => {
  it('of a job that has not ended yet is done when the new run has', async () => {
    await using sim = await simulate([], { job: x }, { programs: { job: exitsAfter(10_000) } })
    expect(sim.states).toEqual({ job: 'running' })
    sim.service('job').runs(exitsAfter(50))
    expect(await sim.finish(sim.system.restart({ names: ['job'] }))).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ job: 'completed' })
  })

  it('of a job that has not ended yet fails when the new run does', async () => {
    await using sim = await simulate([], { job: x }, { programs: { job: exitsAfter(10_000) } })
    sim.service('job').runs(exitsAfter(50, 3))
    const { problems } = await sim.finish(sim.system.restart({ names: ['job'] }))
    expect(problems[0]?.message).toBe('The deploy of `job` failed in step `start`: exit code 3.')
    expect(sim.states).toEqual({ job: 'failed' })
  })
})

describe('stop', () => {
  it('of several ends dependents first and warns of none among them', async () => {
    await using sim = await simulate([], shop)
    const ended = endsOf(sim)
    expect(await sim.finish(sim.system.stop(['db', 'api', 'web']))).toMatchObject({ ok: true, warnings: [] })
    expect(ended).toEqual(['web', 'api', 'db'])
  })

  it('returns when a later start has brought the service up again', async () => {
    await using sim = await simulate([], { api: x }, { programs: { api: stopsAfter(1_000) } })
    const stopping = sim.system.stop(['api'])
    await sim.clock.advance(100)
    const starting = sim.system.start({ names: ['api'] })
    expect(await sim.finish(starting)).toMatchObject({ ok: true })
    await sim.finish(stopping)
    expect(sim.states).toEqual({ api: 'running' })
    expect(sim.service('api').pids).toHaveLength(1)
  })

  it('of a service that has failed leaves it stopped, and a start of everything is then no failure', async () => {
    const services = { api: x, web: { ...x, depends_on: ['api'] } }
    await using sim = await simulate([], services, { programs: { api: exitsAfter(10, 1) } })
    expect(sim.service('api').state).toBe('failed')
    await sim.finish(sim.system.stop(['api']))
    expect([sim.service('api').state, sim.service('api').reason]).toEqual(['stopped', 'stopped by you'])
    expect(await sim.start()).toMatchObject({ ok: true })
  })
})

describe('shutdown', () => {
  it('ends everything, dependents first, branches side by side', async () => {
    await using sim = await simulate([], shop, { programs: { worker: stopsAfter(5_000), web: stopsAfter(3_000) } })
    const ended = endsOf(sim)
    const before = sim.world.elapsedMs()
    expect(await sim.finish(sim.system.shutdown({ why: 'enough' }))).toEqual({ ok: true, problems: [], warnings: [] })
    await sim.finish(sim.system.ended)
    expect(ended).toEqual(['web', 'api', 'db', 'worker'])
    expect(sim.world.elapsedMs() - before).toBe(5_000)
    expect(sim.events.at(-1)).toMatchObject({ type: 'system.stopped', data: { reason: 'enough' } })
  })
})

describe('a service that cannot be planned', () => {
  it('because its `skip` command cannot run is failed, and says why', async () => {
    const services = { seed: { ...x, skip: 'test -e done' } }
    await using sim = await simulate([], services, { idle: true, programs: { '': exitsAfter(0, 1) } })
    sim.world.failSpawns('ENOENT')
    expect(await sim.start()).toMatchObject({ ok: false })
    expect(sim.service('seed').state).toBe('failed')
    expect(sim.service('seed').reason).toBe('its `skip` command could not run: spawn /bin/sh ENOENT')
    expect(sim.service('seed').starts).toBe(0)
    expect(await sim.start(['seed'])).toMatchObject({ ok: true })
  })

  it('because a tap of `plan` throws is failed, and a person may try again', async () => {
    let isBroken = true
    const planner = definePlugin({
      name: 'planner',
      setup: ({ hooks }) =>
        hooks.plan.tap('planner', () => {
          if (isBroken) throw new Error('broken')
          return undefined
        }),
    })
    await using sim = await simulate([planner], { api: x })
    expect([sim.service('api').state, sim.service('api').reason]).toEqual([
      'failed',
      'Plugin `planner` failed in `plan` of `api`: broken',
    ])
    expect(sim.service('api').starts).toBe(0)
    isBroken = false
    expect(await sim.start(['api'])).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ api: 'running' })
  })
})

describe('run', () => {
  it.each([0, 5])('runs a one-shot once and says how it exited (%i)', async (code) => {
    await using sim = await simulate([], { job: x }, { programs: { job: exitsAfter(100, code) } })
    expect(await sim.finish(sim.system.run('job'))).toEqual({ code, signal: null })
    await sim.clock.advance(10_000)
    expect(sim.service('job').starts).toBe(2)
    expect(sim.service('job').state).toBe(code === 0 ? 'completed' : 'failed')
  })
})

describe('apply', () => {
  it('brings back a service that was removed and is still on its way out', async () => {
    await using sim = await simulate([], { api: x, other: x }, { programs: { api: ignoresSigterm() } })
    const removing = sim.system.apply(await sim.configOf({ other: x }))
    await sim.clock.advance(1_000)
    expect(sim.service('api').state).toBe('stopping')
    const restoring = sim.system.apply(await sim.configOf({ api: x, other: x }))
    await sim.finish(Promise.all([removing, restoring]))
    expect(sim.states).toEqual({ api: 'running', other: 'running' })
    expect(sim.service('api').pids).toHaveLength(1)
  })

  it.each([true, 'test -e done'])('starts a service that is skipped no longer (%j)', async (skip) => {
    const options = { programs: { '': exitsAfter(0, 0) } }
    await using sim = await simulate([], { seed: { ...x, skip } }, options)
    expect(sim.states).toEqual({ seed: 'skipped' })
    const next = await sim.configOf({ seed: x })
    expect(sim.system.plan(next)).toEqual([{ service: 'seed', action: 'start', because: ['`skip` changed'] }])
    await sim.finish(sim.system.apply(next))
    expect(sim.states).toEqual({ seed: 'running' })
  })
})

describe('the cause of a restart', () => {
  it('leads back over the decision to restart to the exit', async () => {
    await using sim = await simulate([retries(1_000)], { api: x })
    await sim.service('api').exit({ code: 1 })
    await sim.until(() => sim.service('api').state === 'running')
    const restarting = sim.events.find(({ type }) => type === 'service.restarting')
    const starting = sim.events.findLast(({ type }) => type === 'service.starting')
    const waiting = sim.events.find(({ seq }) => seq === starting?.cause)
    expect(waiting).toMatchObject({ type: 'service.backoff', cause: restarting?.seq })
  })
})
