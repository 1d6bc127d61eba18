/** Everything is asked to end: what was asked for before says so, and a supervisor that dies meanwhile does not undo it. */
import { exitsAfter, ignoresSigterm } from '@systemg/core/simulated'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { remembers } from '../simulation/plugins.ts'

const x = { command: 'x' }
const slow = { api: ignoresSigterm() }

describe('the end of everything', () => {
  it('is told to whoever waits for a start, a restart or a config', async () => {
    await using sim = await simulate([], { api: x }, { idle: true })
    const isTold = (asked: Promise<unknown>) =>
      expect(asked).resolves.toMatchObject({ ok: false, problems: [{ code: 'SYSG_STOPPED_MEANWHILE' }] })
    const starting = isTold(sim.system.start())
    await sim.clock.advance(10)
    const others = [
      isTold(sim.system.settled()),
      isTold(sim.system.restart()),
      isTold(sim.system.apply(sim.system.config)),
    ]
    await sim.clock.settle()
    await sim.finish(sim.system.shutdown())
    await Promise.all([starting, ...others])
  })

  it('goes on under a supervisor that comes back by itself', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: slow })
    void sim.system.shutdown()
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.boot()
    expect(await sim.finish(sim.system.resume())).toMatchObject({ ok: true })
    expect(sim.world.processes.list()).toEqual([])
    expect(sim.service('api').starts).toBe(1)
  })

  it('is forgotten once it has come, and when a person starts the system', async () => {
    await using sim = await simulate([remembers()], { api: x }, { programs: slow })
    await sim.finish(sim.system.shutdown())
    await sim.boot()
    expect(await sim.finish(sim.system.resume())).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ api: 'running' })
    void sim.system.shutdown()
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.boot()
    await sim.start()
    sim.crash()
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.states).toEqual({ api: 'running' })
    expect(sim.system.isStopping).toBe(false)
  })

  it('does not spoil the outcome of what had been done by then', async () => {
    await using sim = await simulate([], { job: x }, { programs: { job: exitsAfter(10) }, idle: true })
    const outcome = await sim.start()
    await sim.finish(sim.system.shutdown())
    expect(outcome).toMatchObject({ ok: true })
  })
})
