import { children, deploy, logs, restart, store } from '@systemg/plugins'
import { pause } from '@systemg/core'
import { exitsAfter, ignoresSigterm, stopsAfter } from '@systemg/core/simulated'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { burst, livingChildren, pidOf, spawn, treeOf } from '../simulation/spawns.ts'

const plugins = [store, logs, restart, deploy, children]
const dynamic = (limits: Record<string, unknown> = {}) => ({
  command: 'x',
  spawn: { mode: 'dynamic' as const, limits: { rate: 1_000, ...limits } },
})

describe('a program of a service with `spawn.mode: dynamic`', () => {
  it('starts children, which show below it', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    const pid = pidOf(sim, 'orch')
    const w1 = await spawn(sim, pid, 'w1', { ttl_ms: 60_000 })
    await spawn(sim, w1.pid, 'inner')
    await spawn(sim, pid, 'w2')
    expect(w1).toMatchObject({ name: 'w1', service: 'orch:w1', id: 'orch:w1-1' })
    expect(Object.keys(sim.states)).toEqual(['orch'])
    expect(sim.service('orch').view.children).toEqual([
      {
        ...{ name: 'w1', service: 'orch:w1', pid: w1.pid, state: 'running', depth: 1 },
        expires_at: '2026-01-01T00:01:00.250Z',
        children: [expect.objectContaining({ name: 'inner', depth: 2, expires_at: null, children: [] })],
      },
      expect.objectContaining({ name: 'w2', depth: 1, children: [] }),
    ])
  })

  it('gives them its environment, over it that of whoever asked, and none of what it was told about itself', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() }, { env: { HOME: '/root' } })
    const w1 = await spawn(sim, pidOf(sim, 'orch'), 'w1', {
      env: { COLOUR: 'blue', SYSG_TOKEN: 'forged', LISTEN_FDS: '3' },
      ttl_ms: 1_000,
      log_level: 'debug',
    })
    const process = sim.world.processes.list('orch:w1').find(({ pid }) => pid === w1.pid)
    expect(process?.argv).toEqual(['work'])
    expect(process?.env).toMatchObject({
      COLOUR: 'blue',
      SYSG_SERVICE: 'orch:w1',
      SYSG_INSTANCE: 'orch:w1-1',
      SYSG_CHILD_NAME: 'w1',
      SYSG_EXPIRES_AT: '2026-01-01T00:00:01.250Z',
      SYSG_LOG_LEVEL: 'debug',
    })
    expect(process?.env['LISTEN_FDS']).toBeUndefined()
    expect(process?.token).toMatch(/^[0-9a-f]{32,}$/)
  })

  it('is told of each in events', async () => {
    await using sim = await simulate(plugins, { orch: dynamic({ children: 1 }) })
    sim.service('orch:w1').runs(exitsAfter(1_000, 3))
    const { pid } = await spawn(sim, pidOf(sim, 'orch'), 'w1')
    await expect(spawn(sim, pidOf(sim, 'orch'), 'w2')).rejects.toThrow()
    await sim.clock.advance(2_000)
    const told = sim.events.filter(({ type }) => type.startsWith('spawn.'))
    expect(told.map(({ service, instance, type, data }) => ({ service, instance, type, data }))).toEqual([
      {
        ...{ service: 'orch', instance: 'orch:w1-1', type: 'spawn.started' },
        data: { name: 'w1', pid, parent: 'orch', depth: 1, service: 'orch:w1', command: 'work', expires_at: null },
      },
      {
        ...{ service: 'orch', instance: 'orch-1', type: 'spawn.rejected' },
        data: {
          ...{ name: 'w2', parent: 'orch', limit: 'children', value: 1, count: 1 },
          reason: '`w2` was not started: the limit `children` is 1, and `orch` has 1 now',
        },
      },
      {
        ...{ service: 'orch', instance: 'orch:w1-1', type: 'spawn.exited' },
        data: { name: 'w1', pid, exit: { code: 3, signal: null }, reason: null, service: 'orch:w1' },
      },
    ])
    expect(sim.eventTypes('orch:w1')).toEqual([
      ...['instance.started', 'instance.ready', 'service.exited', 'instance.ended'],
    ])
  })

  it('has a child for as long as it lives; then its name is free', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    sim.service('orch:w1').runs(exitsAfter(1_000))
    await spawn(sim, pidOf(sim, 'orch'), 'w1')
    await expect(spawn(sim, pidOf(sim, 'orch'), 'w1')).rejects.toMatchObject({ code: 'SYSG_SPAWN_NAME_TAKEN' })
    await sim.clock.advance(1_100)
    expect(treeOf(sim, 'orch')).toBe('')
    expect(sim.system.view(['orch:w1'])).toEqual([])
    expect((await spawn(sim, pidOf(sim, 'orch'), 'w1')).id).toBe('orch:w1-2')
  })

  it('shares names with no other replica', async () => {
    await using sim = await simulate(plugins, { orch: { ...dynamic(), replicas: 2 } })
    const [one = 0, two = 0] = sim.service('orch').pids
    const first = await spawn(sim, one, 'w1')
    const second = await spawn(sim, two, 'w1')
    expect([first.service, second.service]).toEqual(['orch:w1', 'orch:w1~2'])
  })

  it('keeps what its children write in files of theirs, and shows it with its own', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    sim.service('orch:w1').runs((self) => self.write('at work\n'))
    await spawn(sim, pidOf(sim, 'orch'), 'w1')
    await sim.clock.settle()
    const read = (services: readonly string[]) => sim.system.registries.methods.call('logs.read', { services })
    const line = expect.objectContaining({ service: 'orch:w1', instance: 'orch:w1-1', line: 'at work' }) as unknown
    expect(await read(['orch'])).toEqual([line])
    expect(await read(['orch:w1'])).toEqual([line])
  })

  it('keeps the logs of the hundred that ended last, also over the supervisor’s death', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    const folders = () => sim.host.files.list('logs')
    for (let number = 1; number <= 103; number += 1) {
      sim.service(`orch:w${number}`).runs((self) => {
        self.write('x\n')
        self.after(10, () => self.exit(0))
      })
      await spawn(sim, pidOf(sim, 'orch'), `w${number}`)
      await sim.clock.advance(50)
      if (number !== 101) continue
      sim.crash()
      await sim.boot()
      await sim.finish(sim.system.resume())
    }
    const names = (await sim.finish(folders())).filter((name) => name.startsWith('orch:'))
    expect(names).toHaveLength(100)
    expect(names).not.toContain('orch:w3')
    expect(names).toContain('orch:w4')
  })

  it('hears that a program can’t be started', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    sim.world.failSpawns('ENOENT')
    await expect(spawn(sim, pidOf(sim, 'orch'), 'w1')).rejects.toMatchObject({ code: 'SYSG_SPAWN_FAILED' })
    expect(treeOf(sim, 'orch')).toBe('')
    await spawn(sim, pidOf(sim, 'orch'), 'w1')
  })
})

describe('refused is', () => {
  it('who has no token of a living instance', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    const pid = pidOf(sim, 'orch')
    const token = sim.world.processes.list('orch')[0]?.token ?? ''
    await expect(spawn(sim, pid, 'w', { token: 'ab'.repeat(16) })).rejects.toMatchObject({ code: 'SYSG_SPAWN_TOKEN' })
    await sim.finish(sim.system.stop(['orch']))
    await expect(spawn(sim, pid, 'w', { token })).rejects.toMatchObject({ code: 'SYSG_SPAWN_TOKEN' })
  })

  it.each([
    ['without `spawn`', { command: 'x' }],
    ['with `mode: static`', { command: 'x', spawn: { mode: 'static' as const } }],
  ])('a service %s', async (_, service) => {
    await using sim = await simulate(plugins, { orch: service })
    await expect(spawn(sim, pidOf(sim, 'orch'), 'w')).rejects.toMatchObject({ code: 'SYSG_SPAWN_NOT_ALLOWED' })
  })

  it.each(['', '-w', 'a b', 'a/b', 'a:b', 'x'.repeat(64), '..'])('the name %j', async (name) => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    await expect(spawn(sim, pidOf(sim, 'orch'), name)).rejects.toMatchObject({ code: 'SYSG_SPAWN_NAME' })
  })

  it('one that is being stopped', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() }, { programs: { orch: stopsAfter(3_000) } })
    const pid = pidOf(sim, 'orch')
    const stopping = sim.system.stop(['orch'])
    await sim.clock.advance(1_000)
    await expect(spawn(sim, pid, 'w')).rejects.toMatchObject({ code: 'SYSG_SPAWN_PARENT_ENDING' })
    await sim.finish(stopping)
  })
})

describe('a limit', () => {
  it('of children and descendants counts what lives, also what was asked for at the same moment', async () => {
    await using sim = await simulate(plugins, { orch: dynamic({ children: 3, descendants: 4 }) })
    const pid = pidOf(sim, 'orch')
    expect(await burst(sim, pid, 5)).toEqual(['w1', 'w2', 'w3'])
    const inner = sim.world.processes.list('orch:w1')[0]?.pid ?? 0
    await spawn(sim, inner, 'a')
    await expect(spawn(sim, inner, 'b')).rejects.toThrow(
      '`b` was not started: the limit `descendants` is 4, and 4 live below `orch` now.',
    )
  })

  it('of depth', async () => {
    await using sim = await simulate(plugins, { orch: dynamic({ depth: 2 }) })
    const one = await spawn(sim, pidOf(sim, 'orch'), 'one')
    const two = await spawn(sim, one.pid, 'two')
    await expect(spawn(sim, two.pid, 'three')).rejects.toThrow(
      '`three` was not started: the limit `depth` is 2, and a child of `two` would be at depth 3.',
    )
  })

  it('of the rate lets so many come at once, and as many again each second', async () => {
    await using sim = await simulate(plugins, { orch: dynamic({ rate: 10 }) })
    const pid = pidOf(sim, 'orch')
    expect(await burst(sim, pid, 30)).toHaveLength(10)
    await expect(spawn(sim, pid, 'more')).rejects.toThrow(
      '`more` was not started: the limit `rate` is 10 per second, and `orch` has just started 10.',
    )
    await sim.clock.advance(500)
    expect(await burst(sim, pid, 30, 'x')).toHaveLength(5)
    await sim.clock.advance(5_000)
    expect(await burst(sim, pid, 30, 'y')).toHaveLength(10)
  })

  it('of memory stops the newest, one after another, and lets no more in', async () => {
    const mebi = 1024 ** 2
    await using sim = await simulate(plugins, { orch: dynamic({ total_memory: '100M' }) })
    const pid = pidOf(sim, 'orch')
    for (const [name, bytes] of [
      ['a', 40],
      ['b', 40],
      ['c', 40],
      ['d', 40],
    ] as const) {
      sim.service(`orch:${name}`).runs((self) => {
        self.after(500, () => self.use({ memoryBytes: bytes * mebi }))
      })
      await spawn(sim, pid, name)
    }
    await sim.clock.advance(2_100)
    expect(treeOf(sim, 'orch')).toBe('a b')
    const told = sim.events.filter(({ type }) => type === 'spawn.memory_exceeded')
    expect(told.map(({ data }) => [data['name'], data['used_bytes'], data['limit_bytes']])).toEqual([
      ['d', 161 * mebi, 100 * mebi],
      ['c', 121 * mebi, 100 * mebi],
    ])
    sim.service('orch:e').runs((self) => self.use({ memoryBytes: 19 * mebi }))
    await spawn(sim, pid, 'e')
    await sim.clock.advance(1_000)
    await expect(spawn(sim, pid, 'f')).rejects.toThrow(
      '`f` was not started: the limit `total_memory` is 100M, and `orch` and what it has started use 100M now.',
    )
    expect(treeOf(sim, 'orch')).toBe('a b e')
  })

  it('of memory stops no second one for the memory of one that ends while it is measured', async () => {
    const mebi = 1024 ** 2
    await using sim = await simulate(plugins, { orch: dynamic({ total_memory: '100M' }) })
    const { clock, processes } = sim.host
    const members = processes.members.bind(processes)
    const [orch] = sim.world.processes.list('orch')
    // A look at many processes takes its time.
    processes.members = async (tree) => {
      const seen = await members(tree)
      if (tree.pid === orch?.pid) await pause(clock, 50, new AbortController().signal)
      return seen
    }
    for (const name of ['a', 'b', 'c']) {
      sim.service(`orch:${name}`).runs((self) => {
        self.use({ memoryBytes: 40 * mebi })
        self.onSignal('SIGTERM', () => void self.after(1_020, () => self.exit(0)))
      })
      await spawn(sim, pidOf(sim, 'orch'), name)
    }
    await sim.clock.advance(6_000)
    expect(treeOf(sim, 'orch')).toBe('a b')
  })

  it('can be changed without a restart', async () => {
    await using sim = await simulate(plugins, { orch: dynamic({ children: 1 }) })
    const pid = pidOf(sim, 'orch')
    await spawn(sim, pid, 'a')
    await expect(spawn(sim, pid, 'b')).rejects.toMatchObject({ code: 'SYSG_SPAWN_LIMIT' })
    await sim.finish(sim.system.apply(await sim.configOf({ orch: dynamic({ children: 2 }) })))
    expect(pidOf(sim, 'orch')).toBe(pid)
    await spawn(sim, pid, 'b')
  })
})

describe('a time limit', () => {
  it('ends the child, gracefully and then not', async () => {
    await using sim = await simulate(plugins, { orch: { ...dynamic(), stop_timeout: '3s' } })
    sim.service('orch:deaf').runs(ignoresSigterm())
    await spawn(sim, pidOf(sim, 'orch'), 'polite', { ttl_ms: 2_000 })
    await spawn(sim, pidOf(sim, 'orch'), 'deaf', { ttl_ms: 2_000 })
    await sim.clock.advance(1_990)
    expect(treeOf(sim, 'orch')).toBe('polite deaf')
    await sim.clock.advance(20)
    expect(treeOf(sim, 'orch')).toBe('deaf')
    expect(sim.service('orch').view.children?.[0]?.state).toBe('stopping')
    await sim.clock.advance(3_000)
    expect(treeOf(sim, 'orch')).toBe('')
    const told = sim.events.filter(({ type }) => type === 'spawn.exited')
    expect(told.map(({ data }) => [data['name'], data['exit'], data['reason']])).toEqual([
      ['polite', { code: null, signal: 'SIGTERM' }, 'its time is over'],
      ['deaf', { code: null, signal: 'SIGKILL' }, 'its time is over'],
    ])
  })

  it('has an end that can be told: what is longer than a hundred years is refused', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    const refused = { issues: [{ code: 'too_big', path: ['ttl_ms'] }] }
    await expect(spawn(sim, pidOf(sim, 'orch'), 'w', { ttl_ms: 9e15 })).rejects.toMatchObject(refused)
    await spawn(sim, pidOf(sim, 'orch'), 'w', { ttl_ms: 3e12 })
    expect(treeOf(sim, 'orch')).toBe('w')
  })

  it('may be longer than a timer of the machine reaches, and a clock that is set ends nobody early', async () => {
    await using sim = await simulate(plugins, { orch: dynamic() })
    const day = 86_400_000
    await spawn(sim, pidOf(sim, 'orch'), 'w', { ttl_ms: 40 * day })
    sim.world.jump(100 * day)
    await sim.clock.advance(40 * day - 1_000)
    expect(treeOf(sim, 'orch')).toBe('w')
    await sim.clock.advance(2_000)
    expect(treeOf(sim, 'orch')).toBe('')
  })
})

describe('a parent that ends', () => {
  const three = async (policy: string) => {
    const sim = await simulate(plugins, {
      orch: {
        ...dynamic({ termination_policy: policy }),
        restart_policy: 'always',
        backoff: { initial: '1s', jitter: 0 },
      },
    })
    const one = await spawn(sim, pidOf(sim, 'orch'), 'one')
    const two = await spawn(sim, one.pid, 'two')
    const three = await spawn(sim, two.pid, 'three')
    return { sim, one, two, three }
  }

  it('takes all with it under `cascade`, before it is started again', async () => {
    const world = await three('cascade')
    await using sim = world.sim
    for (const name of ['four', 'five']) {
      sim.service(`orch:${name}`).runs(stopsAfter(4_000))
      await spawn(sim, name === 'four' ? pidOf(sim, 'orch') : world.one.pid, name)
    }
    await sim.service('orch').exit({ code: 1 })
    await sim.clock.advance(3_900)
    expect(sim.service('orch').state).toBe('stopping')
    expect(livingChildren(sim)).toEqual(['orch:four', 'orch:five'])
    await sim.clock.advance(200)
    expect(livingChildren(sim)).toEqual([])
    expect(sim.service('orch').state).toBe('backoff')
    await sim.clock.advance(1_500)
    expect(sim.service('orch').state).toBe('running')
  })

  it('is stopped together with them under `cascade`, and the stop waits for both', async () => {
    const world = await three('cascade')
    await using sim = world.sim
    sim.service('orch:slow').runs(stopsAfter(4_000))
    await spawn(sim, pidOf(sim, 'orch'), 'slow')
    const startMs = sim.host.clock.monotonic()
    await sim.finish(sim.system.stop(['orch']))
    expect(sim.host.clock.monotonic() - startMs).toBe(4_000)
    expect(livingChildren(sim)).toEqual([])
  })

  it('leaves them as services under `orphan`, until they end or are stopped', async () => {
    const world = await three('orphan')
    await using sim = world.sim
    await sim.service('orch').exit({ code: 1 })
    expect(sim.states).toEqual({ orch: 'backoff', 'orch:one': 'running' })
    expect(sim.service('orch:one').view).toMatchObject({ ad_hoc: true, transient: true, pid: world.one.pid })
    expect(treeOf(sim, 'orch:one')).toBe('two(three)')
    await sim.clock.advance(2_000)
    await spawn(sim, pidOf(sim, 'orch'), 'one')
    expect(sim.states).toEqual({ orch: 'running', 'orch:one': 'running' })
    expect(treeOf(sim, 'orch')).toBe('one')
    await sim.finish(sim.system.stop(['orch:one']))
    expect(sim.states).toEqual({ orch: 'running', 'orch:two': 'running' })
    sim.world.processes.exit(world.two.pid, 0)
    await sim.clock.settle()
    expect(sim.states).toEqual({ orch: 'running', 'orch:three': 'running' })
    expect(sim.events.filter(({ type }) => type === 'spawn.moved').map(({ data }) => data)).toEqual([
      { name: 'one', pid: world.one.pid, from: 'orch', to: null, service: 'orch:one' },
      { name: 'two', pid: world.two.pid, from: 'one', to: null, service: 'orch:two' },
      { name: 'three', pid: world.three.pid, from: 'two', to: null, service: 'orch:three' },
    ])
  })

  it('gives them to the nearest ancestor that lives under `reparent`, and the last to nobody', async () => {
    const world = await three('reparent')
    await using sim = world.sim
    sim.world.processes.exit(world.two.pid, 0)
    await sim.clock.settle()
    expect(treeOf(sim, 'orch')).toBe('one(three)')
    sim.world.processes.exit(world.one.pid, 0)
    await sim.clock.settle()
    expect(treeOf(sim, 'orch')).toBe('three')
    expect(sim.service('orch').view.children).toMatchObject([{ name: 'three', depth: 1, pid: world.three.pid }])
    await sim.service('orch').exit({ code: 1 })
    expect(Object.keys(sim.states)).toEqual(['orch', 'orch:three'])
  })

  it('goes through every strategy: what serves next begins without children', async () => {
    const world = await three('cascade')
    await using sim = world.sim
    await sim.finish(sim.system.restart({ names: ['orch'] }))
    expect(livingChildren(sim)).toEqual([])
    expect(sim.service('orch').state).toBe('running')
  })

  it.each(['cascade', 'orphan', 'reparent'])('leaves nobody when the system ends (%s)', async (policy) => {
    const { sim } = await three(policy)
    await sim.finish(sim.system.shutdown())
    expect(sim.world.processes.list()).toEqual([])
    expect(sim.events.filter(({ type }) => type === 'spawn.moved')).toEqual([])
    await sim[Symbol.asyncDispose]()
  })
})

describe('a child and what people ask', () => {
  it('can be stopped by its full name, and is not started again, restarted or scaled', async () => {
    await using sim = await simulate(plugins, { orch: { ...dynamic(), restart_policy: 'always' } })
    await spawn(sim, pidOf(sim, 'orch'), 'w1')
    const { system } = sim
    const refused = { code: 'SYSG_SERVICE_TRANSIENT' }
    await expect(sim.finish(system.restart({ names: ['orch:w1'] }))).rejects.toMatchObject(refused)
    await expect(sim.finish(system.start({ names: ['orch:w1'] }))).rejects.toMatchObject(refused)
    await expect(sim.finish(system.scale({ 'orch:w1': 2 }))).rejects.toMatchObject(refused)
    expect(treeOf(sim, 'orch')).toBe('w1')
    expect(await sim.finish(system.stop(['orch:w1']))).toMatchObject({ ok: true })
    expect(treeOf(sim, 'orch')).toBe('')
    expect(sim.system.view(['orch:w1'])).toEqual([])
  })

  it('is in no plan, and a reload leaves it alone', async () => {
    await using sim = await simulate(plugins, { orch: dynamic(), api: { command: 'x' } })
    const { pid } = await spawn(sim, pidOf(sim, 'orch'), 'w1')
    const next = await sim.configOf({ orch: dynamic(), api: { command: 'y' } })
    expect(sim.system.plan(next).map(({ service, action }) => [service, action])).toEqual([
      ['orch', 'keep'],
      ['api', 'restart'],
    ])
    await sim.finish(sim.system.apply(next))
    await sim.finish(sim.system.apply(sim.system.config))
    expect(sim.world.processes.list('orch:w1').map((one) => one.pid)).toEqual([pid])
    expect((await sim.finish(sim.system.start())).warnings).toEqual([])
  })
})
