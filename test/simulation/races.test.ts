/** Every row of SPEC §2's table of races: while this, that happens; one answer each. */
import { definePlugin } from '@systemg/core'
import { simulate, type Simulation } from '@systemg/core/testing'
import { exitsAfter, ignoresSigterm, stopsAfter } from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { probed, remembers, retries, retriesOnly, rolling } from './plugins.ts'

const x = { command: 'x' }

/** Pids in the order in which they ended, from now on. */
const watchEnds = (sim: Simulation): number[] => {
  const ended: number[] = []
  sim.world.processes.watch(({ process, exit }) => {
    if (exit !== undefined) ended.push(process.pid)
  })
  return ended
}

const pidOf = (sim: Simulation, service: string): number => {
  const pid = sim.service(service).view.instances.find(({ role }) => role === 'active')?.pid
  if (pid === null || pid === undefined) throw new Error(`${service} has no active instance`)
  return pid
}

const candidateOf = (sim: Simulation, service: string): number | undefined =>
  sim.service(service).view.instances.find(({ role }) => role === 'candidate')?.pid ?? undefined

describe('waiting for a gate', () => {
  it('a stop ends the wait at once and nothing is spawned afterwards', async () => {
    const healthy = new Set<string>()
    await using sim = await simulate([probed(healthy)], { db: x, web: { ...x, depends_on: ['db'] } }, { idle: true })
    const starting = sim.system.start()
    await sim.clock.advance(500)
    expect(sim.states).toEqual({ db: 'starting', web: 'waiting' })
    const stopped = await sim.finish(sim.system.stop(['web']))
    expect(stopped.ok).toBe(true)
    expect(sim.service('web').state).toBe('stopped')
    healthy.add('db')
    await sim.finish(starting)
    await sim.clock.advance(5_000)
    expect(sim.states).toEqual({ db: 'running', web: 'stopped' })
    expect(sim.service('web').starts).toBe(0)
  })

  it('a tap that answers late after a stop spawns nothing', async () => {
    const late = definePlugin({
      name: 'late',
      setup: ({ hooks, host }) =>
        hooks.prepare.tapPromise(
          'late',
          (spec) => new Promise((resolve) => host.clock.timer(5_000, () => resolve(spec))),
        ),
    })
    await using sim = await simulate([late], { api: x }, { idle: true })
    void sim.system.start()
    await sim.clock.advance(1_000)
    expect(sim.service('api').state).toBe('starting')
    await sim.finish(sim.system.stop(['api']))
    expect(sim.world.elapsedMs()).toBeLessThan(1_100)
    expect(sim.service('api').state).toBe('stopped')
    await sim.clock.advance(10_000)
    expect(sim.service('api').starts).toBe(0)
  })

  it('a launch that answers late after a stop is ended, not lost', async () => {
    const late = definePlugin({
      name: 'late',
      setup: ({ hooks, host }) =>
        hooks.launch.tapPromise('late', async (spec) => {
          await new Promise<void>((resolve) => host.clock.timer(5_000, resolve))
          return host.processes.spawn(spec)
        }),
    })
    await using sim = await simulate([late], { api: x }, { idle: true })
    void sim.system.start()
    await sim.clock.advance(1_000)
    await sim.finish(sim.system.stop(['api']))
    expect(sim.service('api').state).toBe('stopped')
    expect(sim.world.processes.list()).toEqual([])
  })
})

describe('candidate or pre_start under way', () => {
  it('a stop ends the candidate, then the old instance; the deploy says it was superseded', async () => {
    const healthy = new Set(['api-1'])
    await using sim = await simulate([probed(healthy), rolling()], { api: x })
    const old = pidOf(sim, 'api')
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(500)
    const candidate = candidateOf(sim, 'api')
    expect(candidate).toBeTypeOf('number')
    const ended = watchEnds(sim)
    await sim.finish(sim.system.stop(['api']))
    expect(ended).toEqual([candidate, old])
    const outcome = await sim.finish(deploy)
    expect(outcome.ok).toBe(false)
    expect(outcome.problems[0]).toMatchObject({
      code: 'SYSG_DEPLOY_SUPERSEDED',
      message: expect.stringContaining('superseded by stop') as string,
    })
    expect(sim.service('api').state).toBe('stopped')
  })

  it('a stop during pre_start ends the deploy before a candidate was started', async () => {
    await using sim = await simulate([rolling({ preStartMs: 60_000 })], { api: x })
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(1_000)
    await sim.finish(sim.system.stop(['api']))
    expect((await sim.finish(deploy)).problems[0]?.code).toBe('SYSG_DEPLOY_SUPERSEDED')
    expect(sim.service('api').starts).toBe(1)
    expect(sim.world.elapsedMs()).toBeLessThan(5_000)
  })

  it('a second restart with the same config joins the running deploy', async () => {
    await using sim = await simulate([rolling()], { api: x })
    const first = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(100)
    const second = sim.system.restart({ names: ['api'] })
    expect((await sim.finish(first)).ok).toBe(true)
    expect((await sim.finish(second)).ok).toBe(true)
    expect(sim.service('api').starts).toBe(2)
  })

  it('a restart with another config removes the candidate, begins anew, and tells the first', async () => {
    const healthy = new Set(['api-1'])
    await using sim = await simulate([probed(healthy), rolling()], { api: x })
    const old = pidOf(sim, 'api')
    const first = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(500)
    const removed = candidateOf(sim, 'api')
    const second = sim.system.apply(await sim.configOf({ api: { command: 'y' } }))
    const outcome = await sim.finish(first)
    expect(outcome.problems[0]?.code).toBe('SYSG_DEPLOY_SUPERSEDED')
    await sim.clock.advance(500)
    expect(candidateOf(sim, 'api')).not.toBe(removed)
    expect(sim.service('api').pids).toContain(old)
    expect(sim.service('api').pids).not.toContain(removed)
    healthy.add('api')
    expect((await sim.finish(second)).ok).toBe(true)
    expect(sim.service('api').pids).toHaveLength(1)
    expect(sim.service('api').pids).not.toContain(old)
  })

  it('the old instance crashes: the deploy goes on and dependents cascade', async () => {
    const healthy = new Set(['api-1', 'web'])
    await using sim = await simulate([probed(healthy), rolling()], { api: x, web: { ...x, depends_on: ['api'] } })
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(500)
    await sim.service('api').exit({ code: 1 })
    await sim.clock.advance(100)
    expect(sim.service('web').pids).toEqual([])
    expect(sim.service('web').state).not.toBe('running')
    expect(candidateOf(sim, 'api')).toBeTypeOf('number')
    healthy.add('api-2')
    expect((await sim.finish(deploy)).ok).toBe(true)
    await sim.until(() => sim.service('web').state === 'running')
    expect(sim.service('api').starts).toBe(2)
    expect(sim.service('api').view.restarts).toBe(0)
  })

  it('the old instance and then the candidate crash: the policy brings back what was proved', async () => {
    const healthy = new Set(['api-1', 'api-3'])
    await using sim = await simulate([probed(healthy), rolling(), retries(1_000)], { api: { command: 'old' } })
    const deploy = sim.system.apply(await sim.configOf({ api: { command: 'new' } }))
    await sim.clock.advance(500)
    await sim.service('api').exit({ code: 1 })
    const candidate = candidateOf(sim, 'api')
    if (candidate !== undefined) sim.world.processes.exit(candidate, 2)
    const outcome = await sim.finish(deploy)
    expect(outcome.problems[0]).toMatchObject({
      code: 'SYSG_DEPLOY_FAILED',
      message: expect.stringContaining('exit code 2') as string,
    })
    await sim.until(() => sim.service('api').state === 'running')
    expect(sim.service('api').view.restarts).toBe(1)
    const last = sim.events.findLast(({ type }) => type === 'instance.started')
    expect(last?.instance).toBe('api-3')
  })

  it('a dependency crashes: the deploy fails in step `dependency`, the candidate goes, then the cascade', async () => {
    const healthy = new Set(['db', 'api-1'])
    await using sim = await simulate([probed(healthy), rolling()], { db: x, api: { ...x, depends_on: ['db'] } })
    const old = pidOf(sim, 'api')
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.clock.advance(500)
    const candidate = candidateOf(sim, 'api')
    const ended = watchEnds(sim)
    await sim.service('db').exit({ code: 1 })
    const outcome = await sim.finish(deploy)
    expect(outcome.problems[0]).toMatchObject({
      code: 'SYSG_DEPLOY_FAILED',
      message: expect.stringContaining('`dependency`') as string,
    })
    await sim.clock.advance(100)
    expect(ended.slice(1)).toEqual([candidate, old])
    expect(sim.states).toEqual({ db: 'failed', api: 'blocked' })
  })

  it('SIGKILL of the supervisor before the switch keeps the old instance and removes the candidate', async () => {
    const healthy = new Set(['api-1'])
    await using sim = await simulate([remembers(), probed(healthy), rolling()], { api: x })
    const old = pidOf(sim, 'api')
    void sim.system.restart({ names: ['api'] })
    await sim.clock.advance(500)
    expect(sim.service('api').pids).toHaveLength(2)
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('api').pids).toEqual([old])
    expect(sim.service('api').state).toBe('running')
    expect(sim.eventTypes('api')).toContain('deploy.rolled_back')
  })

  it('SIGKILL of the supervisor after the switch keeps the new instance and removes the old one', async () => {
    await using sim = await simulate([remembers(), rolling({ graceMs: 60_000 })], { api: x })
    const old = pidOf(sim, 'api')
    void sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.eventTypes('api').includes('deploy.switched'))
    const next = pidOf(sim, 'api')
    expect(next).not.toBe(old)
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('api').pids).toEqual([next])
    expect(sim.service('api').state).toBe('running')
  })
})

describe('grace period', () => {
  it('the new instance crashes: the old one is kept, the switch undone, the deploy failed', async () => {
    await using sim = await simulate([rolling({ graceMs: 10_000 }), retries(1_000)], {
      api: x,
      web: { ...x, depends_on: ['api'] },
    })
    const old = pidOf(sim, 'api')
    const web = pidOf(sim, 'web')
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.eventTypes('api').includes('deploy.switched'))
    await sim.service('api').exit({ code: 7 })
    const outcome = await sim.finish(deploy)
    expect(outcome.problems[0]).toMatchObject({ message: expect.stringContaining('`grace`') as string })
    expect(pidOf(sim, 'api')).toBe(old)
    expect(sim.service('api').pids).toEqual([old])
    expect(pidOf(sim, 'web')).toBe(web)
    expect(sim.service('api').view.restarts).toBe(0)
    expect(sim.eventTypes('api').filter((type) => type === 'deploy.switched')).toHaveLength(2)
  })
})

describe('dependents', () => {
  it('one in backoff whose dependency crashes is blocked, keeps its count, and its release is no restart', async () => {
    await using sim = await simulate([retries(10_000)], { db: x, web: { ...x, depends_on: ['db'] } })
    await sim.service('web').exit({ code: 1 })
    await sim.clock.advance(1_000)
    expect(sim.service('web').state).toBe('backoff')
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(10)
    expect(sim.service('web').state).toBe('blocked')
    expect(sim.service('web').reason).toBe('db is in backoff: exit code 1')
    expect(sim.service('web').view.retry_at).toBeNull()
    await sim.clock.advance(9_500)
    expect(sim.service('web').starts).toBe(1)
    await sim.until(() => sim.service('web').state === 'running')
    expect(sim.service('web').view.restarts).toBe(0)
    await sim.service('web').exit({ code: 1 })
    const attempts = sim.events.filter(({ type, service }) => type === 'service.restarting' && service === 'web')
    expect(attempts.map(({ data }) => data['attempt'])).toEqual([1, 2])
  })

  it('one that is stopping when its dependency is ready again finishes stopping, then starts', async () => {
    await using sim = await simulate(
      [retriesOnly(100, 'db')],
      { db: x, web: { ...x, depends_on: ['db'] } },
      { programs: { web: stopsAfter(5_000) } },
    )
    const first = pidOf(sim, 'web')
    await sim.service('db').exit({ code: 1 })
    await sim.until(() => sim.service('db').state === 'running')
    expect(sim.service('web').state).toBe('stopping')
    expect(sim.service('web').pids).toEqual([first])
    await sim.until(() => sim.service('web').state === 'running')
    expect(sim.world.elapsedMs()).toBeGreaterThan(5_000)
    expect(sim.service('web').starts).toBe(2)
  })

  it('one that has completed stays so when its dependency crashes, and runs again only when asked', async () => {
    const services = { db: x, migrate: { ...x, depends_on: ['db'] } }
    await using sim = await simulate([retriesOnly(100, 'db')], services, { programs: { migrate: exitsAfter(50) } })
    expect(sim.service('migrate').state).toBe('completed')
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(5_000)
    expect(sim.states).toEqual({ db: 'running', migrate: 'completed' })
    expect(sim.service('migrate').starts).toBe(1)
    await sim.start(['migrate'])
    expect(sim.service('migrate').starts).toBe(2)
    await sim.finish(sim.system.restart({ names: ['migrate'] }))
    expect(sim.service('migrate').starts).toBe(3)
    expect(sim.service('migrate').state).toBe('completed')
  })

  it('start only while a flapping dependency is ready, and cascades cost them no restart count', async () => {
    await using sim = await simulate([retries(1_000)], { db: x, web: { ...x, depends_on: ['db'] } })
    for (let flap = 1; flap <= 5; flap += 1) {
      await sim.service('db').exit({ code: 1 })
      expect(sim.service('web').pids).toEqual([])
      await sim.until(() => sim.service('web').state === 'running')
      expect(sim.service('db').state).toBe('running')
    }
    expect(sim.service('web').view.restarts).toBe(0)
    expect(sim.service('db').view.restarts).toBe(5)
  })
})

describe('ends', () => {
  it('a process that does not die is named after 5 s, the stop fails, and no second copy is started', async () => {
    await using sim = await simulate([], { api: { ...x, stop_timeout: '1s' } }, { programs: { api: ignoresSigterm() } })
    const pid = pidOf(sim, 'api')
    sim.world.processes.setUninterruptible(pid, true)
    const outcome = await sim.finish(sim.system.stop(['api']))
    expect(outcome.problems[0]).toMatchObject({ code: 'SYSG_STOP_INCOMPLETE' })
    expect(sim.world.elapsedMs()).toBeGreaterThan(6_000)
    expect(sim.service('api').reason).toBe(`pid ${pid} does not die (uninterruptible)`)
    const again = sim.system.start({ names: ['api'] })
    await sim.clock.advance(10_000)
    expect(sim.service('api').starts).toBe(1)
    sim.world.processes.setUninterruptible(pid, false)
    expect((await sim.finish(again)).ok).toBe(true)
    expect(sim.service('api').starts).toBe(2)
    expect(sim.service('api').pids).toHaveLength(1)
  })

  it('an exit and an unhealthy result at once: the first recorded wins, stale results are dropped', async () => {
    await using sim = await simulate([retries(1_000)], { api: x })
    await sim.service('api').exit({ code: 3 })
    sim.system.reportHealth('api-1', { healthy: false, reason: 'status 503' })
    await sim.until(() => sim.service('api').state === 'running')
    sim.system.reportHealth('api-1', { healthy: false, reason: 'status 503' })
    await sim.clock.advance(100)
    expect(sim.service('api').state).toBe('running')
    expect(sim.eventTypes('api')).not.toContain('service.unhealthy')
    sim.system.reportHealth('api-2', { healthy: false, reason: 'status 503' })
    await sim.clock.settle()
    expect(sim.service('api').state).toBe('backoff')
    expect(sim.service('api').reason).toBe('unhealthy: status 503')
    expect(sim.service('api').view.restarts).toBe(1)
  })

  it('an exit is told only after the last words were read', async () => {
    const reader = definePlugin({
      name: 'reader',
      setup: ({ hooks, host }) =>
        hooks.exited.tapPromise('reader', async (lines) => {
          await new Promise<void>((resolve) => host.clock.timer(50, resolve))
          return [...lines, 'port 5432 in use']
        }),
    })
    await using sim = await simulate([reader, retries(1_000)], { db: x, api: { ...x, depends_on: ['db'] } })
    await sim.service('db').exit({ code: 1 })
    expect(sim.eventTypes('db')).not.toContain('service.exited')
    await sim.until(() => sim.service('db').state === 'backoff')
    const exited = sim.events.find(({ type }) => type === 'service.exited')
    expect(exited?.data['last_lines']).toEqual(['port 5432 in use'])
    await sim.until(() => sim.service('api').state === 'blocked')
    expect(sim.service('api').reason).toBe('db is in backoff: exit code 1, `port 5432 in use`')
  })
})

describe('reload', () => {
  it('a stop during a reload wins, service by service', async () => {
    await using sim = await simulate([], { a: x, b: { ...x, depends_on: ['a'] } })
    const reload = sim.system.apply(await sim.configOf({ a: { command: 'y' }, b: { command: 'y', depends_on: ['a'] } }))
    const stop = sim.system.stop(['b'])
    expect((await sim.finish(stop)).ok).toBe(true)
    await sim.finish(reload)
    expect(sim.states).toEqual({ a: 'running', b: 'stopped' })
  })

  it('two reloads at once end in the later config, with one copy of everything', async () => {
    await using sim = await simulate([], { a: x, gone: x })
    const first = sim.system.apply(await sim.configOf({ a: { command: 'y' }, b: x }))
    const second = sim.system.apply(await sim.configOf({ a: { command: 'z' }, c: x }))
    await sim.finish(Promise.all([first, second]))
    expect(sim.states).toEqual({ a: 'running', c: 'running' })
    expect(sim.system.config.services['a']?.command).toBe('z')
    expect(sim.world.processes.list()).toHaveLength(2)
  })
})
