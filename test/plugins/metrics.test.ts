import type { TreeRef } from '@systemg/core'
import { metrics, restart, store } from '@systemg/plugins'
import type { Program } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'

const plugins = [store, restart, metrics]

/** Uses this share of a core, in percent, and this much memory. */
const uses =
  (percent: number, memoryBytes = 1024 * 1024): Program =>
  (self) => {
    let cpuMs = 0
    self.use({ memoryBytes, cpuMs })
    const burn = () => {
      cpuMs += percent
      self.use({ cpuMs })
      self.after(100, burn)
    }
    self.after(100, burn)
  }

const counting = (sim: Simulation) => {
  const count = { looks: 0 }
  const processes = { ...sim.host.processes }
  Object.assign(sim.host.processes, {
    usage: (trees: readonly TreeRef[]) => {
      count.looks += 1
      return processes.usage(trees)
    },
  })
  return count
}

/** Programs here use their time in pieces. */
const about = (percent: number): unknown => expect.closeTo(percent, -1)

const look = (sim: Simulation) => sim.finish(sim.system.look())

describe('CPU and memory in `status`', () => {
  it('are those of the whole tree, of every instance and of the service', async () => {
    const tree: Program = (self) => {
      uses(30, 5_000_000)(self)
      self.fork(uses(20, 3_000_000), { setsid: true, reparent: true })
    }
    await using sim = await simulate(plugins, { api: { command: 'x', replicas: 2 } }, { programs: { api: tree } })
    await sim.clock.advance(2_000)
    const [api] = await look(sim)
    expect(api).toMatchObject({ cpu_percent: about(100), memory_bytes: 16_000_000 })
    expect(api?.instances).toMatchObject([
      { cpu_percent: about(50), memory_bytes: 8_000_000 },
      { cpu_percent: about(50), memory_bytes: 8_000_000 },
    ])
  })

  it('are of now, whenever somebody looks: nobody waits for an interval', async () => {
    const grows: Program = (self) => {
      uses(10)(self)
      self.after(99_000, () => self.use({ memoryBytes: 7 }))
    }
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { programs: { api: grows } })
    await sim.clock.advance(100_000)
    expect((await look(sim))[0]).toMatchObject({ memory_bytes: 7, cpu_percent: about(10) })
  })

  it('are null where nothing runs', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.finish(sim.system.stop(['api']))
    expect((await look(sim))[0]).toMatchObject({ cpu_percent: null, memory_bytes: null })
  })

  it('go on under the next supervisor, which does not count what was used before it came', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { programs: { api: uses(25) } })
    await sim.clock.advance(600_000)
    sim.crash()
    await sim.clock.advance(10_000)
    await sim.boot()
    await sim.start()
    await look(sim)
    await sim.clock.advance(1_000)
    expect((await look(sim))[0]).toMatchObject({ cpu_percent: 25 })
  })
})

describe('the machine is looked at', () => {
  it('every 30 seconds when nobody looks, and every `interval` for a minute after somebody did', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { system: { metrics: { interval: '2s' } } })
    await sim.clock.advance(120_000)
    const count = counting(sim)
    await sim.clock.advance(300_000)
    expect(count.looks).toBe(10)
    count.looks = 0
    await look(sim)
    await sim.clock.advance(58_000)
    expect(count.looks).toBe(30)
    await sim.clock.advance(60_000)
    count.looks = 0
    await sim.clock.advance(300_000)
    expect(count.looks).toBe(10)
  })

  it('once a second at the most, however many ask', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.clock.advance(45_000)
    const count = counting(sim)
    await sim.finish(Promise.all([sim.system.look(), sim.system.look(), sim.system.look()]))
    await look(sim)
    expect(count.looks).toBe(1)
    await sim.clock.advance(1_000)
    await look(sim)
    expect(count.looks).toBe(2)
  })

  it('never while nothing runs', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.finish(sim.system.stop(['api']))
    const count = counting(sim)
    await sim.clock.advance(3_600_000)
    expect(count.looks).toBe(0)
  })

  it('as often as another config says', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x' } }, { metrics: { interval: '1m' } })))
    await sim.clock.advance(120_000)
    const count = counting(sim)
    await sim.clock.advance(300_000)
    expect(count.looks).toBe(5)
  })
})
