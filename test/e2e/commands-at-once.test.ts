/** Four terminals at once: two restarts, a stop and a start. `SYSG_RACE_SEED=…` plays one again. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Chance } from './faults/random.ts'
import { FaultWorld, lasting } from './faults/world.ts'
import { resultOf, until, type Result } from './sysg.ts'

const given = process.env['SYSG_RACE_SEED']
const seeds = given === undefined ? [1, 2, 3, 4, 5, 6] : [Number(given)]

/** Each after a moment of its own. */
const atOnce = (world: FaultWorld, chance: Chance, commands: readonly (readonly string[])[]): Promise<Result[]> =>
  Promise.all(
    commands.map(async (command) => {
      await pause(chance.below(250))
      return resultOf(world.spawn(command))
    }),
  )

/** What a command may say when another one got its way. */
const isTruthful = ({ code, stderr }: Result): boolean =>
  code === 0 ||
  (code === 3 && stderr.includes('SYSG_NO_SUPERVISOR')) ||
  (code === 1 && /SYSG_(STOPPED_MEANWHILE|SHUTTING_DOWN|DEPLOY_SUPERSEDED|CONTROL_LOST)/.test(stderr))

const isOneOfEach = (world: FaultWorld): boolean => lasting.every((service) => world.copies(service).length === 1)

it.each(seeds)(
  'of the whole system end with all of it or nothing, and each says how it went (seed %i)',
  async (seed) => {
    await using world = new FaultWorld()
    const chance = new Chance(seed)
    world.version(1, { crashing: false })
    await world.sysg('start', '-d')
    const results = await atOnce(world, chance, [['restart'], ['restart'], ['stop'], ['start', '-d']])
    expect(results.filter((result) => !isTruthful(result))).toEqual([])
    const [, , stop, start] = results
    expect(stop).toMatchObject({ code: 0 })
    expect(world.tooMany).toBe('')
    const { code } = await world.run('status')
    if (code === 0) {
      expect(isOneOfEach(world)).toBe(true)
      expect(start).toMatchObject({ code: 0 })
    } else {
      expect(code).toBe(3)
      expect(world.processes()).toEqual([])
    }
  },
)

it.each(seeds)('of one service end as the last one wanted it (seed %i)', async (seed) => {
  await using world = new FaultWorld()
  const chance = new Chance(seed)
  world.version(1, { crashing: false })
  await world.sysg('start', '-d')
  const commands = [['restart'], ['restart', '-s', 'api'], ['stop', '-s', 'api'], ['start', '-s', 'api']]
  const results = await atOnce(world, chance, commands)
  expect(results.filter((result) => !isTruthful(result))).toEqual([])
  expect(world.tooMany).toBe('')
  const intents = (await world.sysg('events', '--json', '-s', 'api'))
    .split('\n')
    .filter((line) => line.includes('"service.intent"'))
    .map((line) => (JSON.parse(line) as { data: { intent: string } }).data.intent)
  expect(intents).not.toEqual([])
  const wanted = intents.at(-1) === 'up' ? 'running' : 'stopped'
  expect((await world.states())['api']).toBe(wanted)
  await until(
    () => world.copies('api').length,
    (count) => count === (wanted === 'running' ? 1 : 0),
  )
})
