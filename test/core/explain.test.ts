import { definePlugin, describeExit, SysgError, type Exit } from '@systemg/core'
import { exitsAfter, ignoresSigterm } from '@systemg/core/simulated'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { describeEnd, type EndedFacts } from '../../core/src/explain.ts'
import { probed, retries, retriesOnly } from '../simulation/plugins.ts'

const x = { command: 'x' }

describe('an exit in words', () => {
  it.each<[Exit, string]>([
    [{ code: 0, signal: null }, 'exit code 0'],
    [{ code: 137, signal: null }, 'exit code 137'],
    [{ code: null, signal: 'SIGKILL' }, 'killed by SIGKILL'],
    [{ code: null, signal: 'SIGKILL', oomKilled: true }, 'killed by the kernel: out of memory'],
    [{ code: null, signal: null, unknown: true }, 'exit status unknown: an earlier supervisor had started it'],
    [{ code: null, signal: null, unknown: true, unseen: true }, 'ended while no supervisor ran; exit status unknown'],
    [{ code: null, signal: null }, 'exit code unknown'],
  ])('%j is `%s`', (exit, words) => {
    expect(describeExit(exit)).toBe(words)
  })
})

describe('the end of a run in words', () => {
  const endOf = (given: Partial<EndedFacts>): EndedFacts => ({
    ...{ id: 'api-1', exit: { code: 1, signal: null }, exitAt: 0, lastLines: [] },
    ...{ failure: undefined, stopRequest: undefined, cause: undefined, isDaemonized: false },
    ...given,
  })
  const failure = new SysgError('SYSG_SPAWN_FAILED', {
    service: 'api',
    errno: 'ENOENT',
    why: 'x: not found',
  })

  it.each<[string, Partial<EndedFacts>, string]>([
    ['names the exit', {}, 'exit code 1'],
    [
      'adds the last line that says something',
      { lastLines: ['first', 'port 5432 in use  ', ' ', ''] },
      'exit code 1, `port 5432 in use`',
    ],
    ['cuts a line that is too long', { lastLines: ['a'.repeat(201)] }, `exit code 1, \`${'a'.repeat(199)}…\``],
    [
      'tells why there was no process',
      { exit: undefined, failure },
      '`api` could not be started: x: not found (ENOENT)',
    ],
    [
      'tells what liveness said',
      { stopRequest: { why: 'unhealthy', detail: 'status 503', crash: true } },
      'unhealthy: status 503',
    ],
    [
      'has a word for liveness that said nothing',
      { stopRequest: { why: 'unhealthy', detail: null, crash: true } },
      'unhealthy',
    ],
    [
      'of a start that took too long is its reason, not the wrapper',
      { failure, stopRequest: { why: 'not ready', detail: 'no answer', crash: true }, lastLines: ['x'] },
      'no answer, `x`',
    ],
  ])('%s', (_title, given, words) => {
    expect(describeEnd(endOf(given))).toBe(words)
  })
})

describe('a reason', () => {
  it('leads through any number of blocked services to the root cause', async () => {
    await using sim = await simulate([], {
      ...{ db: x, api: { ...x, depends_on: ['db'] } },
      ...{ web: { ...x, depends_on: ['api'] }, edge: { ...x, depends_on: ['web'] } },
    })
    await sim.service('db').exit({ code: 3 })
    expect(sim.service('db').reason).toBe('exit code 3')
    expect(sim.service('api').reason).toBe('db failed: exit code 3')
    expect(sim.service('web').reason).toBe('api is blocked: db failed: exit code 3')
    expect(sim.service('edge').reason).toBe('web is blocked: api is blocked: db failed: exit code 3')
    expect(sim.states).toEqual({ db: 'failed', api: 'blocked', web: 'blocked', edge: 'blocked' })
  })

  it('follows the root cause as it changes, also far away from it', async () => {
    await using sim = await simulate([retriesOnly(5_000, 'db')], {
      ...{ db: x, api: { ...x, depends_on: ['db'] }, web: { ...x, depends_on: ['api'] } },
    })
    await sim.service('db').exit({ signal: 'SIGSEGV' })
    expect(sim.service('web').reason).toBe('api is blocked: db is in backoff: killed by SIGSEGV')
    await sim.finish(sim.system.stop(['db']))
    expect(sim.service('web').reason).toBe('api is blocked: db was stopped by you')
    const starting = sim.system.start({ names: ['db'] })
    await sim.clock.advance(100)
    expect(sim.service('web').state).toBe('waiting')
    expect(sim.service('web').reason).toBe('waits for api (waiting)')
    expect(sim.service('api').reason).toBe('waits for db (starting)')
    await sim.finish(starting)
    await sim.until(() => sim.service('web').state === 'running')
    expect(sim.service('web').reason).toBeNull()
  })

  it('names the first of several broken dependencies, and all that are only late', async () => {
    const services = { a: x, b: x, c: { ...x, depends_on: ['a', 'b'] } }
    await using sim = await simulate([], services, { idle: true })
    void sim.system.start()
    await sim.clock.advance(100)
    expect(sim.service('c').reason).toBe('waits for a (starting), b (starting)')
    await sim.clock.advance(1_000)
    await sim.service('b').exit({ code: 1 })
    await sim.service('a').exit({ code: 2 })
    expect(sim.service('c').reason).toBe('a failed: exit code 2')
  })

  it('of a service that needs many names some, and tells of changes when few are left', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `d${index}`)
    const health = new Set<string>()
    const services = { ...Object.fromEntries(names.map((name) => [name, x])), all: { ...x, depends_on: names } }
    await using sim = await simulate([probed(health)], services, { idle: true })
    void sim.system.start()
    await sim.clock.advance(100)
    expect(sim.service('all').reason).toBe(
      `waits for ${names
        .slice(0, 8)
        .map((name) => `${name} (starting)`)
        .join(', ')} and 4 more`,
    )
    const told = () => sim.events.filter(({ type, service }) => type === 'service.reason' && service === 'all')
    for (const [count, name] of names.entries()) {
      health.add(name)
      await sim.clock.advance(1_000)
      expect(told().length > 0, `${count + 1} are ready`).toBe(count >= 3)
    }
    expect(sim.service('all').state).toBe('starting')
    expect(told().at(-1)?.data['reason']).toBe('waits for d11 (starting)')
  })

  it('of a service that gave up says why, and how its last run ended', async () => {
    await using sim = await simulate([retries(10, 2)], { api: x }, { programs: { api: exitsAfter(500, 7) } })
    await sim.until(() => sim.service('api').state === 'failed')
    expect(sim.service('api').reason).toBe('gave up: 2 restarts; exit code 7')
  })

  it('of a program that is not there is that, with the errno', async () => {
    await using sim = await simulate([], { api: { exec: ['nowhere'] } }, { idle: true })
    sim.world.failSpawns('ENOENT')
    await sim.start()
    expect(sim.service('api').reason).toBe('`api` could not be started: spawn nowhere ENOENT (ENOENT)')
  })

  it('of a failed plugin names the plugin', async () => {
    const refuses = definePlugin({
      name: 'refuses',
      setup: ({ hooks }) =>
        hooks.beforeStart.tap('refuses', () => {
          throw new Error('no license.')
        }),
    })
    await using sim = await simulate([refuses], { api: x, web: { ...x, depends_on: ['api'] } })
    expect(sim.service('api').reason).toBe('Plugin `refuses` failed in `beforeStart` of `api`: no license')
    expect(sim.service('web').reason).toBe(`api failed: ${sim.service('api').reason ?? ''}`)
  })

  it('of replicas counts those that are ready, and says what became of another', async () => {
    await using sim = await simulate([retries(60_000)], { api: { ...x, replicas: 3 } })
    expect(sim.service('api').reason).toBeNull()
    const [first] = sim.service('api').pids
    sim.world.processes.exit(first ?? 0, 4)
    await sim.clock.settle()
    expect(sim.service('api').state).toBe('running')
    expect(sim.service('api').reason).toBe('2 of 3 ready: replica 0 is in backoff, exit code 4')
  })

  it('of a service that stops, is stopped or was never asked for says by whose will', async () => {
    const services = { db: x, api: { ...x, depends_on: ['db'], stop_timeout: '5s' }, idle: x }
    await using sim = await simulate([], services, { idle: true, programs: { api: ignoresSigterm() } })
    await sim.start(['api'])
    expect(sim.service('idle').reason).toBe('not started yet')
    const stop = sim.system.stop(['api'])
    await sim.clock.advance(100)
    expect([sim.service('api').state, sim.service('api').reason]).toEqual(['stopping', 'stopped by you'])
    await sim.finish(stop)
    expect([sim.service('api').state, sim.service('api').reason]).toEqual(['stopped', 'stopped by you'])
    void sim.system.shutdown()
    await sim.clock.settle()
    expect(sim.events.find(({ type, service }) => type === 'service.stopping' && service === 'db')?.data).toEqual({
      reason: 'the system stops',
      restarts: 0,
    })
  })

  it('of a service without replicas is that none is wanted', async () => {
    await using sim = await simulate([], { api: { ...x, replicas: 0 }, web: { ...x, depends_on: ['api'] } })
    expect([sim.service('api').state, sim.service('api').reason]).toEqual(['stopped', 'no replica is wanted'])
    expect(sim.service('web').reason).toBe('api is stopped: no replica is wanted')
  })
})
