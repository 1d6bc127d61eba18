import { crashesAt, exitsAfter, serve, type Program } from '@systemg/core/simulated'
import type { ServiceConfig } from '@systemg/core'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { probed } from '../simulation/plugins.ts'
import { comesBack, everyHook, plugins, scene } from './hook-scene.ts'

describe('the matrix', () => {
  it('becomes ready: on_start.success', async () => {
    await using at = await scene({ api: {} })
    expect(at.ran()).toEqual(['on_start.success'])
  })

  it('completes during its start: on_start.success, and on_stop.success as it exits 0 by itself', async () => {
    await using at = await scene({ api: {} }, { programs: { api: exitsAfter(0) } })
    expect(at.sim.service('api').state).toBe('completed')
    expect(at.ran()).toEqual(['on_start.success', 'on_stop.success'])
  })

  it.each<[string, Partial<ServiceConfig>, Program | undefined]>([
    ['cannot be spawned', {}, undefined],
    ['dies before it is ready', {}, exitsAfter(100, 1)],
    ['never becomes ready', { health_check: { test: {}, total_timeout: '3s' } } as never, serve()],
  ])('fails to start, as it %s: on_start.error', async (what, service, program) => {
    const more = what.startsWith('never') ? [(await import('@systemg/plugins')).health, probed(new Set())] : []
    const options = { more, idle: true, ...(program === undefined ? {} : { programs: { api: program } }) }
    await using at = await scene({ api: service }, options)
    if (program === undefined) at.sim.world.failSpawns('ENOENT')
    await at.sim.start()
    await at.sim.clock.advance(10_000)
    expect(at.sim.service('api').state).toBe('failed')
    expect(at.ran()).toEqual(['on_start.error'])
  })

  it('stopped by a person: on_stop.success', async () => {
    await using at = await scene({ api: {} })
    at.ran()
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success'])
  })

  it('stopped by a reload that no longer has it: on_stop.success', async () => {
    await using at = await scene({ api: {}, db: {} })
    at.ran()
    await at.sim.finish(at.sim.system.apply(await at.sim.configOf({ db: { command: 'x', hooks: everyHook } })))
    await at.sim.clock.settle()
    expect([at.ran(), at.ran('db')]).toEqual([['on_stop.success'], ['on_start.success']])
  })

  it('exits 0 by itself: on_stop.success', async () => {
    await using at = await scene({ api: {} }, { programs: { api: exitsAfter(5_000) } })
    await at.sim.clock.advance(6_000)
    expect(at.ran()).toEqual(['on_start.success', 'on_stop.success'])
  })

  it.each<[string, Program]>([
    ['with a code', exitsAfter(5_000, 3)],
    ['by a signal', crashesAt(5_000)],
  ])('crashes, %s: on_stop.error', async (_, program) => {
    await using at = await scene({ api: {} }, { programs: { api: program } })
    await at.sim.clock.advance(6_000)
    expect(at.ran()).toEqual(['on_start.success', 'on_stop.error'])
  })

  it('crash, then restarted and ready: on_stop.error, on_start.success, on_restart.success', async () => {
    await using at = await scene({ api: comesBack })
    at.ran()
    await at.sim.service('api').exit({ code: 1 })
    expect(at.ran()).toEqual(['on_stop.error'])
    await at.sim.clock.advance(2_000)
    expect(at.ran()).toEqual(['on_start.success', 'on_restart.success'])
  })

  it('restarted by a person: stop and start hooks, never on_restart', async () => {
    await using at = await scene({ api: comesBack })
    at.ran()
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['on_stop.success', 'on_start.success'])
  })

  it('stopped because a dependency went down: on_stop.success, and its release is no restart', async () => {
    await using at = await scene({ db: comesBack, api: { depends_on: ['db'], ...comesBack } })
    expect([at.ran('db'), at.ran()]).toEqual([['on_start.success'], ['on_start.success']])
    await at.sim.service('db').exit({ code: 1 })
    expect([at.ran('db'), at.ran()]).toEqual([['on_stop.error'], ['on_stop.success']])
    await at.sim.clock.advance(5_000)
    expect([at.ran('db'), at.ran()]).toEqual([['on_start.success', 'on_restart.success'], ['on_start.success']])
  })

  it('crash, restart fails: on_stop.error, on_start.error, on_restart.error; and again with each restart', async () => {
    await using at = await scene({ api: comesBack })
    at.ran()
    at.runs(exitsAfter(100, 1))
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.advance(1_500)
    expect(at.ran()).toEqual(['on_stop.error', 'on_start.error', 'on_restart.error'])
    await at.sim.clock.advance(1_100)
    expect(at.ran()).toEqual(['on_start.error', 'on_restart.error'])
    at.runs(serve())
    await at.sim.clock.advance(1_500)
    expect(at.ran()).toEqual(['on_start.success', 'on_restart.success'])
  })
})

describe('what a hook is told', () => {
  it('is the service, its pid, how it ended, and which restart in a row it is', async () => {
    await using at = await scene({ api: comesBack })
    const [first] = at.sim.service('api').pids
    await at.sim.service('api').exit({ code: 7 })
    await at.sim.clock.advance(2_000)
    const [second] = at.sim.service('api').pids
    await at.sim.service('api').exit({ signal: 'SIGSEGV' })
    expect(at.notes.told).toEqual([
      { EVENT: 'on_start.success', SERVICE: 'api', PID: String(first), EXIT_CODE: '', SIGNAL: '', ATTEMPT: '0' },
      { EVENT: 'on_stop.error', SERVICE: 'api', PID: String(first), EXIT_CODE: '7', SIGNAL: '', ATTEMPT: '0' },
      { EVENT: 'on_start.success', SERVICE: 'api', PID: String(second), EXIT_CODE: '', SIGNAL: '', ATTEMPT: '1' },
      { EVENT: 'on_restart.success', SERVICE: 'api', PID: String(second), EXIT_CODE: '', SIGNAL: '', ATTEMPT: '1' },
      { EVENT: 'on_stop.error', SERVICE: 'api', PID: String(second), EXIT_CODE: '', SIGNAL: 'SIGSEGV', ATTEMPT: '1' },
    ])
  })

  it('comes on top of the environment of the service', async () => {
    let env: Readonly<Record<string, string>> = {}
    const api = { command: 'x', env: { vars: { COLOR: 'red' } }, hooks: { on_start: { success: 'note' } } }
    const program: Program = (self) => {
      if (self.env['SYSG_EVENT'] === undefined) return
      env = self.env
      self.exit(0)
    }
    await using sim = await simulate(plugins, { api }, { programs: { api: program } })
    await sim.clock.settle()
    expect(env).toMatchObject({ COLOR: 'red', SYSG_EVENT: 'on_start.success' })
  })
})

describe('a hook', () => {
  it('that hangs holds up neither its service nor any command, and is killed at its timeout', async () => {
    const hooks = { on_start: { success: { command: 'hang', timeout: '5s' } }, on_stop: { success: 'bye' } }
    await using at = await scene({ api: { hooks } })
    at.notes.does = (self) => (self.argv[2] === 'hang' ? self.fork(serve(), { setsid: true }) : self.exit(0))
    await at.sim.finish(at.sim.system.restart({ names: ['api'] }))
    await at.sim.finish(at.sim.system.stop(['api']))
    expect(at.ran()).toEqual(['hang', 'bye', 'hang'])
    expect(at.sim.world.processes.list()).toHaveLength(2)
    await at.sim.clock.advance(5_000)
    expect(at.ran()).toEqual(['bye'])
    expect(at.sim.world.processes.list()).toEqual([])
    expect(at.sim.events.filter(({ type }) => type === 'hook.failed').map(({ data }) => data['reason'])).toEqual([
      'it took longer than 5s',
    ])
  })

  it('that fails is an event with why and its last lines, and changes nothing', async () => {
    await using at = await scene({ api: {} }, { idle: true })
    at.notes.does = (self) => {
      self.write('no such channel\n', 'stderr')
      self.exit(4)
    }
    await at.sim.start()
    await at.sim.clock.settle()
    const [failed] = at.sim.events.filter(({ type }) => type === 'hook.failed')
    const ready = at.sim.events.find(({ type }) => type === 'service.ready')
    expect(failed).toMatchObject({
      service: 'api',
      cause: ready?.seq,
      data: {
        hook: 'on_start.success',
        reason: 'exit code 4, `no such channel`',
        exit_code: 4,
        last_lines: ['no such channel'],
      },
    })
    expect(at.sim.service('api').state).toBe('running')
  })

  it('that cannot be run is an event, too', async () => {
    await using at = await scene({ api: {} }, { idle: true })
    const starting = at.sim.system.start()
    await at.sim.clock.advance(100)
    at.sim.world.failSpawns('EAGAIN')
    await at.sim.finish(starting)
    await at.sim.clock.settle()
    const [failed] = at.sim.events.filter(({ type }) => type === 'hook.failed')
    expect(failed?.data['reason']).toMatch(/^it could not be run: .*EAGAIN/)
  })

  it('of one service waits for the one before, of another service does not', async () => {
    await using at = await scene({ api: {}, db: {} }, { idle: true })
    at.notes.does = (self) => self.after(2_000, () => self.exit(0))
    await at.sim.start()
    await at.sim.finish(at.sim.system.stop(['api']))
    expect([at.ran(), at.ran('db')]).toEqual([['on_start.success'], ['on_start.success']])
    await at.sim.clock.advance(2_000)
    expect(at.ran()).toEqual(['on_stop.success'])
  })

  it('of a service that crashes faster than they run is left out when a hundred wait', async () => {
    const api = { ...comesBack, backoff: '300ms', startup_grace: '10ms' }
    await using at = await scene({ api }, { programs: { api: exitsAfter(50, 1) } })
    at.notes.does = (self) => self.after(29_000, () => self.exit(0))
    await at.sim.clock.advance(60_000)
    const dropped = at.sim.events.filter(({ type }) => type === 'hook.dropped')
    expect(dropped.length).toBeGreaterThan(100)
    expect(dropped[0]?.data).toEqual({ hook: expect.any(String) as string, waiting: 100 })
    expect(at.sim.host.store.table('hook_runs').entries().length).toBeLessThanOrEqual(101)
  })

  it('is changed without a restart, and is the new one from then on', async () => {
    await using at = await scene({ api: {} })
    at.ran()
    const next = await at.sim.configOf({ api: { command: 'x', hooks: { on_stop: { success: 'another' } } } })
    const because = ['`hooks` changed, taken up at once']
    expect(at.sim.system.plan(next)).toEqual([{ service: 'api', action: 'keep', because }])
    await at.sim.finish(at.sim.system.apply(next))
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.clock.settle()
    expect(at.ran()).toEqual(['another'])
  })
})
