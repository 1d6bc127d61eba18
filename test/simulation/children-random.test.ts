/** Random lives of programs that start children, under random misfortune: nobody is lost, and nobody outlives the policy. */
import { pastOf, pastViews, type ServiceView } from '@systemg/core'
import { children, restart, store } from '@systemg/plugins'
import { exitsAfter, ignoresSigterm, stopsAfter, type Program } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import type { ChildView } from '@systemg/plugins/children'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ask } from './spawns.ts'

const runs = Number(process.env['SYSG_SIM_RUNS'] ?? 200)

const kinds = [
  ...(['spawn', 'spawn', 'spawn', 'spawn', 'spawn', 'spawnBriefly', 'childDies', 'childDies', 'parentDies'] as const),
  ...(['stop', 'start', 'restart', 'stopChild', 'crash', 'crashWhileParentDies', 'nothing'] as const),
]

const actions = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    which: fc.nat(20),
    thenMs: fc.constantFrom(0, 0, 1, 40, 700, 3_300),
  }),
  { minLength: 3, maxLength: 25 },
)

const lives = fc.record({
  policy: fc.constantFrom('cascade' as const, 'orphan' as const, 'reparent' as const),
  replicas: fc.constantFrom(1, 1, 2),
  programs: fc.array(
    fc.constantFrom<Program>(() => undefined, exitsAfter(900), exitsAfter(5_000, 1), ignoresSigterm(), stopsAfter(700)),
    { minLength: 4, maxLength: 4 },
  ),
})

const limits = { children: 4, depth: 3, descendants: 7 }

type Kind = (typeof kinds)[number]

const act = async (sim: Simulation, kind: Kind, which: number, commands: Promise<unknown>[]): Promise<void> => {
  const of = (promise: Promise<unknown>) => void commands.push(promise.catch(() => undefined))
  const living = sim.world.processes.list()
  const one = living[which % Math.max(1, living.length)]
  const child = living.filter(({ service }) => service?.includes(':') === true)[which % 3]
  const [orch] = sim.service('orch').pids
  const name = `w${which % 4}`
  if (kind === 'spawn' && one !== undefined) of(ask(sim, one.pid, name))
  else if (kind === 'spawnBriefly' && one !== undefined) of(ask(sim, one.pid, name, { ttl_ms: 1_500 }))
  else if (kind === 'childDies' && child !== undefined) sim.world.processes.kill(child.pid, 'SIGKILL')
  else if (kind === 'parentDies' && orch !== undefined) sim.world.processes.exit(orch, 1)
  else if (kind === 'stop') of(sim.system.stop(['orch']))
  else if (kind === 'start') of(sim.system.start({ names: ['orch'] }))
  else if (kind === 'restart') of(sim.system.restart({ names: ['orch'] }))
  else if (kind === 'stopChild' && child !== undefined) of(sim.system.stop([child.service ?? '']))
  else if (kind === 'crash' || kind === 'crashWhileParentDies') {
    sim.crash()
    // Whoever had asked gets no answer any more.
    commands.length = 0
    if (kind !== 'crash' && orch !== undefined) sim.world.processes.exit(orch, 1)
    await sim.clock.advance(400)
    await sim.boot()
    await sim.finish(sim.system.resume())
  }
}

const pidsIn = (tree: readonly ChildView[]): readonly number[] =>
  tree.flatMap(({ pid, children: below }) => [...(pid === null ? [] : [pid]), ...pidsIn(below)])

/** Every child that lives is to be seen somewhere. */
const expectAllSeen = (sim: Simulation): void => {
  const seen = sim.system
    .view()
    .flatMap(({ instances, children: tree = [] }) => [...instances.flatMap(({ pid }) => pid ?? []), ...pidsIn(tree)])
  const living = sim.world.processes.list().map(({ pid }) => pid)
  expect(living.filter((pid) => !seen.includes(pid))).toEqual([])
  expect(new Set(seen).size).toBe(seen.length)
}

const sorted = (tree: readonly ChildView[]): readonly ChildView[] =>
  tree
    .filter(({ pid }) => pid !== null)
    .map((child) => ({ ...child, children: sorted(child.children) }))
    .sort((a, b) => (a.pid ?? 0) - (b.pid ?? 0))

/** What the events tell is what there is to see. */
const expectTold = (sim: Simulation): void => {
  const told = pastViews(pastOf(sim.events), 'test', sim.host.clock.now())
  const trees = (views: readonly Pick<ServiceView, 'name' | 'state' | 'children'>[]) =>
    Object.fromEntries(views.map(({ name, state, children: tree = [] }) => [name, { state, children: sorted(tree) }]))
  expect(trees(told)).toEqual(trees(sim.system.view()))
}

const depthOf = (tree: readonly ChildView[]): number =>
  Math.max(0, ...tree.map(({ children: below }) => 1 + depthOf(below)))

let started = 0

it(`keeps its promises in ${runs} random lives of parents and children`, async () => {
  await fc.assert(
    fc.asyncProperty(lives, actions, async ({ policy, replicas, programs: four }, what) => {
      const orch = {
        ...{ command: 'x', replicas, restart_policy: 'always' as const, backoff: '1s', stop_timeout: '2s' },
        spawn: { mode: 'dynamic' as const, limits: { ...limits, rate: 1_000, termination_policy: policy } },
      }
      const programs = Object.fromEntries(four.map((program, index) => [`orch:w${index}`, program]))
      const onEvent = (event: { type: string; service?: string }, sim: Simulation) => {
        if (event.type !== 'instance.started' || event.service !== 'orch' || policy !== 'cascade' || replicas > 1)
          return
        // What comes next begins without children of the one before.
        expect(sim.world.processes.list().filter(({ service }) => service?.includes(':') === true)).toEqual([])
      }
      await using sim = await simulate([store, restart, children], { orch }, { programs, onEvent })
      const commands: Promise<unknown>[] = []
      for (const { kind, which, thenMs } of what) {
        await act(sim, kind, which, commands)
        await sim.clock.advance(thenMs)
        if (thenMs > 1) expectAllSeen(sim)
        expectTold(sim)
        const tree = sim.system.view(['orch'])[0]?.children ?? []
        expect(tree.length).toBeLessThanOrEqual(limits.children * replicas * 2)
        expect(depthOf(tree)).toBeLessThanOrEqual(limits.depth)
      }
      await sim.clock.advance(30_000)
      expectAllSeen(sim)
      await sim.finish(Promise.allSettled(commands))
      const told = (type: string) => sim.events.filter((event) => event.type === type).map(({ instance }) => instance)
      started += told('spawn.started').length
      const gone = told('spawn.exited')
      expect(new Set(gone).size).toBe(gone.length)
      await sim.finish(sim.system.stop(['orch']))
      if (policy === 'cascade') expect(sim.world.processes.list()).toEqual([])
      await sim.finish(sim.system.shutdown())
      expect(sim.world.processes.list()).toEqual([])
    }),
    {
      numRuns: runs,
      ...(process.env['SYSG_SIM_SEED'] === undefined ? {} : { seed: Number(process.env['SYSG_SIM_SEED']) }),
      ...(process.env['SYSG_SIM_PATH'] === undefined ? {} : { path: process.env['SYSG_SIM_PATH'] }),
    },
  )
  // Otherwise nothing was tried.
  expect(started).toBeGreaterThan(runs)
})
