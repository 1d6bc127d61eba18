import { definePlugin, type ServiceConfig, type Strategy } from '@systemg/core'
import {
  all,
  answers,
  exitsAfter,
  ignoresSigterm,
  stopsAfter,
  type Program,
  type SimulatedAnswer,
} from '@systemg/core/simulated'
import { simulate, type Simulation, type SimulationOptions } from '@systemg/core/testing'
import { health } from '@systemg/plugins/health'
import { logs } from '@systemg/plugins/logs'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { remembers } from '../simulation/plugins.ts'
import { notifySchema } from '../../plugins/src/health/probes/schemas.ts'

const address = 'tcp://127.0.0.1:8080'
const url = 'http://localhost:8080/health'

const run = (
  services: Readonly<Record<string, ServiceConfig>>,
  programs: Readonly<Record<string, Program>>,
  options: SimulationOptions = {},
) => simulate([restart, logs, health, rolling], services, { programs, idle: true, ...options })

/** Answers as it is told at the moment, and remembers when it was asked. */
const server = (answer: () => SimulatedAnswer, sim: () => Simulation) => {
  const askedMs: number[] = []
  const program = answers(address, () => {
    askedMs.push(sim().world.elapsedMs())
    return answer()
  })
  return { program, askedMs }
}

/** Starts beside what runs, and takes over when it is ready. */
const rollingStrategy: Strategy = {
  name: 'rolling',
  async run(replacement) {
    await replacement.launch()
    await replacement.ready()
    replacement.promote()
    await replacement.retire()
  },
}
const rolling = definePlugin({
  name: 'rolling',
  setup: ({ hooks }) =>
    hooks.replace.tap('rolling', ({ service }) => (service.replicas === 1 ? rollingStrategy : undefined)),
})

describe('becoming ready', () => {
  it('ends the start with the first success, and dependents wait for it', async () => {
    await using sim = await run(
      {
        db: { command: 'x', health_check: { tcp: 'localhost:8080' } },
        web: { command: 'x', depends_on: ['db'] },
      },
      { db: answers(address, () => ({}), 3_100) },
    )
    const started = sim.system.start()
    await sim.clock.advance(3_000)
    expect(sim.states).toEqual({ db: 'starting', web: 'waiting' })
    expect(sim.service('db').view).toMatchObject({ health: 'starting', reason: 'not ready yet: connection refused' })
    await sim.clock.advance(250)
    expect(sim.service('db').view).toMatchObject({ state: 'running', health: 'healthy', reason: null })
    expect((await sim.finish(started)).ok).toBe(true)
    expect(sim.states['web']).toBe('running')
  })

  it('asks every `start_interval` at first and every `interval` afterwards', async () => {
    let status = 503
    const api = server(
      () => ({ status }),
      () => sim,
    )
    await using sim: Simulation = await run(
      { api: { command: 'x', health_check: { url, start_interval: '100ms', interval: '1s' } } },
      { api: api.program },
    )
    void sim.system.start()
    await sim.clock.advance(350)
    expect(sim.service('api').reason).toBe('not ready yet: status 503')
    status = 200
    await sim.clock.advance(2_650)
    expect(api.askedMs).toEqual([0, 100, 200, 300, 400, 1_400, 2_400])
  })

  it('fails when it takes longer than `total_timeout`, with the last reason', async () => {
    await using sim = await run(
      { api: { command: 'x', health_check: { url, total_timeout: '5s' } } },
      { api: answers(address, () => ({ status: 500 })) },
    )
    const started = sim.system.start()
    await sim.clock.advance(4_999)
    expect(sim.states['api']).toBe('starting')
    await sim.clock.advance(1)
    expect(sim.service('api').view).toMatchObject({ state: 'failed', reason: 'not ready within 5s: status 500' })
    expect((await sim.finish(started)).problems[0]?.message).toContain('not ready within 5s: status 500')
    expect(sim.service('api').pids).toEqual([])
  })

  it('gives a slow program its time: 500 for a while, then 200', async () => {
    await using sim: Simulation = await run(
      { api: { command: 'x', health_check: { url } } },
      { api: answers(address, () => ({ status: sim.world.elapsedMs() < 59_000 ? 500 : 200 })) },
    )
    expect((await sim.start()).ok).toBe(true)
    expect(sim.world.elapsedMs()).toBe(59_000)
  })

  it('says `timeout` of one that accepts and never answers, try by try', async () => {
    const api = server(
      () => 'hang',
      () => sim,
    )
    await using sim: Simulation = await run(
      { api: { command: 'x', health_check: { url, attempt_timeout: '2s', total_timeout: '5s' } } },
      { api: api.program },
    )
    void sim.system.start()
    await sim.clock.advance(2_000)
    expect(sim.service('api').reason).toBe('not ready yet: timeout: no answer within 2s')
    await sim.clock.advance(3_000)
    expect(api.askedMs).toEqual([0, 2_200, 4_400])
    expect(sim.service('api').reason).toBe('not ready within 5s: timeout: no answer within 2s')
  })

  it('is over at once when the program ends, and the policy starts it again', async () => {
    await using sim = await run(
      { api: { command: 'x', health_check: { url }, restart_policy: 'always', backoff: '1s' } },
      { api: exitsAfter(500, 3) },
    )
    void sim.system.start()
    await sim.clock.advance(600)
    expect(sim.service('api').view).toMatchObject({ state: 'backoff', reason: 'exit code 3' })
    await sim.clock.advance(1_000)
    expect(sim.service('api').starts).toBe(2)
  })

  it('is over at once when it is stopped', async () => {
    await using sim = await run({ api: { command: 'x', health_check: { url } } }, {})
    void sim.system.start()
    await sim.clock.advance(500)
    await sim.finish(sim.system.stop(['api']))
    expect(sim.states['api']).toBe('stopped')
    expect(sim.world.pendingTimers(sim.host)).toBe(0)
  })

  it('never asks twice at once, also a probe that does not heed its signal', async () => {
    let [open, most, calls] = [0, 0, 0]
    const stubborn = definePlugin({
      name: 'stubborn',
      probes: { stubborn: notifySchema },
      setup: ({ registerProbe, host }) =>
        registerProbe('stubborn', () => {
          calls++
          most = Math.max(most, ++open)
          return new Promise<void>((resolve) => {
            host.clock.timer(12_000, () => {
              open--
              resolve()
            })
          })
        }),
    })
    const check = { stubborn: true, attempt_timeout: '1s', total_timeout: '20s' } as never
    await using sim = await simulate([health, stubborn], { api: { command: 'x', health_check: check } }, { idle: true })
    void sim.system.start()
    await sim.clock.advance(20_000)
    expect([most, calls]).toEqual([1, 2])
    expect(sim.service('api').reason).toContain('an earlier try has not come back')
    await sim.clock.advance(20_000)
  })
})

describe('liveness', () => {
  const flapping = (pattern: readonly number[]) => {
    let count = 0
    return answers(address, () => ({ status: pattern[Math.min(count++, pattern.length - 1)] ?? 200 }))
  }

  it('changes nothing for fewer failures in a row than `retries`', async () => {
    const pattern = Array.from({ length: 600 }, (_, index) => (index % 3 === 0 ? 200 : 503))
    await using sim = await run(
      { api: { command: 'x', health_check: { url }, restart_policy: 'always' } },
      { api: flapping(pattern) },
    )
    await sim.start()
    const before = sim.events.length
    await sim.clock.advance(10 * 60_000)
    expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'healthy', restarts: 0 })
    expect(sim.events.length).toBe(before)
  })

  it('restarts what its policy would restart, takes dependents down and back, and says why', async () => {
    await using sim = await run(
      {
        api: { command: 'x', health_check: { url }, restart_policy: 'on-failure', backoff: '1s' },
        web: { command: 'x', depends_on: ['api'] },
      },
      { api: flapping([200, 503]) },
    )
    await sim.start()
    sim.service('api').runs(flapping([200]))
    // Two tries have failed by then, and the third one fails at 6 s.
    await sim.clock.advance(5_999 - sim.world.elapsedMs())
    expect(sim.states).toEqual({ api: 'running', web: 'running' })
    await sim.clock.advance(1)
    expect(sim.service('api').view).toMatchObject({ state: 'backoff', reason: 'unhealthy: status 503' })
    expect(sim.states['web']).toBe('blocked')
    await sim.clock.advance(2_000)
    expect(sim.states).toEqual({ api: 'running', web: 'running' })
    expect(sim.service('api').view.restarts).toBe(1)
  })

  it('never shows what the check said as the exit of the program', async () => {
    const services = { api: { command: 'x', restart_policy: 'on-failure', backoff: '5s' } } as const
    await using sim = await run(services, { api: stopsAfter(500) })
    await sim.start()
    sim.system.reportHealth('api-1', { healthy: false, reason: 'exit code 1' })
    await sim.until(() => sim.states['api'] === 'stopping')
    expect(sim.service('api').reason).toBe('unhealthy: exit code 1')
    await sim.until(() => sim.states['api'] === 'backoff')
    expect(sim.service('api').view).toMatchObject({ reason: 'unhealthy: exit code 1', exit: { code: 0, signal: null } })
    // Of what is `unhealthy` nothing but the check can be meant.
    const told = sim.events.map(({ type, data }) => `${type} ${JSON.stringify(data)}`)
    expect(told.filter((text) => text.includes('exit code 1') && !text.includes('unhealthy'))).toEqual([])
  })

  it('leaves a service alone whose policy is `never`: it is shown as unhealthy, and as healthy when it is again', async () => {
    await using sim = await run(
      { api: { command: 'x', health_check: { url, success_threshold: 2 } } },
      { api: flapping([200, 503, 503, 503, 500, 200, 503, 200, 200]) },
    )
    await sim.start()
    await sim.clock.advance(6_000)
    expect(sim.service('api').view).toMatchObject({ state: 'unhealthy', health: 'unhealthy', reason: 'status 503' })
    await sim.clock.advance(2_000)
    expect(sim.service('api').reason).toBe('status 500')
    await sim.clock.advance(6_000)
    expect(sim.states['api']).toBe('unhealthy')
    await sim.clock.advance(2_000)
    expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'healthy', reason: null })
    expect(sim.service('api').starts).toBe(1)
  })

  it('with `liveness: false` only shows it', async () => {
    await using sim = await run(
      { api: { command: 'x', health_check: { url, liveness: false }, restart_policy: 'always' } },
      { api: flapping([200, 503]) },
    )
    await sim.start()
    await sim.clock.advance(60_000)
    expect(sim.service('api').view).toMatchObject({ state: 'unhealthy', reason: 'status 503', restarts: 0 })
  })

  it('asks no more once the service is being stopped', async () => {
    const api = server(
      () => ({}),
      () => sim,
    )
    await using sim: Simulation = await run(
      { api: { command: 'x', health_check: { url }, stop_timeout: '30s' } },
      { api: all(api.program, ignoresSigterm()) },
    )
    await sim.start()
    const stopped = sim.system.stop(['api'])
    await sim.clock.advance(20_000)
    expect(api.askedMs).toEqual([0])
    await sim.finish(stopped)
  })
})

describe('a changed check', () => {
  it('holds from then on, without a restart', async () => {
    await using sim = await run(
      { api: { command: 'x', health_check: { url } } },
      { api: answers(address, ({ path }) => ({ status: path === '/live' ? 404 : 200 })) },
    )
    await sim.start()
    const next = await sim.configOf({
      api: { command: 'x', health_check: { url: 'http://localhost:8080/live', interval: '1s' } },
    })
    expect(sim.system.plan(next)).toEqual([
      { service: 'api', action: 'keep', because: ['`health_check` changed, taken up at once'] },
    ])
    await sim.finish(sim.system.apply(next))
    await sim.clock.advance(3_000)
    expect(sim.service('api').view).toMatchObject({ state: 'unhealthy', reason: 'status 404' })
    expect(sim.service('api').starts).toBe(1)
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x' } })))
    expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'none', reason: null })
    expect(sim.world.pendingTimers(sim.host)).toBe(0)
  })

  it('that is the repair is asked before the command says how it went', async () => {
    const check = (path: string, interval: string) => ({
      api: { command: 'x', health_check: { url: `http://localhost:8080/${path}`, interval } },
    })
    await using sim = await run(check('health', '1s'), {
      api: answers(address, ({ path }) => ({ status: path === '/health' && sim.world.elapsedMs() > 0 ? 404 : 200 })),
    })
    await sim.start()
    await sim.clock.advance(5_000)
    expect(sim.service('api').view).toMatchObject({ state: 'unhealthy', reason: 'status 404' })
    const stillWrong = await sim.finish(sim.system.apply(await sim.configOf(check('health', '2s'))))
    expect(stillWrong.ok).toBe(false)
    expect(await sim.finish(sim.system.apply(await sim.configOf(check('live', '1m'))))).toMatchObject({ ok: true })
    expect(sim.service('api').state).toBe('running')
  })

  it('can come to a service that had none', async () => {
    await using sim = await run({ api: { command: 'x' } }, {})
    await sim.start()
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x', health_check: { url } } })))
    expect(sim.service('api').view.health).toBe('healthy')
    await sim.clock.advance(6_000)
    expect(sim.service('api').view).toMatchObject({ health: 'unhealthy', reason: 'connection refused' })
  })
})

describe('a candidate', () => {
  const config = (env: string) => ({
    api: { command: `x ${env}`, health_check: { url, attempt_timeout: '1s', total_timeout: '3s' } },
  })

  /** The first one has the address; the next ones cannot bind and go on all the same. */
  const triesToBind: Program = (self) => void self.answer(address, () => ({}))

  it('is not ready by the answer of the one that it is to replace', async () => {
    await using sim = await run(config('one'), { api: triesToBind })
    await sim.start()
    const [old] = sim.service('api').pids
    const outcome = await sim.finish(sim.system.apply(await sim.configOf(config('two'))))
    expect(outcome.problems[0]?.message).toContain(`answered by pid ${old ?? 0}, not by api-2`)
    expect(outcome.problems[0]?.message).toContain('candidate_health_check')
    expect(sim.service('api').pids).toEqual([old])
    expect(sim.states['api']).toBe('running')
  })

  it('on a shared socket is asked again until the answer is its own', async () => {
    const shares = definePlugin({
      name: 'shares',
      setup({ hooks, host }) {
        const socket = host.sockets.listen(address, {})
        hooks.prepare.tapPromise('shares', async (spec) => ({ ...spec, inherit: [await socket] }))
        hooks.shutdown.tapPromise('shares', async () => (await socket).close())
      },
    })
    let oldAnswers = 0
    await using sim = await simulate([health, rolling, shares], config('one'), {
      programs: { api: answers(address, () => (oldAnswers++, { status: 200 })) },
    })
    let newAnswers = 0
    sim.service('api').runs(answers(address, () => ({ status: ++newAnswers < 3 ? 500 : 200 })))
    const asked = oldAnswers
    expect(await sim.finish(sim.system.apply(await sim.configOf(config('two'))))).toMatchObject({
      ok: true,
      problems: [],
    })
    expect([newAnswers, oldAnswers]).toEqual([3, asked])
    expect(sim.service('api').view.instances.map(({ id }) => id)).toEqual(['api-2'])
  })
})

describe('after the supervisor was killed', () => {
  const plugins = [restart, logs, health, remembers()]

  it('what was ready is ready, and is looked after', async () => {
    let status = 200
    await using sim = await simulate(
      plugins,
      { api: { command: 'x', health_check: { url } } },
      {
        programs: { api: answers(address, () => ({ status })) },
      },
    )
    sim.crash()
    await sim.boot()
    expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'healthy' })
    status = 500
    await sim.clock.advance(6_000)
    expect(sim.service('api').view).toMatchObject({ state: 'unhealthy', reason: 'status 500' })
  })

  it('what was starting is asked again, with what it was started with', async () => {
    let status = 500
    const probed: (string | undefined)[] = []
    const health_check = { url: 'http://localhost:8080/${SYSG_REPLICA}/{service}' }
    await using sim = await simulate(
      plugins,
      { api: { command: 'x', health_check } },
      {
        idle: true,
        programs: { api: answers(address, ({ path }) => (probed.push(path), { status })) },
      },
    )
    void sim.system.start()
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.boot()
    await sim.clock.advance(1_000)
    expect(sim.service('api').reason).toBe('not ready yet: status 500')
    status = 200
    await sim.clock.advance(200)
    expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'healthy' })
    expect([...new Set(probed)]).toEqual(['/0/api'])
  })

  it.each(['log', 'notify'] as const)('a program that said it was ready meanwhile is heard (%s)', async (probe) => {
    const check = probe === 'log' ? { log: '/^ready/' } : { notify: true as const }
    const speaks: Program = (self) =>
      void self.after(1_000, () => (probe === 'log' ? self.write('ready now\n') : self.writeTo(3, 'ready\n')))
    await using sim = await simulate(
      plugins,
      { api: { command: 'x', health_check: check } },
      { idle: true, programs: { api: speaks } },
    )
    void sim.system.start()
    await sim.clock.advance(500)
    sim.crash()
    await sim.clock.advance(1_000)
    await sim.boot()
    await sim.clock.advance(500)
    expect(sim.service('api').view).toMatchObject({ state: 'running', health: 'healthy' })
  })
})
