/** Plugins in a system: their setup, what they get, their failures, and what they release. */
import { definePlugin, SysgError, System, type Plugin, type PluginApi } from '@systemg/core'
import { createWorld } from '@systemg/core/simulated'
import { simulate, Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const x = { command: 'x' }

describe('setup', () => {
  it('happens once per plugin, in their order, each with its own name, options and registries', async () => {
    const calls: string[] = []
    const noting = (name: string, given: Partial<Plugin> = {}) =>
      definePlugin({
        name,
        setup: (api) => {
          calls.push(`${api.name} ${JSON.stringify(api.options)}`)
          api.registerMethod(`${name}.ask`, () => name)
        },
        ...given,
      })
    await using sim = await simulate([{ plugin: noting('b'), options: { a: 1 } }, noting('a', { before: ['b'] })], {
      api: x,
    })
    expect(calls).toEqual(['a undefined', 'b {"a":1}'])
    expect(sim.system.registries.methods.list().map(({ name, plugin }) => [name, plugin])).toEqual([
      ['a.ask', 'a'],
      ['b.ask', 'b'],
    ])
  })

  it('that throws names the plugin, and nothing comes up', async () => {
    const broken = definePlugin({
      name: 'broken',
      setup: () => {
        throw new TypeError('options.url is missing')
      },
    })
    await expect(Simulation.create([broken], { api: x })).rejects.toMatchObject({
      code: 'SYSG_PLUGIN_FAILED',
      message: 'Plugin `broken` failed in `setup`: options.url is missing.',
      cause: expect.any(TypeError) as TypeError,
    })
  })

  it('that throws an error with a code keeps it', async () => {
    const error = SysgError.of('SYSG_LICENSE_MISSING', { message: 'There is no license.' })
    const picky = definePlugin({
      name: 'picky',
      setup: () => {
        throw error
      },
    })
    await expect(Simulation.create([picky], { api: x })).rejects.toBe(error)
  })

  it('of two plugins that register one name is refused', async () => {
    const claims = (name: string) => definePlugin({ name, setup: (api) => api.registerMethod('ask', () => name) })
    await expect(Simulation.create([claims('a'), claims('b')], { api: x })).rejects.toMatchObject({
      code: 'SYSG_REGISTRY_TAKEN',
      message: 'Plugins `a` and `b` both register the control method `ask`.',
    })
  })

  it('registers the probes and strategies that it declares, no other and none less', async () => {
    const probe = async () => undefined
    const secret = definePlugin({ name: 'secret', setup: (api) => api.registerProbe('redis', probe) })
    await expect(Simulation.create([secret], { api: x })).rejects.toMatchObject({
      code: 'SYSG_PLUGIN_UNDECLARED',
      message: 'Plugin `secret` registers `redis`, which its `probes` does not declare.',
    })
    const lazy = definePlugin({ name: 'lazy', strategies: { canary: z.strictObject({}) } })
    await expect(Simulation.create([lazy], { api: x })).rejects.toMatchObject({
      code: 'SYSG_PLUGIN_UNREGISTERED',
      message: 'Plugin `lazy` declares `canary` in `strategies`, but its `setup` does not register it.',
    })
  })

  it('may be left out: a plugin can be keys alone', async () => {
    const keys = definePlugin({ name: 'owners', service: { owner: z.string().default('nobody') } })
    await using sim = await simulate([keys], { api: x, db: { ...x, owner: 'ops' } as typeof x })
    const owners = Object.values(sim.system.config.services).map((service) => (service as { owner?: unknown }).owner)
    expect(owners).toEqual(['nobody', 'ops'])
  })
})

describe('a plugin that fails while the system runs', () => {
  const failing = (name: string, tap: (api: PluginApi) => void) => definePlugin({ name, setup: tap })
  const broken = () => {
    throw new Error('broken')
  }

  it('in `event` harms nobody, and is in the trace alone', async () => {
    await using sim = await simulate([failing('deaf', ({ hooks }) => hooks.event.tap('deaf', broken))], {
      ...{ db: x, api: { ...x, depends_on: ['db'] } },
    })
    expect(sim.states).toEqual({ db: 'running', api: 'running' })
    expect(sim.eventTypes()).not.toContain('plugin.error')
    expect(sim.world.traceLines.filter((line) => line.includes('Plugin `deaf` failed in `event`'))).toHaveLength(
      sim.events.length,
    )
  })

  it.each(['started', 'ready', 'stopped', 'journal'] as const)(
    'in `%s` is told by an event, and nothing else changes',
    async (hook) => {
      await using sim = await simulate([failing('odd', ({ hooks }) => hooks[hook].tap('odd', broken))], { api: x })
      expect(sim.states).toEqual({ api: 'running' })
      await sim.finish(sim.system.stop(['api']))
      expect(sim.states).toEqual({ api: 'stopped' })
      const told = sim.events.find(({ type }) => type === 'plugin.error')
      expect(told?.data).toMatchObject({ plugin: 'odd', hook })
    },
  )

  it.each(['prepare', 'beforeStart', 'launch'] as const)(
    'in `%s` fails the start of that service alone',
    async (hook) => {
      const refusesApi = failing('picky', ({ hooks }) => {
        const refuse = (service: { name: string }) => {
          if (service.name === 'api') broken()
        }
        hooks.prepare.tap('picky', (spec, { service }) => {
          if (hook === 'prepare') refuse(service)
          return spec
        })
        hooks.beforeStart.tap('picky', ({ service }) => (hook === 'beforeStart' ? refuse(service) : undefined))
        hooks.launch.tap('picky', (_spec, { service }) => {
          if (hook === 'launch') refuse(service)
          return undefined
        })
      })
      await using sim = await simulate([refusesApi], { api: x, db: x }, { idle: true })
      const outcome = await sim.start()
      expect(sim.states).toEqual({ api: 'failed', db: 'running' })
      expect(sim.service('api').starts).toBe(0)
      expect(outcome.ok).toBe(false)
      expect(outcome.problems).toHaveLength(1)
      expect(outcome.problems[0]?.message).toContain(`Plugin \`picky\` failed in \`${hook}\` of \`api\`: broken`)
    },
  )

  it('by never answering fails the start after a minute, and the service may be stopped before that', async () => {
    const hangs = failing('hangs', ({ hooks }) => hooks.prepare.tapPromise('hangs', () => new Promise(() => undefined)))
    await using sim = await simulate([hangs], { api: x }, { idle: true })
    const outcome = await sim.start()
    expect(sim.world.elapsedMs()).toBe(60_000)
    expect(outcome.problems[0]?.message).toContain('did not answer `prepare` of `api` within 60000 ms')
    const again = sim.system.start({ names: ['api'] })
    await sim.clock.advance(10)
    await sim.finish(sim.system.stop(['api']))
    expect(sim.world.elapsedMs()).toBeLessThan(61_000)
    await sim.finish(again)
  })

  it('in `beforeStop` does not hold up the stop, even by never answering', async () => {
    const clings = failing('clings', ({ hooks }) =>
      hooks.beforeStop.tapPromise('clings', () => new Promise(() => undefined)),
    )
    await using sim = await simulate([clings], { api: x })
    const before = sim.world.elapsedMs()
    expect(await sim.finish(sim.system.stop(['api']))).toMatchObject({ ok: true })
    expect(sim.world.elapsedMs() - before).toBe(10_000)
    expect(sim.events.find(({ type }) => type === 'plugin.error')?.data).toMatchObject({
      plugin: 'clings',
      hook: 'beforeStop',
    })
  })

  it('in `reload` or `shutdown` is told, and the operation goes on', async () => {
    const clumsy = failing('clumsy', ({ hooks }) => {
      hooks.reload.tap('clumsy', broken)
      hooks.shutdown.tap('clumsy', broken)
    })
    await using sim = await simulate([clumsy], { api: x })
    const next = await sim.configOf({ api: x, db: x })
    expect(await sim.finish(sim.system.apply(next))).toMatchObject({ ok: true })
    expect(await sim.finish(sim.system.shutdown())).toMatchObject({ ok: true })
    await sim.finish(sim.system.ended)
    const hooks = sim.events.filter(({ type }) => type === 'plugin.error').map(({ data }) => data['hook'])
    expect(hooks).toEqual(['reload', 'shutdown'])
  })

  it('in `boot` keeps the system from coming up: nothing was started, everything asked for says why', async () => {
    const lost = failing('lost', (api) => {
      api.onDispose(() => void released.push('lost'))
      api.hooks.boot.tap('lost', broken)
    })
    const released: string[] = []
    const sim = await Simulation.create([lost], { api: x })
    const why = { code: 'SYSG_PLUGIN_FAILED', message: 'Plugin `lost` failed in `boot`: broken.' }
    await expect(sim.finish(sim.system.boot())).rejects.toMatchObject(why)
    await expect(sim.finish(sim.system.start())).rejects.toMatchObject(why)
    await expect(sim.finish(sim.system.settled())).rejects.toMatchObject(why)
    expect(sim.world.processes.list()).toEqual([])
    expect(sim.eventTypes()).not.toContain('system.started')
    await sim[Symbol.asyncDispose]()
    expect(released).toEqual(['lost'])
  })
})

describe('what a plugin opened', () => {
  it('is released at the end, last opened first, whatever one of them throws', async () => {
    const released: string[] = []
    const opens = (name: string, more: () => void = () => undefined) =>
      definePlugin({
        name,
        setup: (api) => {
          api.onDispose(async () => {
            released.push(`${name} 1`)
            more()
          })
          api.onDispose(() => void released.push(`${name} 2`))
        },
      })
    const throws = () => {
      throw new Error('already closed')
    }
    await using sim = await simulate([opens('a'), opens('b', throws)], { api: x })
    await sim.finish(sim.system.shutdown())
    await sim.finish(sim.system.ended)
    expect(released).toEqual(['b 2', 'b 1', 'a 2', 'a 1'])
    expect(sim.world.traceLines.join('\n')).toContain('could not release what it opened: already closed')
  })
})

it('a system may be made without a plugin', async () => {
  const world = createWorld()
  const config = await simulate([], { api: x }).then((sim) => sim.system.config)
  const system = new System({ config, host: world.host(), plugins: [] })
  const booting = system.boot()
  await world.settle()
  await booting
  const starting = system.start()
  await world.advance(1_000)
  expect(await starting).toEqual({ ok: true, problems: [], warnings: [] })
})
