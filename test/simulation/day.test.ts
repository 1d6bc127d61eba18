/** A day in virtual time: crashes, restarts, events and clients, with a wall clock that jumps. Nothing piles up. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { exitsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { control } from '@systemg/plugins/control'
import { restart } from '@systemg/plugins/restart'
import { store } from '@systemg/plugins/store'
import { expect, it } from 'vitest'
import { rpcClient } from '../../plugins/src/control/client.ts'

const hourMs = 3_600_000
const socket = '/run/control.sock'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const heapBytes = (): number => {
  collect()
  return process.memoryUsage().heapUsed
}

const services = {
  crashes: { command: 'x', restart_policy: 'always', backoff: '50s' },
  needs: { command: 'y', depends_on: ['crashes'] },
  calm: { command: 'z' },
} as const

const begin = () =>
  simulate([store, restart, { plugin: control, options: { socket } }], services, {
    programs: { crashes: exitsAfter(10_000, 1) },
  })

/** Asks for something that never ends, and goes. */
const vanish = async (sim: Simulation): Promise<void> => {
  const client = rpcClient(await sim.world.connect(socket), sim.world.host().clock)
  const asked = client.call('events.follow').catch(() => undefined)
  await sim.world.settle()
  client.close()
  await sim.finish(asked)
}

it('a day of crashes and clients leaves memory and timers as they are', async () => {
  await using sim = await begin()
  const heaps: number[] = []
  const timers: number[] = []
  for (let hour = 0; hour < 24; hour++) {
    for (let client = 0; client < 4; client++) await vanish(sim)
    await sim.clock.advance(hourMs)
    // The rig remembers every event; the system must not.
    sim.events.length = 0
    heaps.push(heapBytes())
    timers.push(sim.world.pendingTimers(sim.host))
  }
  const shown = heaps.map((bytes, hour) => `${hour + 1} h ${(bytes / 1024 / 1024).toFixed(1)} MiB`).join(', ')
  expect(sim.service('crashes').starts).toBeGreaterThan(1_000)
  expect(Math.max(...heaps.slice(16)) - Math.max(...heaps.slice(8, 16)), shown).toBeLessThan(3 * 1024 * 1024)
  expect(Math.max(...timers)).toBeLessThan(10)
})

it('a wall clock that jumps back and forth, as at the change of summer time or by hand, changes nothing', async () => {
  const startsOf = async (jumps: readonly number[]): Promise<number> => {
    await using sim = await begin()
    for (const ms of jumps) {
      sim.world.jump(ms)
      await sim.clock.advance(hourMs)
    }
    expect(sim.states).toMatchObject({ calm: 'running' })
    return sim.service('crashes').starts
  }
  const still = await startsOf(Array.from({ length: 12 }, () => 0))
  const wild = [1, -1, 24, -48, 0.5, -0.01, 1, -1, 8760, -8760, 0.25, -0.25].map((hours) => hours * hourMs)
  expect(await startsOf(wild)).toBe(still)
})
