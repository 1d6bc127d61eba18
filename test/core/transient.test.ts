/** Programs that a plugin starts beside the services of the config. */
import { definePlugin, type InstanceInfo, type SystemApi } from '@systemg/core'
import { exitsAfter, stopsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { remembers } from '../simulation/plugins.ts'

/** Has a key that is passed on, and one that is not. */
const keys = definePlugin({
  name: 'keys',
  service: {
    colour: z.string().default('grey').describe('Passed on.'),
    size: z.string().default('small').describe('Not passed on.'),
  },
  inherited: ['colour'],
})

const services = { api: { command: 'x', stop_timeout: '3s', colour: 'red', size: 'large' } as never }

const begin = (
  sim: Simulation,
  more: Partial<Parameters<SystemApi['startTransient']>[0]> = {},
): Promise<InstanceInfo> => {
  const host = sim.system.config.services['api']
  if (host === undefined) throw new Error('no api')
  return sim.finish(
    sim.system.startTransient({ name: 'job', host, argv: ['work', 'a b'], working_dir: '/srv', ...more }),
  )
}

describe('a transient', () => {
  it('has of its host how it is stopped and the keys that are passed on, and every other default', async () => {
    await using sim = await simulate([remembers(), keys], services)
    const { service, id, pid, transient } = await begin(sim)
    expect(service).toMatchObject({
      ...{ name: 'api:job', argv: ['work', 'a b'], working_dir: '/srv', stop_timeout: 3_000, replicas: 1 },
      ...{ colour: 'red', size: 'small', command: "work 'a b'" },
    })
    expect([id, transient]).toEqual(['api:job-1', { name: 'job' }])
    expect(pid).toBeGreaterThan(0)
    await sim.clock.settle()
    expect(sim.service('api:job').view).toMatchObject({ state: 'running', ad_hoc: true, transient: true })
  })

  it('is forgotten when it has ended, well or badly, and its name is free', async () => {
    await using sim = await simulate([remembers(), keys], services)
    for (const code of [0, 3]) {
      sim.service('api:job').runs(exitsAfter(1_000, code))
      await begin(sim)
      await sim.clock.advance(1_100)
      expect(sim.states).toEqual({ api: 'running' })
    }
    expect(sim.world.spawnCount('api:job')).toBe(2)
    expect(
      sim.host.store
        .table('instances')
        .entries()
        .map(([key]) => key),
    ).toEqual(['api-1'])
    expect(sim.host.store.table('ad_hoc').entries()).toEqual([])
    expect(sim.host.store.table('outcomes').entries()).toEqual([])
  })

  it('gets a number when something living is called that', async () => {
    await using sim = await simulate([remembers(), keys], services)
    const names = [await begin(sim), await begin(sim), await begin(sim)].map(({ service }) => service.name)
    expect(names).toEqual(['api:job', 'api:job~2', 'api:job~3'])
  })

  it('that belongs to an instance is shown when it is asked for by name alone', async () => {
    await using sim = await simulate([remembers(), keys], services)
    const { id } = await begin(sim, { owner: 'api-1' })
    expect(Object.keys(sim.states)).toEqual(['api'])
    expect(sim.system.view(['api:job'])).toHaveLength(1)
    sim.system.giveTo(id, undefined)
    expect(Object.keys(sim.states)).toEqual(['api', 'api:job'])
  })

  it('cannot belong to what has ended', async () => {
    await using sim = await simulate([remembers(), keys], services)
    await expect(begin(sim, { owner: 'api-7' })).rejects.toMatchObject({ code: 'SYSG_INSTANCE_GONE' })
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('has ids that no other ever has, whoever supervises', async () => {
    await using sim = await simulate([remembers(), keys], services)
    const ids: string[] = []
    for (let life = 0; life < 3; life += 1) {
      sim.service('api:job').runs(exitsAfter(100))
      ids.push((await begin(sim)).id)
      await sim.clock.advance(200)
      sim.crash()
      await sim.boot()
      await sim.finish(sim.system.resume())
    }
    expect(new Set(ids).size).toBe(3)
  })
})

describe('an instance to which something belongs', () => {
  const holds = (works: Promise<unknown>[]) =>
    definePlugin({
      name: 'holds',
      setup: ({ hooks }) =>
        hooks.ending.tap('holds', (before, { id }) => (id === 'api-1' ? [...before, ...works] : before)),
    })

  it.each(['exits', 'is stopped', 'leaves processes behind'])(
    'that %s has not ended before that is over',
    async (how) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      await using sim = await simulate([remembers(), keys, holds([promise])], services)
      if (how === 'leaves processes behind') sim.service('api').runs((self) => void self.fork(stopsAfter(500)))
      if (how === 'is stopped') void sim.system.stop(['api'])
      else await sim.service('api').exit({ code: 1 })
      await sim.clock.advance(60_000)
      expect(sim.service('api').state).toBe('stopping')
      resolve()
      await sim.clock.settle()
      expect(sim.service('api').state).toBe(how === 'is stopped' ? 'stopped' : 'failed')
    },
  )
})
