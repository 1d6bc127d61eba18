/** What a plugin does while a system lives, and that nothing of it is left afterwards. */
import { hookPolicies } from '../../hooks.ts'
import type { InstanceRecord } from '../../journal.ts'
import { definePlugin, type Plugin } from '../../plugin.ts'
import type { PluginCheck, PluginUnderTest } from '../plugin-contract.ts'
import { Simulation } from '../rig.ts'
import { promised, usesOf } from './under-test.ts'

export const lifeChecks: readonly PluginCheck[] = [
  [
    'does nothing before the system boots',
    async (plugin, under) => {
      const sim = await create(plugin, under)
      await sim.clock.settle()
      promised(sim.world.pendingTimers() === 0, '`setup` sets a timer: do it in `hooks.boot`')
      promised(sim.world.processes.list().length === 0, '`setup` starts a process: do it in `hooks.boot`')
      sim.crash()
    },
  ],
  [
    'comes through start, crash, restart, another config and stop, without a failure and with nothing left',
    async (plugin, under) => {
      await using sim = await create(plugin, under)
      await live(sim, under)
      blameless(sim, plugin)
    },
  ],
  [
    'leaves alone what does not use its keys',
    async (plugin, under) => {
      await using sim = await create(plugin, under)
      await begin(sim)
      promised(sim.service('plain').state === 'running', `a service without its keys is ${describe(sim, 'plain')}`)
    },
  ],
  [
    'lets go at once when everything ends while it starts',
    async (plugin, under) => {
      await using sim = await create(plugin, under)
      await sim.finish(sim.system.boot())
      const starting = sim.system.start()
      await sim.finish(sim.system.shutdown({ now: true }))
      await sim.finish(starting)
      blameless(sim, plugin)
    },
  ],
  [
    'survives the death of its supervisor',
    async (plugin, under) => {
      await using sim = await create(plugin, under, [memory()])
      await begin(sim)
      sim.crash()
      await sim.boot()
      await sim.start()
      blameless(sim, plugin)
    },
  ],
  [
    'does its part while other plugins throw and reject',
    async (plugin, under) => {
      await using sim = await create(plugin, under, [saboteur('fails-first', -10_000), saboteur('fails-last', 10_000)])
      await live(sim, under)
      blameless(sim, plugin)
    },
  ],
  [
    'takes time and chance from the host alone: the same seed is the same story',
    async (plugin, under) => promised((await storyOf(plugin, under)) === (await storyOf(plugin, under)), sameStory),
  ],
  [
    'serves two systems at once',
    async (plugin, under) => {
      const alone = await storyOf(plugin, under)
      await using other = await create(plugin, under)
      await begin(other)
      promised((await storyOf(plugin, under)) === alone, 'what it keeps outside of `setup` is shared by systems')
    },
  ],
]

const sameStory =
  'two runs differ: use `host.clock`, `host.random` and `host.token`, and keep nothing outside of `setup`'

const create = async (plugin: Plugin, under: PluginUnderTest, others: readonly Plugin[] = []): Promise<Simulation> =>
  Simulation.create(
    [...others.map((other) => ({ plugin: other })), ...(await usesOf(plugin, under))],
    { plain: { command: 'x' }, own: { command: 'x', ...under.service } },
    {
      ...(under.system === undefined ? {} : { system: under.system }),
      ...(under.program === undefined ? {} : { programs: { own: under.program } }),
    },
  )

const begin = async (sim: Simulation): Promise<void> => {
  await sim.finish(sim.system.boot())
  await sim.start()
}

/** A life with everything in it. */
const live = async (sim: Simulation, under: PluginUnderTest): Promise<void> => {
  await begin(sim)
  await sim.clock.advance(10_000)
  await crash(sim, 'own')
  await crash(sim, 'plain')
  await sim.clock.advance(90_000)
  await sim.finish(sim.system.start())
  await sim.finish(sim.system.restart())
  const own = { command: 'y', ...under.service }
  await sim.finish(sim.system.apply(await sim.configOf({ own, more: { command: 'x' } })))
  await sim.finish(sim.system.stop(['own']))
  await sim.finish(sim.system.start({ names: ['own'] }))
  await sim.finish(sim.system.shutdown())
}

const crash = async (sim: Simulation, name: string): Promise<void> => {
  const isUp = sim.service(name).view.instances.some(({ role, pid }) => role === 'active' && pid !== null)
  if (isUp) await sim.service(name).exit({ code: 1 })
}

const storyOf = async (plugin: Plugin, under: PluginUnderTest): Promise<string> => {
  await using sim = await create(plugin, under)
  await live(sim, under)
  return JSON.stringify(sim.events)
}

/** Nothing that it tapped has failed. */
const blameless = (sim: Simulation, plugin: Plugin): void => {
  const failure = sim.events.find(
    ({ type, data }) => type === 'plugin.error' && (data as { plugin?: unknown }).plugin === plugin.name,
  )
  promised(failure === undefined, (failure?.data as { message?: string } | undefined)?.message ?? '')
}

const describe = (sim: Simulation, name: string): string => {
  const { state, reason } = sim.service(name)
  return reason === null ? state : `${state}: ${reason}`
}

/** Remembers over the death of a supervisor what runs, as a store would. */
const memory = (): Plugin => {
  const instances = new Map<string, InstanceRecord>()
  let lastSeq = 0
  return definePlugin({
    name: 'memory',
    setup: ({ hooks }) => {
      hooks.journal.tap('memory', (entry) => {
        if (entry.kind !== 'instances') return
        for (const record of entry.changed) instances.set(record.id, record)
        for (const id of entry.ended) instances.delete(id)
      })
      hooks.event.tap('memory', ({ seq }) => void (lastSeq = seq))
      hooks.boot.tap('memory', (state) => ({ ...state, lastSeq, instances: [...instances.values()] }))
    },
  })
}

interface Tappable {
  tap(how: { readonly name: string; readonly stage: number }, fails: () => never): void
}

/** Fails in every hook in which a failure is reported and the operation goes on. */
const saboteur = (name: string, stage: number): Plugin =>
  definePlugin({
    name,
    setup: ({ hooks }) => {
      for (const [hook, { onError }] of Object.entries(hookPolicies)) {
        if (onError !== 'report') continue
        // Each hook has types of its own; a tap that only throws fits all.
        const target = hooks[hook as keyof typeof hooks] as unknown as Tappable
        target.tap({ name, stage }, () => {
          throw new Error('sabotage')
        })
      }
    },
  })
