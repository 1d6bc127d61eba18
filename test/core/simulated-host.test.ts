import type { TreeRef } from '@systemg/core'
import { HostError, type SpawnSpec } from '@systemg/core'
import {
  all,
  answers,
  createWorld,
  crashesAt,
  daemonizes,
  exitsAfter,
  forks,
  ignoresSigterm,
  prints,
  programsByName,
  serve,
  spawnFailure,
  stopsAfter,
  type Program,
  type Programs,
  type SimulatedHost,
  type SimulatedWorld,
  type WorldOptions,
} from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { hostContract, type HostUnderTest } from '../../core/src/testing/host-contract.ts'

const ready = prints('ready\n')

/** The contract's standard programs, by the first word of their command. */
const standardPrograms: Programs = (spec) => {
  const [, first = '', second = 'stdout'] = spec.argv
  return programsByName({
    sleeps: all(ready, serve()),
    exits: exitsAfter(Number(second), Number(first)),
    ignoresSigterm: all(ignoresSigterm(), ready),
    prints: all(prints(first, second === 'stderr' ? 'stderr' : 'stdout'), exitsAfter(0)),
    forks: all(forks(ignoresSigterm()), ready),
    forksEscaped: forks(forks(all(ignoresSigterm(), ready), { setsid: true, reparent: true })),
    listens: (self) => {
      if (self.bind(`tcp://127.0.0.1:${first}`)) self.write('ready\n')
      else self.exit(1)
    },
    answers: all(
      answers(`tcp://127.0.0.1:${first}`, ({ method, path, body }) => ({
        status: Number(second),
        body: spec.argv[3] ?? '',
        headers: { 'X-Asked': `${method} ${path}`, 'X-Got': body },
      })),
      ready,
    ),
    neverAnswers: all(
      answers(`tcp://127.0.0.1:${first}`, () => 'hang'),
      ready,
    ),
    neverAccepts: all((self) => void self.bind(`tcp://127.0.0.1:${first}`), ready),
    printsEnv: (self) => {
      for (const [name, value] of Object.entries(self.env)) self.write(`${name}=${value}\n`)
      self.exit(0)
    },
  })(spec)
}

const underTest = async (): Promise<HostUnderTest> => {
  const world = createWorld({ programs: standardPrograms })
  let host = world.host()
  return {
    host,
    folder: '/test',
    programs: {
      sleeps: () => ['sleeps'],
      exits: (code, afterMs) => ['exits', `${code}`, `${afterMs}`],
      ignoresSigterm: () => ['ignoresSigterm'],
      prints: (text, stream) => ['prints', text, stream],
      forks: () => ['forks'],
      forksEscaped: () => ['forksEscaped'],
      answers: (port, status, body) => ['answers', `${port}`, `${status}`, body],
      neverAnswers: (port) => ['neverAnswers', `${port}`],
      neverAccepts: (port) => ['neverAccepts', `${port}`],
      printsEnv: () => ['printsEnv'],
      listens: (port) => ['listens', `${port}`],
    },
    freePort: () => Promise.resolve(8080),
    pass: (ms) => world.advance(ms),
    until: async (condition) => {
      await world.settle()
      for (let step = 0; !(await condition()); step++) {
        if (step === 2_000) throw new Error('did not come true in 20 simulated seconds')
        await world.advance(10)
      }
    },
    connect: (path) => world.connect(path),
    reopen: async () => {
      world.crashSupervisor(host)
      host = world.host()
      return host
    },
    dispose: async () => {
      await world.advance(1_000)
      expect(world.processes.list()).toEqual([])
      expect(world.pendingTimers()).toBe(0)
    },
  }
}

hostContract('simulated', underTest, { describe, it, expect })

/** A world in which every service runs the same program, and its first supervisor. */
const worldOf = (program: Program, options: WorldOptions = {}) => {
  const world = createWorld({ programs: () => program, ...options })
  return { world, host: world.host() }
}

const specOf = (host: SimulatedHost, more: Partial<SpawnSpec> = {}): SpawnSpec => ({
  argv: ['program'],
  env: { SYSG_SERVICE: 'api' },
  cwd: '/',
  stdout: 'null',
  stderr: 'null',
  inherit: [],
  token: host.token(),
  ...more,
})

const start = async (host: SimulatedHost, more: Partial<SpawnSpec> = {}) => {
  const spawned = await host.processes.spawn(specOf(host, more))
  if (!('tree' in spawned)) throw new Error(spawned.message)
  return spawned
}

const never = () => new AbortController().signal

/** What a promise has come to so far. */
const stateOf = (promise: Promise<unknown>) => {
  const state = { is: 'pending' as 'pending' | 'resolved' | 'rejected' }
  promise.then(
    () => (state.is = 'resolved'),
    () => (state.is = 'rejected'),
  )
  return state
}

const bytes = (text: string) => new TextEncoder().encode(text)

describe('virtual time', () => {
  it('runs timers in order of their time, those of one moment in the order they were set', async () => {
    const { world, host } = worldOf(serve())
    const fired: string[] = []
    for (const [name, delayMs] of Object.entries({ c: 20, a: 10, d: 20, b: 10 }))
      host.clock.timer(delayMs, () => fired.push(`${name}@${world.elapsedMs()}`))
    await world.advance(20)
    expect(fired).toEqual(['a@10', 'b@10', 'c@20', 'd@20'])
  })

  it('does all that one timer causes before the next one fires', async () => {
    const { world, host } = worldOf(serve())
    const order: string[] = []
    host.clock.timer(10, () => {
      void (async () => {
        for (let hop = 0; hop < 500; hop++) await Promise.resolve()
        order.push('consequence')
      })()
    })
    host.clock.timer(10, () => order.push('next'))
    await world.advance(10)
    expect(order).toEqual(['consequence', 'next'])
  })

  it('lets a timer set by a timer fire within the same advance', async () => {
    const { world, host } = worldOf(serve())
    const beats: number[] = []
    const beat = () => {
      beats.push(world.elapsedMs())
      host.clock.timer(100, beat)
    }
    host.clock.timer(100, beat)
    await world.advance(350)
    expect(beats).toEqual([100, 200, 300])
    expect(world.elapsedMs()).toBe(350)
  })

  it('moves only the wall clock when it jumps, and fires nothing because of it', async () => {
    const { world, host } = worldOf(serve(), { startMs: 1_000_000 })
    let fired = false
    host.clock.timer(1_000, () => (fired = true))
    const steadyMs = host.clock.monotonic()
    world.jump(3_600_000)
    await world.settle()
    expect(host.clock.now()).toBe(4_600_000)
    world.jump(-7_200_000)
    await world.advance(999)
    expect([fired, host.clock.now(), host.clock.monotonic() - steadyMs]).toEqual([false, -2_599_001, 999])
    await world.advance(1)
    expect(fired).toBe(true)
  })

  it('counts the timers that supervisors have left behind, and not those of programs', async () => {
    const { world, host } = worldOf(exitsAfter(5_000))
    const other = world.host()
    const cancel = host.clock.timer(10, () => undefined)
    host.clock.timer(20, () => undefined)
    other.clock.timer(20, () => undefined)
    await start(host)
    expect([world.pendingTimers(), world.pendingTimers(host)]).toEqual([3, 2])
    cancel()
    await world.advance(20)
    expect(world.pendingTimers()).toBe(0)
  })

  it('stops at an error of a timer, and can go on from there', async () => {
    const { world, host } = worldOf(serve())
    host.clock.timer(10, () => {
      throw new Error('in the timer')
    })
    await expect(world.advance(100)).rejects.toThrow('in the timer')
    expect(world.elapsedMs()).toBe(10)
    await world.advance(90)
    expect(world.elapsedMs()).toBe(100)
  })

  it('refuses to be moved by two at once, and backwards', async () => {
    const { world } = worldOf(serve())
    const first = world.advance(10)
    await expect(world.advance(10)).rejects.toThrow('moving already')
    await first
    await expect(world.advance(-1)).rejects.toThrow(RangeError)
    await expect(world.advance(NaN)).rejects.toThrow(RangeError)
  })

  it('names a timer that sets itself again without a delay instead of hanging', async () => {
    const { world, host } = worldOf(serve())
    const again = () => void host.clock.timer(0, again)
    again()
    await expect(world.settle()).rejects.toThrow('Time stands still')
  })

  it('goes from event to event until a condition holds', async () => {
    const { world, host } = worldOf(exitsAfter(90_000))
    const { tree } = await start(host)
    const gone = stateOf(host.processes.gone(tree, never()))
    expect(await world.until(() => gone.is === 'resolved')).toBe(true)
    expect(world.elapsedMs()).toBe(90_000)
    expect(await world.until(() => false, 500)).toBe(false)
    expect(world.elapsedMs()).toBe(90_500)
  })
})

/** A little of everything that is left to chance or to time; the whole story as text. */
const story = async (seed: number): Promise<string> => {
  const world = createWorld({
    seed,
    programs: () => (self) => {
      self.write(`${self.pid} ${self.random()}\n`)
      self.after(self.random() * 1_000, () => self.exit(Math.floor(self.random() * 256)))
    },
  })
  const host = world.host()
  const lines: string[] = []
  world.processes.watch(({ process, exit }) =>
    lines.push(`${world.elapsedMs()} ${process.pid} ${process.startTime} ${process.token} ${JSON.stringify(exit)}`),
  )
  const pipe = await host.output('/out', (chunk) => void lines.push(new TextDecoder().decode(chunk)))
  for (let run = 0; run < 20; run++) {
    void start(host, { stdout: pipe.writer })
    await world.advance(host.random() * 100)
  }
  await world.advance(2_000)
  return lines.join('\n')
}

describe('chance', () => {
  it('tells the same story, byte for byte, for the same seed, and another for another', async () => {
    const [first, second, other] = [await story(7), await story(7), await story(8)]
    expect(first).toBe(second)
    expect(other).not.toBe(first)
    expect(first.split('\n').length).toBeGreaterThan(40)
  })

  it('gives no two supervisors the same numbers and tokens', () => {
    const world = createWorld()
    const [one, two] = [world.host(), world.host()]
    expect(one.random()).not.toBe(two.random())
    expect(one.token()).not.toBe(two.token())
  })
})

describe('a supervisor that is killed', () => {
  it('never hears of its timers and promises again', async () => {
    const { world, host } = worldOf(exitsAfter(100))
    let fired = false
    host.clock.timer(50, () => (fired = true))
    const { tree, exited } = await start(host)
    const promises = [
      exited,
      host.processes.gone(tree, never()),
      host.run({ argv: ['x'], env: {}, cwd: '/', signal: never() }),
      host.processes.members(tree),
    ].map(stateOf)
    world.crashSupervisor(host)
    await world.advance(10_000)
    expect(fired).toBe(false)
    expect(promises.map(({ is }) => is)).toEqual(['pending', 'pending', 'pending', 'pending'])
    expect(world.pendingTimers()).toBe(0)
  })

  it('can do nothing more with what code of it is still running', async () => {
    const { world, host } = worldOf(serve())
    const { tree } = await start(host)
    const table = host.store.table('t')
    const file = host.files.append('/log')
    world.crashSupervisor(host)
    table.set('key', 1)
    file.write(bytes('x'))
    void host.processes.signal(tree, 'SIGKILL')
    void host.processes.spawn(specOf(host))
    host.clock.timer(0, () => table.set('key', 2))
    await world.advance(1_000)
    expect(world.processes.list().map(({ pid }) => pid)).toEqual([tree.pid])
    expect(world.files.text('/log')).toBe('')
    expect(world.host().store.table('t').get('key')).toBe(undefined)
  })

  it('leaves its processes to process 1, for the next one to adopt under the same pids', async () => {
    const { world, host } = worldOf(serve())
    const { tree } = await start(host)
    expect(world.processes.list()[0]?.parentPid).toBe(host.pid)
    host[Symbol.dispose]()
    expect(world.processes.list()[0]?.parentPid).toBe(1)
    const next = world.host()
    const adopted = await next.processes.adopt(tree)
    expect(adopted?.tree).toEqual(tree)
    const exited = stateOf(adopted?.exited ?? Promise.reject(new Error('not adopted')))
    await world.advance(2_500)
    world.processes.exit(tree.pid, 0)
    const gone = stateOf(next.processes.gone(tree, never()))
    await world.settle()
    expect([gone.is, exited.is]).toEqual(['resolved', 'pending'])
    await world.advance(500)
    expect(exited.is).toBe('resolved')
    expect(await adopted?.exited).toEqual({ code: null, signal: null, unknown: true })
    expect(world.pendingTimers()).toBe(0)
  })

  it('keeps what it wrote to tables, and loses the records of logs that it had not flushed', async () => {
    const { world, host } = worldOf(serve())
    host.store.table('t').set('key', 'kept')
    const log = host.store.log('events')
    log.append(1, 1, 'flushed in time')
    await world.advance(100)
    log.append(2, 2, 'lost')
    await world.advance(99)
    expect(log.read({}).length).toBe(2)
    world.crashSupervisor(host)
    await world.advance(1_000)
    const next = world.host().store
    expect(next.table('t').get('key')).toBe('kept')
    expect(next.log('events').read({})).toEqual([{ seq: 1, timeMs: 1, value: 'flushed in time' }])
    expect(next.log('events').last()).toBe(1)
  })

  it('leaves nothing of a transaction in the middle of which it died', async () => {
    const { world, host } = worldOf(serve())
    const table = host.store.table('t')
    table.set('a', 1)
    host.store.transaction(() => {
      table.set('a', 2)
      world.crashSupervisor(host)
      table.set('b', 2)
    })
    expect(world.host().store.table('t').entries()).toEqual([['a', 1]])
  })

  it('can be killed just before any of its calls, which then has no effect', async () => {
    const { world, host } = worldOf(serve())
    world.faults.beforeCall = (call, caller) => {
      if (call === 'spawn') caller.kill()
    }
    const spawned = stateOf(host.processes.spawn(specOf(host)))
    await world.advance(1_000)
    expect(spawned.is).toBe('pending')
    expect(world.processes.list()).toEqual([])
  })

  it('closes its connections, and its socket answers nobody', async () => {
    const { world, host } = worldOf(serve())
    await host.net.serve('/s', (connection) => connection.onClose(() => expect.unreachable()))
    const client = await world.connect('/s')
    let closes = 0
    client.onClose(() => closes++)
    world.crashSupervisor(host)
    await world.settle()
    expect(closes).toBe(1)
    await expect(world.connect('/s')).rejects.toMatchObject({ errno: 'ECONNREFUSED' })
  })

  it('does not keep the next one from serving at the same path', async () => {
    const { world, host } = worldOf(serve())
    const accepted: string[] = []
    await host.net.serve('/s', () => accepted.push('first'))
    await expect(world.host().net.serve('/s', () => undefined)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    world.crashSupervisor(host)
    await world.host().net.serve('/s', () => accepted.push('second'))
    await world.connect('/s')
    expect(accepted).toEqual(['second'])
  })

  it('leaves unread output to the next one, and the writer waits for it', async () => {
    const { world, host } = worldOf(all(prints(`${'x'.repeat(70_000)}end`), exitsAfter(0, 4)))
    const first = await host.output('/out', () => expect.unreachable())
    first.pause()
    const { tree } = await start(host, { stdout: first.writer })
    await world.advance(1_000)
    world.crashSupervisor(host)
    expect(world.pipe('/out')).toMatchObject({ size: 65_536, blockedBytes: 4_467 })
    expect(world.processes.list().map(({ pid }) => pid)).toEqual([tree.pid])
    let text = ''
    await world.host().output('/out', (chunk) => (text += new TextDecoder().decode(chunk)))
    await world.settle()
    expect(text).toBe(`${'x'.repeat(70_000)}end`)
    expect(world.processes.list()).toEqual([])
  })
})

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

describe('simulated faults', () => {
  it('can make spawns fail a number of times, or by their spec', async () => {
    const { world, host } = worldOf(serve())
    world.failSpawns('EAGAIN', 2)
    expect(await host.processes.spawn(specOf(host))).toMatchObject({ errno: 'EAGAIN' })
    expect(await host.run({ argv: ['x'], env: {}, cwd: '/', signal: never() })).toMatchObject({
      failure: { errno: 'EAGAIN' },
    })
    expect(await host.processes.spawn(specOf(host))).toHaveProperty('tree')
    world.faults.spawn = ({ argv }) => (argv[0] === 'bad' ? spawnFailure('EACCES', 'not executable') : undefined)
    expect(await host.processes.spawn(specOf(host, { argv: ['bad'] }))).toMatchObject({ errno: 'EACCES' })
    expect(await host.processes.spawn(specOf(host, { argv: ['good'] }))).toHaveProperty('tree')
  })

  it('can fill the disk: nothing of a write that fails is kept', async () => {
    const { world, host } = worldOf(serve())
    world.faults.diskFreeBytes = 5
    const file = host.files.append('/log')
    file.write(bytes('1234'))
    expect(() => file.write(bytes('56'))).toThrow(expect.objectContaining({ errno: 'ENOSPC' }))
    expect([file.size, world.files.text('/log')]).toEqual([4, '1234'])
    world.faults.diskFreeBytes = Infinity
    file.write(bytes('56'))
    expect(world.files.text('/log')).toBe('123456')
  })

  it('can refuse writes to the store; records of logs wait until it takes them', async () => {
    const { world, host } = worldOf(serve())
    const table = host.store.table('t')
    world.faults.store = new HostError('ENOSPC', 'no space left')
    expect(() => table.set('a', 1)).toThrow(HostError)
    host.store.log('events').append(1, 1, 'waits')
    await world.advance(1_000)
    world.faults.store = undefined
    await world.advance(100)
    world.crashSupervisor(host)
    const next = world.host().store
    expect(next.table('t').entries()).toEqual([])
    expect(next.log('events').last()).toBe(1)
  })

  it('can make answers take time while effects are immediate', async () => {
    const { world, host } = worldOf(serve())
    world.faults.latencyMs = (call) => (call === 'spawn' ? 40 : 0)
    const spawned = stateOf(host.processes.spawn(specOf(host)))
    await world.advance(39)
    expect([spawned.is, world.processes.list().length]).toEqual(['pending', 1])
    await world.advance(1)
    expect(spawned.is).toBe('resolved')
  })

  it('refuses a stream that is closed or of another world', async () => {
    const { host } = worldOf(serve())
    const pipe = await host.output('/out', () => undefined)
    await pipe.close()
    expect(await host.processes.spawn(specOf(host, { stdout: pipe.writer }))).toMatchObject({ errno: 'EBADF' })
    const foreign = await worldOf(serve()).host.output('/out', () => undefined)
    expect(await host.processes.spawn(specOf(host, { stderr: foreign.writer }))).toMatchObject({ errno: 'EBADF' })
  })
})

describe('simulated output', () => {
  it('comes after the exit of its writer, unless it is drained first', async () => {
    const { world, host } = worldOf(all(prints('last words'), exitsAfter(0, 1)))
    const order: string[] = []
    const pipe = await host.output('/out', (chunk) => order.push(new TextDecoder().decode(chunk)))
    const { exited } = await start(host, { stdout: pipe.writer })
    void exited.then(async () => {
      order.push('exited')
      await pipe.drain()
      order.push('drained')
    })
    await world.settle()
    expect(order).toEqual(['exited', 'last words', 'drained'])
  })

  it('takes back a chunk after the call, so that keeping it is noticed', async () => {
    const { world, host } = worldOf(prints('abc'))
    const kept: Uint8Array[] = []
    const pipe = await host.output('/out', (chunk) => kept.push(chunk))
    await start(host, { stdout: pipe.writer })
    await world.settle()
    expect([...(kept[0] ?? [])]).toEqual([0, 0, 0])
  })

  it('loses what a blocked writer had not written when that is killed, and nothing else', async () => {
    const { world, host } = worldOf(prints('x'.repeat(100_000)))
    let size = 0
    const pipe = await host.output('/out', (chunk) => (size += chunk.length))
    pipe.pause()
    const { tree } = await start(host, { stdout: pipe.writer })
    await host.processes.signal(tree, 'SIGKILL')
    pipe.resume()
    await world.settle()
    expect(size).toBe(65_536)
  })

  it('shows what goes to the terminal of the supervisor', async () => {
    const { world, host } = worldOf(all(prints('out '), prints('err', 'stderr')))
    await start(host, { stdout: 'inherit', stderr: 'inherit' })
    expect(world.terminal()).toBe('out err')
  })
})

describe('simulated addresses', () => {
  const address = 'tcp://127.0.0.1:8080'
  const listen = (world: SimulatedWorld, host = world.host()) => host.sockets.listen(address, {})

  it('gives an address to one supervisor, as often as it asks, and to nobody else meanwhile', async () => {
    const world = createWorld()
    const host = world.host()
    const [first, second] = [await listen(world, host), await listen(world, host)]
    expect(first).toMatchObject({ kind: 'socket', label: address })
    await expect(listen(world)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    first.close()
    first.close()
    await expect(listen(world)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    second.close()
    expect(await listen(world)).toMatchObject({ label: address })
  })

  it('keeps a socket for the supervisor that comes after one that was killed', async () => {
    const world = createWorld()
    const host = world.host()
    await listen(world, host)
    world.crashSupervisor(host)
    expect(await listen(world)).toMatchObject({ label: address })
  })

  it('keeps an address taken while a process that inherited it lives', async () => {
    const { world, host } = worldOf(serve())
    const socket = await listen(world, host)
    const { tree } = await start(host, { inherit: [socket] })
    socket.close()
    await expect(listen(world)).rejects.toMatchObject({ errno: 'EADDRINUSE' })
    world.processes.exit(tree.pid, 0)
    expect(await listen(world)).toMatchObject({ label: address })
  })

  it('lets a program bind an address until it ends, when nobody else has it', async () => {
    const { world, host } = worldOf((self) => {
      if (!self.bind(address)) self.exit(98)
    })
    world.occupy(address)
    expect(await (await start(host)).exited).toMatchObject({ code: 98 })
    world.occupy(address, false)
    const { tree } = await start(host)
    expect(await (await start(host)).exited).toMatchObject({ code: 98 })
    world.processes.kill(tree.pid, 'SIGTERM')
    expect(await listen(world, host)).toMatchObject({ label: address })
  })

  it('refuses what is no address', async () => {
    const host = createWorld().host()
    await expect(host.sockets.listen('8080', {})).rejects.toMatchObject({ errno: 'EINVAL' })
  })
})

describe('simulated trace', () => {
  it('keeps what hosts say, with facts, up to a bound', () => {
    const { world, host } = worldOf(serve())
    for (let line = 0; line < 10_005; line++) host.trace('info', 'line', { line })
    expect(world.traceLines.length).toBe(10_000)
    expect(world.traceLines[0]).toBe('0 info line {"line":5}')
  })
})

describe('speed', () => {
  it('starts and stops a thousand services in a moment', async () => {
    const { world, host } = worldOf(serve())
    const trees: TreeRef[] = []
    for (let service = 0; service < 1_000; service++) trees.push((await start(host)).tree)
    const gone = trees.map((tree) => host.processes.gone(tree, never()))
    for (const tree of trees) await host.processes.signal(tree, 'SIGTERM')
    await Promise.all(gone)
    expect(world.processes.list()).toEqual([])
  }, 10_000)
})
