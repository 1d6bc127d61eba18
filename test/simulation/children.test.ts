/** Children over the death of their supervisor, and races with it. */
import { children, logs, restart, store } from '@systemg/plugins'
import { exitsAfter, stopsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import type { TerminationPolicy } from '@systemg/plugins/children'
import { describe, expect, it } from 'vitest'
import { ask, livingChildren, pidOf, spawn, treeOf } from './spawns.ts'

const plugins = [store, logs, restart, children]

const orch = (policy: TerminationPolicy = 'cascade', more: Record<string, unknown> = {}) => ({
  ...{ command: 'x', restart_policy: 'always' as const, backoff: { initial: '1s', jitter: 0 } },
  spawn: { mode: 'dynamic' as const, limits: { rate: 1_000, termination_policy: policy } },
  ...more,
})

/** Pids below a service, by name. */
const pidsBelow = (sim: Simulation, service: string) =>
  Object.fromEntries((sim.system.view([service])[0]?.children ?? []).map(({ name, pid }) => [name, pid]))

const comeBack = async (sim: Simulation): Promise<void> => {
  await sim.boot()
  await sim.finish(sim.system.resume())
}

describe('a supervisor that is killed', () => {
  it('leaves children to the next one, with their names, their parents and their time', async () => {
    await using sim = await simulate(plugins, { orch: orch() })
    const pid = pidOf(sim, 'orch')
    const one = await spawn(sim, pid, 'one', { ttl_ms: 60_000 })
    const two = await spawn(sim, one.pid, 'two')
    sim.crash()
    await sim.clock.advance(20_000)
    await comeBack(sim)
    expect(treeOf(sim, 'orch')).toBe('one(two)')
    expect(pidsBelow(sim, 'orch')).toEqual({ one: one.pid })
    expect(sim.system.view(['orch'])[0]?.children?.[0]?.expires_at).toBe('2026-01-01T00:01:00.250Z')
    await expect(spawn(sim, pid, 'one')).rejects.toMatchObject({ code: 'SYSG_SPAWN_NAME_TAKEN' })
    const three = await spawn(sim, two.pid, 'three')
    expect(three.id).not.toBe(one.id)
    expect(three.id).not.toBe(two.id)
    await sim.clock.advance(39_000)
    expect(treeOf(sim, 'orch')).toBe('one(two(three))')
    await sim.clock.advance(3_000)
    expect(treeOf(sim, 'orch')).toBe('')
  })

  it('leaves them in the order in which they were started, so that memory still costs the newest', async () => {
    const mebi = 1024 ** 2
    const spawns = { mode: 'dynamic' as const, limits: { total_memory: '100M' } }
    await using sim = await simulate(plugins, { orch: orch('cascade', { spawn: spawns }) })
    for (const name of ['zebra', 'yak', 'ant']) {
      sim.service(`orch:${name}`).runs((self) => {
        self.use({ memoryBytes: 30 * mebi })
        if (name === 'zebra') self.after(60_000, () => self.use({ memoryBytes: 60 * mebi }))
      })
      await spawn(sim, pidOf(sim, 'orch'), name)
      await sim.clock.advance(1_000)
    }
    sim.crash()
    await comeBack(sim)
    expect(treeOf(sim, 'orch')).toBe('zebra yak ant')
    await sim.clock.advance(60_000)
    expect(treeOf(sim, 'orch')).toBe('zebra yak')
  })

  it('ends those whose time was over meanwhile', async () => {
    await using sim = await simulate(plugins, { orch: orch() })
    await spawn(sim, pidOf(sim, 'orch'), 'one', { ttl_ms: 10_000 })
    sim.crash()
    await sim.clock.advance(20_000)
    expect(livingChildren(sim)).toEqual(['orch:one'])
    await comeBack(sim)
    await sim.clock.advance(1_000)
    expect(livingChildren(sim)).toEqual([])
  })

  it('never starts a child again that ended meanwhile, and says that it has', async () => {
    await using sim = await simulate(plugins, { orch: orch() })
    const one = await spawn(sim, pidOf(sim, 'orch'), 'one')
    sim.crash()
    sim.world.processes.exit(one.pid, 0)
    await sim.clock.advance(1_000)
    await comeBack(sim)
    await sim.clock.advance(10_000)
    expect(sim.world.spawnCount('orch:one')).toBe(1)
    expect(sim.system.view(['orch:one'])).toEqual([])
    expect(
      sim.events.filter(({ type }) => type === 'spawn.exited').map(({ service, data }) => [service, data]),
    ).toEqual([
      [
        'orch',
        {
          name: 'one',
          pid: one.pid,
          exit: expect.objectContaining({ code: null, signal: null, unknown: true }) as unknown,
          reason: null,
          service: 'orch:one',
        },
      ],
    ])
  })

  it.each<[TerminationPolicy, string, string[]]>([
    ['cascade', 'orch', []],
    ['orphan', 'orch orch:one', ['orch:one', 'orch:two']],
    ['reparent', 'orch orch:one', ['orch:one', 'orch:two']],
  ])('carries out `%s` for a parent that ended meanwhile', async (policy, states, living) => {
    await using sim = await simulate(plugins, { orch: orch(policy) })
    const pid = pidOf(sim, 'orch')
    const one = await spawn(sim, pid, 'one')
    await spawn(sim, one.pid, 'two')
    sim.crash()
    sim.world.processes.exit(pid, 1)
    await sim.clock.advance(1_000)
    await comeBack(sim)
    await sim.clock.advance(5_000)
    expect(Object.keys(sim.states).join(' ')).toBe(states)
    expect(livingChildren(sim)).toEqual(living)
    expect(sim.service('orch').state).toBe('running')
    if (policy !== 'cascade') expect(treeOf(sim, 'orch:one')).toBe('two')
  })

  it('leaves orphans as services, also the second time', async () => {
    await using sim = await simulate(plugins, { orch: orch('orphan') })
    const one = await spawn(sim, pidOf(sim, 'orch'), 'one')
    await sim.service('orch').exit({ code: 1 })
    for (let time = 0; time < 2; time += 1) {
      sim.crash()
      await comeBack(sim)
      await sim.clock.advance(2_000)
      expect(sim.states).toEqual({ orch: 'running', 'orch:one': 'running' })
    }
    expect(sim.service('orch:one').view.pid).toBe(one.pid)
    await sim.finish(sim.system.start())
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x' } })))
    expect(sim.states).toEqual({ api: 'running', 'orch:one': 'running' })
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'at any moment of a start leaves no child that nobody knows of (%i)',
    async (steps) => {
      await using sim = await simulate(plugins, { orch: orch() })
      const asked = ask(sim, pidOf(sim, 'orch'), 'one').catch(() => undefined)
      for (let step = 0; step < steps; step += 1) await Promise.resolve()
      sim.crash()
      await Promise.race([asked, sim.clock.advance(100)])
      await comeBack(sim)
      await sim.clock.advance(20_000)
      const known = Object.values(pidsBelow(sim, 'orch'))
      expect(sim.world.processes.list('orch:one').map(({ pid }) => pid)).toEqual(known)
    },
  )

  it('shows what a child that ended meanwhile still waits for', async () => {
    await using sim = await simulate(plugins, { orch: orch() }, { programs: { 'orch:two': stopsAfter(3_000) } })
    const one = await spawn(sim, pidOf(sim, 'orch'), 'one')
    await spawn(sim, one.pid, 'two')
    sim.crash()
    sim.world.processes.exit(one.pid, 0)
    await comeBack(sim)
    await sim.clock.advance(1_000)
    expect(treeOf(sim, 'orch')).toBe('one(two)')
    expect(sim.system.view(['orch'])[0]?.children).toMatchObject([{ name: 'one', state: 'stopping' }])
    await sim.clock.advance(3_000)
    expect(treeOf(sim, 'orch')).toBe('')
  })

  it('while everything stops is followed by one that goes on stopping', async () => {
    await using sim = await simulate(plugins, { orch: orch('orphan') }, { programs: { 'orch:one': stopsAfter(3_000) } })
    await spawn(sim, pidOf(sim, 'orch'), 'one')
    void sim.system.shutdown()
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.world.processes.list()).toEqual([])
  })
})

describe('a child that is about to start', () => {
  it('is ended when its parent ends at the same moment', async () => {
    await using sim = await simulate(plugins, { orch: orch() })
    const pid = pidOf(sim, 'orch')
    const asked = ask(sim, pid, 'one').then(
      () => 'started',
      () => 'refused',
    )
    sim.world.processes.exit(pid, 0)
    await sim.finish(asked)
    await sim.clock.advance(500)
    expect(livingChildren(sim)).toEqual([])
  })

  it('is one that programs start by themselves, again and again', async () => {
    await using sim = await simulate(plugins, { orch: orch() })
    sim.service('orch:w').runs(exitsAfter(300))
    const pid = pidOf(sim, 'orch')
    const results: string[] = []
    for (let time = 0; time < 20; time += 1) {
      await ask(sim, pid, 'w').then(
        ({ id }) => results.push(id),
        () => results.push('-'),
      )
      await sim.clock.advance(200)
    }
    expect(results.filter((id) => id !== '-')).toHaveLength(10)
    expect(sim.events.filter(({ type }) => type === 'spawn.exited').length).toBeGreaterThanOrEqual(9)
  })
})
