/** How a run ended while no supervisor ran, and what becomes of it. */
import { exitsAfter } from '@systemg/core/simulated'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { remembers } from '../simulation/plugins.ts'

const x = { command: 'x' }
const needsJob = { ...x, depends_on: { job: { condition: 'completed' as const } } }

describe('a one-shot that others wait for, ending while no supervisor runs', () => {
  it.each([
    { code: 0, states: { job: 'completed', api: 'running' } },
    { code: 3, states: { job: 'failed', api: 'blocked' } },
  ])('with $code is known to have: $states', async ({ code, states }) => {
    const programs = { job: exitsAfter(5_000, code) }
    await using sim = await simulate([remembers()], { job: x, api: needsJob }, { programs, idle: true })
    void sim.system.start()
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.clock.advance(10_000)
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.states).toEqual(states)
    expect(sim.service('job').starts).toBe(1)
    expect(sim.service('job').view.exit).toMatchObject({ code, signal: null })
  })

  it('is known also when the next supervisor has seen it alive', async () => {
    const programs = { job: exitsAfter(5_000) }
    await using sim = await simulate([remembers()], { job: x, api: needsJob }, { programs, idle: true })
    void sim.system.start()
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.states).toEqual({ job: 'completed', api: 'running' })
  })
})

it('any other one ended in a way that nobody knows, which counts as a crash', async () => {
  await using sim = await simulate([remembers()], { job: x }, { programs: { job: exitsAfter(5_000) } })
  sim.crash()
  await sim.clock.advance(10_000)
  await sim.boot()
  await sim.finish(sim.system.resume())
  expect(sim.service('job').view).toMatchObject({
    state: 'failed',
    reason: 'ended while no supervisor ran; exit status unknown',
    exit: { code: null, signal: null, unknown: true },
  })
})

it('one that ends under the next supervisor is said to have ended now, however that was', async () => {
  await using sim = await simulate([remembers()], { job: x }, { idle: true })
  await sim.start()
  const [pid = 0] = sim.service('job').pids
  sim.crash()
  await sim.boot()
  await sim.finish(sim.system.resume())
  sim.world.processes.kill(pid, 'SIGKILL')
  await sim.until(() => sim.service('job').state === 'failed')
  expect(sim.service('job').view).toMatchObject({
    reason: 'exit status unknown: an earlier supervisor had started it',
    exit: { code: null, signal: null, unknown: true },
  })
})

it('what could never be started still says why under the next supervisor, and since when', async () => {
  const failure = { errno: 'ENOENT', message: 'no such file' } as const
  await using sim = await simulate([remembers()], { api: x }, { idle: true })
  sim.world.faults.spawn = () => failure
  await sim.start()
  const before = sim.service('api').view
  expect(before).toMatchObject({ state: 'failed', exit: null })
  await sim.clock.advance(5_000)
  sim.crash()
  await sim.boot()
  await sim.finish(sim.system.resume())
  expect(sim.service('api').view).toEqual({ ...before, depends_on: [] })
})
