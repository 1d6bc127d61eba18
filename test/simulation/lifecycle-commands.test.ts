/** Hooks where services are more than one process, and where the supervisor dies. */
import { exitsAfter, ignoresSigterm, serve, stopsAfter, type Program } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { comesBack, everyHook, scene, type Scene } from '../plugins/hook-scene.ts'

/** Each process of it is told its replica. */
const byReplica =
  (programs: Readonly<Record<string, Program>>): Program =>
  (self) =>
    (programs[self.env['SYSG_REPLICA'] ?? ''] ?? serve())(self)

const kill = async ({ sim }: Scene, ...replicas: readonly number[]) => {
  const { instances } = sim.service('api').view
  for (const replica of replicas) {
    const { pid } = instances.find((one) => one.replica === replica) ?? {}
    sim.world.processes.exit(pid ?? 0, 1)
  }
  await sim.clock.settle()
}

describe('four replicas are one service', () => {
  const api = { replicas: 4, ...comesBack }

  it('has started when all are ready, and has stopped with the last', async () => {
    await using at = await scene({ api })
    expect(at.ran()).toEqual(['on_start.success'])
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success'])
  })

  it('goes on while one of them does', async () => {
    await using at = await scene({ api })
    at.ran()
    await kill(at, 0, 1, 2)
    await at.sim.clock.advance(5_000)
    expect(at.sim.service('api').state).toBe('running')
    expect(at.ran()).toEqual([])
  })

  it('has crashed when none is left, and is back when all are', async () => {
    await using at = await scene({ api })
    at.ran()
    await kill(at, 0, 1, 2, 3)
    expect(at.ran()).toEqual(['on_stop.error'])
    await at.sim.clock.advance(5_000)
    expect(at.ran()).toEqual(['on_start.success', 'on_restart.success'])
  })

  it('has failed to start once, whichever of them failed', async () => {
    const programs = { api: byReplica({ 1: exitsAfter(100, 1), 3: exitsAfter(150, 1) }) }
    await using at = await scene({ api: { replicas: 4 } }, { programs })
    await at.sim.clock.advance(5_000)
    expect(at.ran()).toEqual(['on_start.error'])
    at.runs(serve())
    await at.sim.start(['api'])
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_start.success'])
  })

  it('fails again with each round of restarts', async () => {
    await using at = await scene({ api: { ...api, backoff: '1s' } }, { programs: { api: exitsAfter(100, 1) } })
    at.ran()
    await at.sim.clock.advance(2_300)
    expect(at.ran()).toEqual(['on_start.error', 'on_restart.error', 'on_start.error', 'on_restart.error'])
  })

  it('is scaled without a word, and stopped by a scale to nothing', async () => {
    await using at = await scene({ api })
    at.ran()
    await at.sim.finish(at.sim.system.scale({ api: 6 }))
    await at.sim.finish(at.sim.system.scale({ api: 1 }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual([])
    await at.sim.finish(at.sim.system.scale({ api: 0 }))
    await at.sim.finish(at.sim.system.scale({ api: 2 }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success', 'on_start.success'])
  })

  it('and completes with the last of them', async () => {
    const programs = { api: byReplica({ 0: exitsAfter(10), 1: exitsAfter(20), 2: exitsAfter(30), 3: exitsAfter(40) }) }
    await using at = await scene({ api: { replicas: 4 } }, { programs })
    expect(at.sim.service('api').state).toBe('completed')
    expect(at.ran()).toEqual(['on_start.success', 'on_stop.success'])
  })
})

describe('a deploy', () => {
  const rolling = { deployment: { strategy: 'rolling' as const } }

  it.each([
    ['of one instance', {}],
    ['of three', { replicas: 3 }],
  ])('%s that never lets the service down is told as a stop and a start, when it has succeeded', async (_, more) => {
    await using at = await scene({ api: { ...rolling, ...comesBack, ...more } })
    at.ran()
    const before = at.sim.service('api').pids.map(String)
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success', 'on_start.success'])
    const [, stopped, started] = at.notes.told
    expect(before).toContain(stopped?.['PID'])
    expect(at.sim.service('api').pids.map(String)).toContain(started?.['PID'])
  })

  it('of three by `immediate` is told once', async () => {
    await using at = await scene({ api: { replicas: 3 } })
    at.ran()
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success', 'on_start.success'])
  })

  it.each([
    ['dies', exitsAfter(100, 1)],
    ['completes', exitsAfter(100)],
  ])('whose new instance %s is a start that failed; what serves goes on', async (_, program) => {
    await using at = await scene({ api: { ...rolling, ...comesBack } })
    at.ran()
    at.runs(program)
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.advance(10_000)
    expect(at.sim.service('api').state).toBe('running')
    expect(at.ran()).toEqual(['on_start.error'])
  })

  it('whose new instance dies in its grace period tells of that one', async () => {
    const api = { deployment: { strategy: 'rolling' as const, grace_period: '5s' } }
    await using at = await scene({ api })
    const before = at.sim.service('api').pids.map(String)
    at.runs(exitsAfter(1_000, 7))
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.advance(10_000)
    expect(at.ran()).toEqual(['on_start.success', 'on_start.error'])
    const told = at.notes.told.at(-1)
    expect(told).toMatchObject({ PID: expect.stringMatching(/^\d+$/) as string, EXIT_CODE: '7' })
    expect(before).not.toContain(told?.['PID'])
  })

  it('whose `pre_start` fails is a start that failed', async () => {
    const api = { deployment: { strategy: 'rolling' as const, pre_start: 'migrate' } }
    await using at = await scene(
      { api },
      { programs: { api: (self) => (self.argv[2] === 'migrate' ? self.exit(0) : undefined) } },
    )
    at.ran()
    at.runs((self) => (self.argv[2] === 'migrate' ? self.exit(1) : undefined))
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_start.error'])
  })

  it('that a stop calls off is a stop, once', async () => {
    await using at = await scene({ api: rolling, web: {} }, { programs: { web: serve() } })
    for (const name of ['api', 'web']) {
      at.ran(name)
      const restarting = at.sim.system.restart({ names: [name] })
      await at.sim.clock.advance(100)
      await at.sim.finish(at.sim.system.stop([name]))
      await at.sim.finish(restarting)
      await at.sim.clock.settle()
      expect(at.ran(name), name).toEqual(['on_stop.success'])
    }
  })

  it('during which the old instance crashes is a crash and a start', async () => {
    await using at = await scene({ api: { ...rolling, ...comesBack } })
    at.ran()
    const restarting = at.sim.system.restart({ names: ['api'] })
    await at.sim.clock.advance(100)
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.finish(restarting)
    await at.sim.clock.advance(5_000)
    expect(at.ran()).toEqual(['on_stop.error', 'on_start.success'])
  })
})

describe('a person', () => {
  it('who stops a service while it is starting has it stopped', async () => {
    await using at = await scene({ api: {} }, { idle: true })
    const starting = at.sim.system.start()
    await at.sim.clock.advance(100)
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.finish(starting)
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success'])
  })

  it('who stops one that is down already runs nothing', async () => {
    await using at = await scene({ api: { ...comesBack, backoff: '1h' } })
    await at.sim.service('api').exit({ code: 1 })
    at.ran()
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual([])
  })

  it.each(['start', 'restart'] as const)('who says %s while it waits for its restart starts it', async (verb) => {
    await using at = await scene({ api: { ...comesBack, backoff: '1h' } })
    await at.sim.service('api').exit({ code: 1 })
    at.ran()
    await at.sim.finish(at.sim.system[verb]({ names: ['api'] }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_start.success'])
    await at.sim.service('api').exit({ code: 1 })
    expect(at.ran()).toEqual(['on_stop.error'])
  })
})

describe('a scheduled service', () => {
  const job = { cron: { expression: '0 * * * * *', timeout: '30s' } }
  const ends: readonly [string, Program, readonly string[]][] = [
    ['goes well', exitsAfter(2_000), ['on_start.success', 'on_stop.success']],
    ['is done at once', exitsAfter(0), ['on_start.success', 'on_stop.success']],
    ['fails', exitsAfter(2_000, 1), ['on_start.success', 'on_stop.error']],
    ['fails at once', exitsAfter(0, 1), ['on_start.error']],
    ['takes too long', serve(), ['on_start.success', 'on_stop.error']],
  ]

  it.each(ends)('whose run %s', async (_, program, hooks) => {
    await using at = await scene({ job }, { programs: { job: program } })
    expect(at.ran('job')).toEqual([])
    for (const run of [1, 2]) {
      await at.sim.clock.advance(60_000)
      await at.sim.clock.advance(run === 1 ? 40_000 : 0)
      if (run === 1) expect(at.ran('job')).toEqual(hooks)
    }
  })
})

it('an ad-hoc service has none, and disturbs none', async () => {
  await using at = await scene({ api: {} })
  at.ran()
  const { services } = await at.sim.configOf({ once: { command: 'x' } })
  if (services['once'] === undefined) throw new Error('no service')
  await at.sim.finish(at.sim.system.startAdHoc(services['once']))
  await at.sim.finish(at.sim.system.stop(['once']))
  await at.sim.clock.settle()
  expect(at.notes.all).toEqual([])
})

it('a day of a system, as a whole', async () => {
  const services = {
    db: comesBack,
    migrate: { depends_on: ['db'] },
    api: { depends_on: { db: {}, migrate: { condition: 'completed' as const } }, ...comesBack },
  }
  await using at = await scene(services, { programs: { migrate: exitsAfter(1_000) } })
  await at.sim.service('api').exit({ code: 1 })
  await at.sim.clock.advance(2_000)
  await at.sim.service('db').exit({ code: 1 })
  await at.sim.clock.advance(5_000)
  await at.sim.finish(at.sim.system.restart())
  await at.sim.finish(at.sim.system.shutdown())
  expect(at.notes.all).toEqual([
    'db on_start.success',
    ...['migrate on_start.success', 'migrate on_stop.success', 'api on_start.success'],
    ...['api on_stop.error', 'api on_start.success', 'api on_restart.success'],
    ...[
      'db on_stop.error',
      'api on_stop.success',
      'db on_start.success',
      'db on_restart.success',
      'api on_start.success',
    ],
    ...['db on_stop.success', 'db on_start.success', 'migrate on_start.success', 'migrate on_stop.success'],
    ...['api on_stop.success', 'api on_start.success', 'api on_stop.success', 'db on_stop.success'],
  ])
})

describe('the end of the system', () => {
  const slow: Program = (self) => self.after(3_000, () => self.exit(0))

  it('waits for hooks that run and that are due', async () => {
    await using at = await scene({ api: {}, db: {} })
    at.notes.does = slow
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    const sinceMs = at.sim.world.elapsedMs()
    await at.sim.finish(at.sim.system.shutdown())
    expect(at.ran()).toEqual(['on_start.success', 'on_stop.success', 'on_start.success', 'on_stop.success'])
    expect(at.sim.world.elapsedMs() - sinceMs).toBeGreaterThan(8_000)
    expect(at.sim.world.processes.list()).toEqual([])
  })

  it('waits no longer than their timeouts', async () => {
    await using at = await scene({ api: { hooks: { on_stop: { success: { command: 'hang', timeout: '7s' } } } } })
    at.notes.does = ignoresSigterm()
    const sinceMs = at.sim.world.elapsedMs()
    await at.sim.finish(at.sim.system.shutdown())
    expect(at.sim.world.elapsedMs() - sinceMs).toBe(7_000)
    expect(at.sim.world.processes.list()).toEqual([])
  })

  it.each([
    ['while hooks run', 1_000],
    ['at once', 0],
  ])('that is hurried, %s, kills them', async (_, afterMs) => {
    await using at = await scene({ api: {} })
    at.notes.does = ignoresSigterm()
    const ending = at.sim.system.shutdown()
    await at.sim.clock.advance(afterMs)
    const sinceMs = at.sim.world.elapsedMs()
    await at.sim.finish(at.sim.system.shutdown({ now: true }))
    await at.sim.finish(ending)
    expect(at.sim.world.elapsedMs() - sinceMs).toBeLessThan(100)
    expect(at.sim.world.processes.list()).toEqual([])
    expect(at.sim.host.store.table('hook_runs').entries()).toEqual([])
  })
})

describe('a supervisor that is killed', () => {
  const comeBack = async ({ sim }: Scene, awayMs = 300) => {
    sim.crash()
    await sim.clock.advance(awayMs)
    await sim.boot()
    await sim.finish(sim.system.resume())
    await sim.clock.settle()
  }

  it('has its successor say nothing of what goes on', async () => {
    await using at = await scene({ api: comesBack, web: { replicas: 3 } })
    at.notes.all.length = 0
    await comeBack(at)
    expect(at.sim.states).toEqual({ api: 'running', web: 'running' })
    expect(at.notes.all).toEqual([])
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.advance(3_000)
    expect(at.ran()).toEqual(['on_stop.error', 'on_start.success', 'on_restart.success'])
  })

  it('has its successor wait for the hook that runs, not run it again, and run what waits', async () => {
    await using at = await scene({ api: {} }, { idle: true })
    at.notes.does = (self) => self.after(5_000, () => self.exit(0))
    await at.sim.start()
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await comeBack(at)
    expect(at.ran()).toEqual(['on_start.success'])
    await at.sim.clock.advance(20_000)
    expect(at.ran()).toEqual(['on_stop.success', 'on_start.success'])
    expect(at.sim.world.processes.list().filter(({ role }) => role === 'run')).toEqual([])
  })

  it('has its successor end the hook that runs when its time is over', async () => {
    await using at = await scene({ api: { hooks: { on_start: { success: { command: 'hang', timeout: '10s' } } } } })
    at.notes.does = ignoresSigterm()
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.settle()
    expect(at.sim.world.processes.list().map(({ role }) => role)).toContain('run')
    const count = at.notes.all.length
    await comeBack(at, 4_000)
    expect(at.notes.all).toHaveLength(count)
    await at.sim.clock.advance(7_000)
    expect(at.sim.world.processes.list().map(({ role }) => role)).toEqual(['spawn'])
    const failed = at.sim.events.filter(({ type }) => type === 'hook.failed')
    expect(failed.map(({ data }) => data['reason'])).toEqual(['it took longer than 10s'])
  })

  it('tells of what died meanwhile as a crash, and of its restart', async () => {
    await using at = await scene({ api: { ...comesBack, replicas: 3 } })
    at.ran()
    at.sim.crash()
    for (const { pid } of at.sim.world.processes.list('api')) at.sim.world.processes.kill(pid, 'SIGKILL')
    await at.sim.clock.advance(300)
    await at.sim.boot()
    await at.sim.finish(at.sim.system.resume())
    await at.sim.clock.advance(3_000)
    expect(at.ran()).toEqual(['on_stop.error', 'on_start.success', 'on_restart.success'])
  })

  it('between a crash and the restart has that told as a restart', async () => {
    await using at = await scene({ api: { ...comesBack, backoff: '10s' } })
    await at.sim.service('api').exit({ code: 1 })
    at.ran()
    await comeBack(at)
    await at.sim.clock.advance(12_000)
    expect(at.ran()).toEqual(['on_start.success', 'on_restart.success'])
  })

  it('while it stops everything has that told as a stop', async () => {
    await using at = await scene({ api: {} }, { programs: { api: stopsAfter(2_000) } })
    at.ran()
    void at.sim.system.shutdown()
    await at.sim.clock.advance(1_000)
    await comeBack(at, 5_000)
    expect(at.ran()).toEqual(['on_stop.success'])
  })

  it('before whatever it does, loses no hook, and doubles one only if it was about to write down that it runs', async () => {
    const expected = ['on_start.success', 'on_stop.error', 'on_start.success', 'on_restart.success', 'on_stop.success']
    const doubled: string[] = []
    for (let killedAt = 1; ; killedAt += 1) {
      await using at = await scene({ api: { ...comesBack, backoff: '500ms' } }, { idle: true })
      const { sim, notes } = at
      notes.does = (self) => self.after(200, () => self.exit(0))
      let calls = 0
      let lastCall = ''
      let isKilled = false
      sim.world.faults.beforeCall = (call) => {
        calls += 1
        if (calls === killedAt && !isKilled) {
          isKilled = true
          sim.crash()
        } else if (!isKilled) lastCall = call
      }
      let isBack = false
      const comesTo = async (condition: () => boolean, ask?: () => unknown) => {
        void ask?.()
        await sim.until(() => (isKilled && !isBack) || condition())
        if (!isKilled || isBack) return
        isBack = true
        await sim.clock.advance(50)
        await sim.boot()
        void sim.system.resume()
        void ask?.()
        await sim.until(condition)
      }
      const isUp = (after: number) => () => {
        const api = sim.service('api')
        return api.starts > after && api.state === 'running'
      }
      const isQuiet = () => sim.host.store.table('hook_runs').entries().length === 0
      void sim.system.boot()
      void sim.system.start()
      await comesTo(isUp(0))
      const { starts } = sim.service('api')
      await sim.service('api').exit({ code: 1 })
      await comesTo(isUp(starts))
      await comesTo(isQuiet)
      await comesTo(
        () => sim.service('api').state === 'stopped',
        () => sim.system.stop(['api']),
      )
      await comesTo(isQuiet)
      const ran = at.ran()
      if (ran.length > expected.length) doubled.push(lastCall)
      expect(
        ran.filter((hook, index) => hook !== ran[index - 1]),
        `killed before call ${killedAt}`,
      ).toEqual(expected)
      if (calls < killedAt) break
    }
    expect(new Set(doubled)).toEqual(new Set(['run', 'store.transaction']))
  })
})

it('hooks that are added while a service runs, before the supervisor dies, say nothing of the past', async () => {
  await using at = await scene({ api: { hooks: {} } })
  await at.sim.finish(at.sim.system.apply(await at.sim.configOf({ api: { command: 'x', hooks: everyHook } })))
  at.sim.crash()
  await at.sim.boot({ api: { command: 'x', hooks: everyHook } })
  await at.sim.finish(at.sim.system.resume())
  await at.sim.clock.settle()
  expect(at.ran()).toEqual([])
})
