/** Random commands, crashes and failures around a blue-green service: in the end one instance serves, where users are led. */
import { exitsAfter } from '@systemg/core/simulated'
import type { Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { blueGreen, fails, hangs, siteOf, siteSimulation, takes, type Site } from './deploys.ts'

const runs = Number(process.env['SYSG_SIM_RUNS'] ?? 300)

const acts = {
  restart: (sim) => void sim.system.restart({ names: ['api'] }).catch(() => undefined),
  change: async (sim, _, number) => {
    const config = await sim.configOf({ api: { ...servicesOf(), command: `server-${number}` } })
    void sim.system.apply(config).catch(() => undefined)
  },
  stop: (sim) => void sim.system.stop(['api']).catch(() => undefined),
  start: (sim) => void sim.system.start({ names: ['api'] }).catch(() => undefined),
  crash: (sim) => {
    const [one] = sim.service('api').view.instances.filter(({ pid, role }) => pid !== null && role === 'active')
    if (one?.pid !== null && one !== undefined && livesIn(sim, one.pid)) sim.world.processes.exit(one.pid, 1)
  },
  crashCandidate: (sim) => {
    const [one] = sim.service('api').view.instances.filter(({ role }) => role === 'candidate')
    if (one?.pid !== null && one !== undefined && livesIn(sim, one.pid)) sim.world.processes.exit(one.pid, 1)
  },
  kill: async (sim) => {
    sim.crash()
    await sim.boot()
    void sim.system.start().catch(() => undefined)
  },
  failBuild: (_, { does }) => void does.set('build', fails(1)),
  hangBuild: (_, { does }) => void does.set('build', hangs()),
  failVerify: (_, { does }) => void does.set('verify', fails(1)),
  slowVerify: (_, { does }) => void does.set('verify', takes(3_000)),
  badSlot: (_, { programs }, number) => void programs.set(number % 2 === 0 ? '8000' : '8001', exitsAfter(700, 2)),
  mend: (_, { does, programs }) => {
    does.delete('build')
    does.delete('verify')
    programs.clear()
  },
} satisfies Record<string, (sim: Simulation, site: Site, number: number) => void | Promise<void>>

const livesIn = (sim: Simulation, pid: number) => sim.world.processes.list('api').some((one) => one.pid === pid)

const servicesOf = () => ({ ...blueGreen, restart_policy: 'always' as const, backoff: '1s' })

const play = async (
  actions: readonly { readonly act: keyof typeof acts; readonly thenMs: number }[],
): Promise<void> => {
  const site = siteOf()
  site.does.set('switch', (self) => {
    const [, slot] = (self.argv[2] ?? '').split(' ')
    self.after(100, () => {
      site.proxy = slot
      self.after(100, () => self.exit(0))
    })
  })
  await using sim = await siteSimulation(site, { api: servicesOf() }, { plugins: [restart] })
  for (const [number, { act, thenMs }] of actions.entries()) {
    await acts[act](sim, site, number)
    await sim.clock.advance(thenMs)
  }
  acts.mend(sim, site)
  await sim.clock.advance(600_000)
  await sim.start(['api'])
  await sim.clock.advance(120_000)
  const { instances, state } = sim.service('api').view
  expect(state).toBe('running')
  expect(instances.map(({ role }) => role)).toEqual(['active'])
  expect(sim.service('api').pids).toEqual([instances[0]?.pid])
  expect(site.proxy).toBe(instances[0]?.slot)
  expect(sim.host.store.table('slots').get('api')).toEqual({ active: instances[0]?.slot, switching: false })
  expect((await sim.finish(sim.system.restart({ names: ['api'] }))).problems).toEqual([])
}

it(`ends well in ${runs} random deploys`, { timeout: 60_000 + runs * 30 }, async () => {
  const action = fc.record({
    act: fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[])),
    thenMs: fc.constantFrom(0, 1, 90, 240, 300, 1_000, 4_000, 20_000),
  })
  await fc.assert(fc.asyncProperty(fc.array(action, { maxLength: 12 }), play), { numRuns: runs })
})
