/**
 * The supervisor dies at any moment, and the next `start` finds everything as it should be: no copy too many, nothing left
 * after a stop, databases that can be read, and every line of output once.
 *
 * Cron, when there is one, belongs to the moments below: a run that is under way.
 *
 * `SYSG_FAULT_ROUNDS` (20), `SYSG_FAULT_SEED` (the time); `SYSG_FAULT_ROUND` plays one round alone. `npm run test:fault` plays 200.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Chance } from './faults/random.ts'
import { FaultWorld, lasting } from './faults/world.ts'
import { resultOf, until, type Result } from './sysg.ts'

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)

const seed = number('SYSG_FAULT_SEED', Date.now() % 1_000_000)
const only = process.env['SYSG_FAULT_ROUND']
const rounds =
  only === undefined ? Array.from({ length: number('SYSG_FAULT_ROUNDS', 20) }, (_, at) => at) : [Number(only)]

/** What goes on when the supervisor is killed. Each resolves when it is time for that. */
const moments: Readonly<Record<string, (world: FaultWorld, chance: Chance) => Promise<Promise<Result>[]>>> = {
  async start(world, chance) {
    const start = resultOf(world.spawn(['start', '-d']))
    await until(
      () => world.supervisors().length,
      (count) => count > 0,
    )
    await pause(chance.below(900))
    return [start]
  },
  async steady(world, chance) {
    expect(await world.startAll()).toEqual([])
    await pause(chance.below(500))
    return []
  },
  async deploy(world, chance) {
    expect(await world.startAll()).toEqual([])
    world.version(2)
    const deploy = resultOf(world.spawn(chance.often(0.5) ? ['restart'] : ['start', '-d']))
    await pause(chance.below(1_500))
    return [deploy]
  },
  async stop(world, chance) {
    expect(await world.startAll()).toEqual([])
    const stop = resultOf(world.spawn(['stop']))
    await pause(200 + chance.below(500))
    return [stop]
  },
  async rotation(world) {
    expect(await world.startAll()).toEqual([])
    const before = world.rotations()
    await until(
      () => world.rotations(),
      (now) => now > before,
    )
    return []
  },
}

it.each(rounds)(`seed ${seed}, round %i`, async (round) => {
  await using world = new FaultWorld()
  const chance = new Chance(seed * 1_000 + round)
  const names = Object.keys(moments)
  const moment = names[round % names.length] ?? ''
  world.version(1)
  const commands = (await moments[moment]?.(world, chance)) ?? []
  const isHolderKilled = chance.often(0.15)
  await world.killSupervisor(isHolderKilled)
  let kills = 1
  for (; chance.often(0.4) && kills < 4; kills++) {
    await pause(chance.below(250))
    await world.killSupervisor()
  }
  // Whatever became of them, they end.
  await Promise.all(commands)

  expect(await world.startAll()).toEqual([])
  expect(await world.states()).toMatchObject({ setup: 'completed', db: 'running', api: 'running', worker: 'running' })
  expect(lasting.map((service) => world.copies(service).length)).toEqual([1, 1, 1])
  // What it forks looks like it until it is another program.
  await until(
    () => world.supervisors().length,
    (count) => count === 1,
  )
  expect(await world.run('stop')).toMatchObject({ code: 0 })
  expect(world.processes()).toEqual([])
  expect(world.tooMany).toBe('')
  expect(world.integrity()).toEqual(['ok', 'ok'])
  const { missing, wrong } = await world.badLines()
  expect(wrong).toEqual([])
  // What a program wrote last is lost if it ends while nobody at all has its pipe.
  expect(isHolderKilled ? missing.filter((text) => !text.startsWith('crashes')) : missing).toEqual([])
})
