import { crashesAt, daemonizes, exitsAfter, forks, serve, stopsAfter, type Program } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { worldOf, specOf, start, never, stateOf } from './world-for-tests.ts'

describe('simulated processes', () => {
  const endings: readonly (readonly [string, Program, { code: number | null; signal: string | null }, number])[] = [
    ['exits', exitsAfter(250, 9), { code: 9, signal: null }, 250],
    ['exits at once', exitsAfter(0), { code: 0, signal: null }, 0],
    ['crashes', crashesAt(40), { code: null, signal: 'SIGSEGV' }, 40],
  ]
  for (const [what, program, exit, atMs] of endings) {
    it(`can run a program that ${what}`, async () => {
      const { world, host } = worldOf(program)
      const { exited } = await start(host)
      const state = stateOf(exited)
      expect(await world.until(() => state.is === 'resolved')).toBe(true)
      expect([await exited, world.elapsedMs()]).toEqual([exit, atMs])
    })
  }

  it('can run a program that takes its time to stop', async () => {
    const { world, host } = worldOf(stopsAfter(300))
    const { tree, exited } = await start(host)
    const state = stateOf(exited)
    await host.processes.signal(tree, 'SIGTERM')
    await world.advance(299)
    expect(state.is).toBe('pending')
    await world.advance(1)
    expect(await exited).toEqual({ code: 0, signal: null })
  })

  it('can run a program that puts itself into the background', async () => {
    const { host, world } = worldOf(daemonizes())
    const { tree, exited } = await start(host)
    expect(await exited).toEqual({ code: 0, signal: null })
    const members = await host.processes.members(tree)
    expect(members).toMatchObject([{ parentPid: 1 }])
    expect(members[0]?.pid).not.toBe(tree.pid)
    expect(world.spawnCount('api')).toBe(1)
  })

  it('shrugs off signals that are ignored by default', async () => {
    const { world, host } = worldOf(serve())
    const { tree } = await start(host)
    for (const signal of ['SIGCHLD', 'SIGWINCH', 'SIGCONT'] as const) await host.processes.signal(tree, signal)
    expect(world.processes.list().length).toBe(1)
    await host.processes.signal(tree, 'SIGHUP')
    expect(world.processes.list().length).toBe(0)
  })

  it('lets no program handle SIGKILL', async () => {
    const { host } = worldOf((self) => self.onSignal('SIGKILL', () => undefined))
    await expect(host.processes.spawn(specOf(host))).rejects.toThrow('SIGKILL')
  })

  it('has no signal end an uninterruptible process until it is interruptible again', async () => {
    const { world, host } = worldOf((self) => {
      self.uninterruptible(true)
      self.after(5_000, () => self.uninterruptible(false))
    })
    const { tree, exited } = await start(host)
    const state = stateOf(exited)
    expect(await host.processes.signal(tree, 'SIGKILL')).toBe(1)
    await world.advance(4_999)
    expect(state.is).toBe('pending')
    expect(await host.processes.members(tree)).toMatchObject([{ uninterruptible: true }])
    await world.advance(1)
    expect(await exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('runs nothing of a program after its end', async () => {
    const ran: string[] = []
    const { world, host } = worldOf((self) => {
      self.after(100, () => ran.push('timer'))
      self.after(50, () => {
        self.exit(0)
        self.write('x')
        self.after(10, () => ran.push('timer set after the end'))
        self.fork(() => ran.push('fork'))
        self.exit(1)
      })
    })
    const { exited } = await start(host)
    await world.advance(1_000)
    expect([ran, await exited]).toEqual([[], { code: 0, signal: null }])
  })

  it('does not find a process that left no trace, unless it was seen before', async () => {
    const escapes: Program = (self) => {
      self.after(100, () =>
        self.fork((child) =>
          child.after(100, () => child.fork(serve(), { setsid: true, clearEnv: true, reparent: true })),
        ),
      )
      self.onSignal('SIGTERM', () => self.exit(0))
    }
    const { world, host } = worldOf(escapes)
    const { tree } = await start(host)
    await world.advance(1_000)
    expect((await host.processes.members(tree)).length).toBe(2)
    expect(world.processes.list().length).toBe(3)
  })

  it('remembers a process that it saw below a service, however it hides afterwards', async () => {
    const { world, host } = worldOf((self) => {
      self.fork((child) => void child.fork(serve(), { setsid: true, clearEnv: true }))
      self.onSignal('SIGTERM', () => self.exit(0))
    })
    const { tree } = await start(host)
    expect((await host.processes.members(tree)).length).toBe(3)
    for (const { pid } of world.processes.list().slice(0, 2)) world.processes.kill(pid, 'SIGKILL')
    expect((await host.processes.members(tree)).map(({ parentPid }) => parentPid)).toEqual([1])
    const gone = stateOf(host.processes.gone(tree, never()))
    await world.settle()
    expect(gone.is).toBe('pending')
    expect(await host.processes.signal(tree, 'SIGKILL')).toBe(1)
    await world.settle()
    expect(gone.is).toBe('resolved')
  })

  it('finds what is in the session of a member, whoever its parent was', async () => {
    const { world, host } = worldOf((self) => {
      self.fork((leader) => leader.onSignal('SIGUSR1', () => void leader.fork(serve(), { reparent: true })), {
        setsid: true,
        clearEnv: true,
      })
    })
    const { tree } = await start(host)
    const [, leader] = await host.processes.members(tree)
    world.processes.kill(leader?.pid ?? 0, 'SIGUSR1')
    expect((await host.processes.members(tree)).map(({ parentPid }) => parentPid)).toEqual([host.pid, tree.pid, 1])
  })

  it('ends what a command has hidden when it is aborted, unless that runs with the mark of a service', async () => {
    for (const [env, left] of [
      [{}, 0],
      [{ SYSG_TOKEN: 'of-a-service' }, 1],
    ] as const) {
      const { world, host } = worldOf(forks(serve(), { setsid: true, reparent: true }))
      const controller = new AbortController()
      const result = host.run({ argv: ['x'], env, cwd: '/', signal: controller.signal })
      expect(world.processes.list().length).toBe(2)
      controller.abort()
      expect((await result).exit).toEqual({ code: null, signal: 'SIGKILL' })
      expect(world.processes.list().length).toBe(left)
    }
  })

  it('never takes a process for the one that had its pid before', async () => {
    const { world, host } = worldOf(serve())
    const first = await start(host)
    world.processes.exit(first.tree.pid, 0)
    world.reusePid(first.tree.pid)
    const second = await start(host)
    expect(second.tree.pid).toBe(first.tree.pid)
    expect(await host.processes.adopt(first.tree)).toBe(undefined)
    expect(await host.processes.signal(first.tree, 'SIGKILL')).toBe(0)
    await host.processes.gone(first.tree, never())
    expect(await host.processes.adopt({ ...first.tree, startTime: second.tree.startTime })).toBe(undefined)
    expect(world.processes.list().map(({ pid, token }) => [pid, token])).toEqual([[second.tree.pid, second.tree.token]])
    expect(() => world.reusePid(second.tree.pid)).toThrow('still lives')
  })

  it('tells who runs for which service, and how often each was started', async () => {
    const { world, host } = worldOf(forks(serve()))
    await start(host)
    await start(host, { env: { SYSG_SERVICE: 'db' } })
    void host.run({ argv: ['hook'], env: { SYSG_SERVICE: 'db' }, cwd: '/', signal: never() })
    await start(host, { env: { SYSG_SERVICE: 'db' } })
    expect(world.processes.list('api').map(({ role }) => role)).toEqual(['spawn', 'fork'])
    expect(world.processes.list('db').map(({ role }) => role)).toEqual([
      'spawn',
      'fork',
      'run',
      'fork',
      'spawn',
      'fork',
    ])
    expect([world.spawnCount('api'), world.spawnCount('db'), world.spawnCount('none')]).toEqual([1, 2, 0])
  })

  it('is all over after a reboot, but for the files and the store', async () => {
    const { world, host } = worldOf(serve())
    const { tree } = await start(host)
    host.store.table('t').set('key', 1)
    world.files.write('/etc/config', 'text')
    world.reboot()
    const next = world.host()
    expect(world.processes.list()).toEqual([])
    expect(await next.processes.adopt(tree)).toBe(undefined)
    expect(await next.processes.members(tree)).toEqual([])
    expect((await start(next, { token: tree.token })).tree.bootId).not.toBe(tree.bootId)
    expect(await next.processes.members(tree)).toEqual([])
    expect(next.store.table('t').get('key')).toBe(1)
    expect(await next.files.readText('/etc/config')).toBe('text')
  })
})
