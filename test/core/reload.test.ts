/** Bringing another config into force: what `plan` says, and what `apply` does. */
import { definePlugin, type PlannedChange, type ServiceConfig } from '@systemg/core'
import { exitsAfter, ignoresSigterm } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rolling } from '../simulation/plugins.ts'

const x = { command: 'x' }

type Services = Readonly<Record<string, ServiceConfig>>

const planOf = async (sim: Simulation, next: Services, all = false): Promise<readonly PlannedChange[]> =>
  sim.system.plan(await sim.configOf(next), { all })

const apply = async (sim: Simulation, next: Services, all = false) =>
  sim.finish(sim.system.apply(await sim.configOf(next), { all }))

/** Each instance that started, since event `from`. */
const startsSince = (sim: Simulation, from: number) =>
  sim.events.slice(from).flatMap(({ type, service }) => (type === 'instance.started' ? [service] : []))

describe('plan', () => {
  it('says for every service what would happen and why: those that go first, then dependencies first', async () => {
    await using sim = await simulate([], { gone: x, web: { ...x, depends_on: ['db'] }, db: x, same: x })
    const next = { web: { ...x, depends_on: ['db'], working_dir: '/' }, db: { command: 'y --z' }, same: x, added: x }
    expect(await planOf(sim, next)).toEqual([
      { service: 'gone', action: 'stop', because: ['no longer in the config'] },
      { service: 'db', action: 'restart', because: ['`command` changed'] },
      { service: 'same', action: 'keep', because: [] },
      { service: 'added', action: 'start', because: ['new in the config'] },
      { service: 'web', action: 'restart', because: ['`working_dir` changed'] },
    ])
  })

  it('changes nothing', async () => {
    await using sim = await simulate([], { api: x })
    const [events, config] = [sim.events.length, sim.system.config]
    await planOf(sim, { other: x })
    await sim.clock.advance(1_000)
    expect(sim.events).toHaveLength(events)
    expect(sim.system.config).toBe(config)
  })

  it.each<[what: string, before: ServiceConfig, after: ServiceConfig, change: Omit<PlannedChange, 'service'>]>([
    [
      'a key that is taken up at once',
      x,
      { ...x, stop_timeout: '1s' },
      { action: 'keep', because: ['`stop_timeout` changed, taken up at once'] },
    ],
    ['such a key and another', x, { command: 'y', replicas: 2 }, { action: 'restart', because: ['`command` changed'] }],
    [
      'another notation of the same',
      { ...x, stop_timeout: '60s' },
      { ...x, stop_timeout: '1m' },
      { action: 'keep', because: [] },
    ],
    ['`exec` for the same command', { command: 'a b' }, { exec: ['a', 'b'] }, { action: 'keep', because: [] }],
  ])('of %s', async (_what, before, after, change) => {
    await using sim = await simulate([], { api: before })
    expect(await planOf(sim, { api: after })).toEqual([{ service: 'api', ...change }])
  })

  it('names a deploy when a strategy would replace the service', async () => {
    await using sim = await simulate([rolling()], { api: x })
    expect(await planOf(sim, { api: { command: 'y' } })).toMatchObject([{ service: 'api', action: 'deploy' }])
  })

  it('of a restart replaces what runs, and says so', async () => {
    await using sim = await simulate([], { api: x, job: x }, { programs: { job: exitsAfter(10) } })
    expect(await planOf(sim, { api: x, job: x })).toEqual([
      { service: 'api', action: 'keep', because: [] },
      { service: 'job', action: 'keep', because: ['it is completed'] },
    ])
    expect(await planOf(sim, { api: x, job: x }, true)).toEqual([
      { service: 'api', action: 'restart', because: ['a restart was asked for'] },
      { service: 'job', action: 'start', because: ['it does not run'] },
    ])
  })

  it('leaves what a person stopped, and starts what was not asked for or is down', async () => {
    const services = { api: x, later: x, broken: x }
    await using sim = await simulate([], services, { idle: true, programs: { broken: exitsAfter(10, 1) } })
    await sim.start(['api', 'broken'])
    await sim.finish(sim.system.stop(['api']))
    expect(await planOf(sim, services)).toEqual([
      { service: 'api', action: 'keep', because: ['stopped by you'] },
      { service: 'later', action: 'start', because: ['not started yet'] },
      { service: 'broken', action: 'start', because: ['it does not run'] },
    ])
  })

  it('says of a service in backoff that it waits, and for what', async () => {
    const api = { ...x, restart_policy: 'always', backoff: '1h' } as const
    await using sim = await simulate([restart], { api }, { programs: { api: exitsAfter(10, 3) } })
    expect(sim.states).toEqual({ api: 'backoff' })
    expect(await planOf(sim, { api })).toEqual([
      { service: 'api', action: 'start', because: ['it waits in backoff: exit code 3'] },
    ])
  })

  it('is what apply then does', async () => {
    await using sim = await simulate([], { gone: x, kept: x, changed: x, bare: { ...x, replicas: 2 } })
    const next = { kept: x, changed: { command: 'y' }, bare: { ...x, replicas: 1 }, added: x }
    const plan = await planOf(sim, next)
    const from = sim.events.length
    await apply(sim, next)
    const started = plan
      .filter(({ action }) => action === 'start' || action === 'restart')
      .map(({ service }) => service)
    expect([...startsSince(sim, from)].sort()).toEqual([...started].sort())
    const told = sim.events.find(({ type }) => type === 'system.reloaded')
    expect(told?.data).toEqual({
      changed: plan.filter(({ action }) => action !== 'keep').map(({ service }) => service),
    })
  })
})

describe('apply', () => {
  it('stops what is gone, starts what is new, restarts what changed, and leaves the rest alone', async () => {
    await using sim = await simulate([], { gone: x, same: x, changed: x })
    const [same] = sim.service('same').pids
    expect(await apply(sim, { same: x, changed: { command: 'y' }, added: x })).toEqual({
      ok: true,
      problems: [],
      warnings: [],
    })
    expect(sim.states).toEqual({ same: 'running', changed: 'running', added: 'running' })
    expect(sim.service('same').pids).toEqual([same])
    expect(sim.world.processes.list('gone')).toEqual([])
    expect(sim.world.processes.list('changed').map(({ argv }) => argv)).toEqual([['y']])
  })

  it('of the same config touches no service', async () => {
    await using sim = await simulate([], { api: x })
    const from = sim.events.length
    expect(await apply(sim, { api: x })).toEqual({ ok: true, problems: [], warnings: [] })
    expect(sim.events.slice(from).filter(({ service }) => service !== undefined)).toEqual([])
  })

  it('takes up a shorter `stop_timeout` for the process that runs', async () => {
    await using sim = await simulate([], { api: x }, { programs: { api: ignoresSigterm() } })
    await apply(sim, { api: { ...x, stop_timeout: '1s' } })
    expect(sim.service('api').starts).toBe(1)
    const before = sim.world.elapsedMs()
    await sim.finish(sim.system.stop(['api']))
    expect(sim.world.elapsedMs() - before).toBeLessThan(1_500)
  })

  it('takes up new exit codes for the process that runs', async () => {
    await using sim = await simulate([], { job: x })
    await apply(sim, { job: { ...x, success_exit_codes: [0, 9] } })
    await sim.service('job').exit({ code: 9 })
    expect(sim.service('job').state).toBe('completed')
  })

  it('takes up other dependencies without touching what runs, and follows them from then on', async () => {
    await using sim = await simulate([], { db: x, api: x })
    await apply(sim, { db: x, api: { ...x, depends_on: ['db'] } })
    expect(sim.service('api').starts).toBe(1)
    await sim.service('db').exit({ code: 1 })
    expect(sim.states).toEqual({ db: 'failed', api: 'blocked' })
  })

  it('takes up another number of replicas without replacing any', async () => {
    await using sim = await simulate([], { api: x })
    await apply(sim, { api: { ...x, replicas: 3 } })
    expect([sim.service('api').pids.length, sim.service('api').starts]).toEqual([3, 3])
    await apply(sim, { api: { ...x, replicas: 2 } })
    expect([sim.service('api').pids.length, sim.service('api').starts]).toEqual([2, 3])
  })

  it('takes up a key without a restart when its plugin says that it can', async () => {
    const labels = definePlugin({
      name: 'labels',
      service: { label: z.string().default(''), image: z.string().default('') },
      live: ['label'],
    })
    const service = (given: Readonly<Record<string, string>>) => ({ api: { ...x, ...given } as ServiceConfig })
    await using sim = await simulate([labels], service({ label: 'a', image: 'a' }))
    await apply(sim, service({ label: 'b', image: 'a' }))
    expect(sim.service('api').starts).toBe(1)
    await apply(sim, service({ label: 'b', image: 'b' }))
    expect(sim.service('api').starts).toBe(2)
  })

  it('replaces every service when a default changed that they share', async () => {
    const region = z.string().default('here')
    const regions = definePlugin({ name: 'regions', system: { region }, service: { region: z.string().optional() } })
    await using sim = await simulate([regions], { api: x })
    const next = await sim.configOf({ api: x }, { region: 'there' })
    const because = ['the default of `region` changed']
    expect(sim.system.plan(next)).toEqual([{ service: 'api', action: 'restart', because }])
    await sim.finish(sim.system.apply(next))
    expect(sim.service('api').starts).toBe(2)
    expect(sim.system.plan(next)).toEqual([{ service: 'api', action: 'keep', because: [] }])
    const without = await sim.configOf({ api: x }, {})
    expect(sim.system.plan(without)).toEqual([{ service: 'api', action: 'restart', because }])
  })

  it('takes up a default that they share where a deploy of it had failed', async () => {
    const region = z.string().default('here')
    const regions = definePlugin({ name: 'regions', system: { region }, service: { region: z.string().optional() } })
    await using sim = await simulate([regions, rolling()], { api: x })
    const next = await sim.configOf({ api: x }, { region: 'there' })
    sim.service('api').runs(exitsAfter(10, 1))
    expect(await sim.finish(sim.system.apply(next))).toMatchObject({ ok: false })
    sim.service('api').runs(exitsAfter(3_600_000))
    const because = ['the default of `region` changed']
    expect(sim.system.plan(next)).toEqual([{ service: 'api', action: 'deploy', because }])
    expect(await sim.finish(sim.system.apply(next))).toMatchObject({ ok: true })
    expect(sim.system.plan(next)).toEqual([{ service: 'api', action: 'keep', because: [] }])
  })

  it('starts what is new only when what it needs is there', async () => {
    await using sim = await simulate([], { web: x })
    const from = sim.events.length
    await apply(sim, { web: x, api: { ...x, depends_on: ['db'] }, db: x })
    expect(startsSince(sim, from)).toEqual(['db', 'api'])
  })

  it('leaves what a person stopped stopped, also with another command, and uses that later', async () => {
    await using sim = await simulate([], { api: x })
    await sim.finish(sim.system.stop(['api']))
    const { warnings } = await apply(sim, { api: { command: 'y' } })
    expect(warnings).toEqual(['`api` stays stopped, as you asked; `sysg start -s api` starts it.'])
    await sim.start(['api'])
    expect(sim.world.processes.list('api').map(({ argv }) => argv)).toEqual([['y']])
  })

  it('gives a failed service another chance', async () => {
    await using sim = await simulate([], { api: x }, { programs: { api: exitsAfter(10, 1) } })
    sim.service('api').runs(exitsAfter(60_000))
    expect(await apply(sim, { api: x })).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('runs a completed one-shot anew when its command changed', async () => {
    await using sim = await simulate([], { job: x }, { programs: { job: exitsAfter(10) } })
    await apply(sim, { job: { ...x, success_exit_codes: [0, 1] } })
    expect(sim.service('job').starts).toBe(1)
    await apply(sim, { job: { command: 'y' } })
    expect(sim.service('job').starts).toBe(2)
  })

  it('says which service failed, and goes no further', async () => {
    await using sim = await simulate([], { db: x, api: { ...x, depends_on: ['db'] } })
    sim.service('db').runs(exitsAfter(10, 1))
    const next = { db: { command: 'y' }, api: { command: 'y', depends_on: ['db'] } }
    const outcome = await apply(sim, next)
    expect(outcome.problems[0]).toMatchObject({
      service: 'db',
      code: 'SYSG_DEPLOY_FAILED',
      message: 'The deploy of `db` failed in step `start`: exit code 1.',
    })
    expect(sim.world.processes.list().map(({ argv }) => argv)).not.toContainEqual(['y'])
  })
})

/** What instances do, in order, since event `from`: `+api-2` starts, `-api-1` is asked to stop. */
const stepsSince = (sim: Simulation, from: number) =>
  sim.events.slice(from).flatMap(({ type, instance = '' }) => {
    if (type === 'instance.started') return [`+${instance}`]
    return type === 'instance.stopping' ? [`-${instance}`] : []
  })

describe('restart with an edited config', () => {
  it('stops what is gone, starts what is new, and restarts all others, dependencies first', async () => {
    await using sim = await simulate([], { db: x, api: { ...x, depends_on: ['db'] }, old: x })
    const from = sim.events.length
    const next = { db: x, cache: x, api: { ...x, depends_on: ['db', 'cache'] }, web: { ...x, depends_on: ['api'] } }
    expect(await apply(sim, next, true)).toEqual({ ok: true, problems: [], warnings: [] })
    const steps = stepsSince(sim, from)
    expect(steps.filter((step) => step !== '+cache-1')).toEqual([
      '-old-1',
      '-db-1',
      '+db-2',
      '-api-1',
      '+api-2',
      '+web-1',
    ])
    expect(steps.indexOf('+cache-1')).toBeLessThan(steps.indexOf('-api-1'))
    expect(sim.states).toEqual({ db: 'running', cache: 'running', api: 'running', web: 'running' })
  })

  it('starts a service under another name only when the old one has ended: they may need the same port', async () => {
    await using sim = await simulate(
      [],
      { db: x, api: { ...x, depends_on: ['db'] } },
      { programs: { db: ignoresSigterm() } },
    )
    const renaming = sim.system.apply(await sim.configOf({ pg: x, api: { ...x, depends_on: ['pg'] } }))
    await sim.clock.advance(5_000)
    expect([sim.world.processes.list('db').length, sim.service('pg').starts]).toEqual([1, 0])
    expect(await sim.finish(renaming)).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ pg: 'running', api: 'running' })
    expect(sim.service('api').starts).toBe(1)
  })

  it('leaves the rest as it is when one fails, and the next good one takes up from there', async () => {
    const services = { db: x, api: { ...x, depends_on: ['db'] }, web: { ...x, depends_on: ['api'] } }
    await using sim = await simulate([rolling()], services)
    const before = [sim.service('api').pids, sim.service('web').pids]
    sim.service('api').runs(exitsAfter(10, 1))
    const broken = { ...services, api: { command: 'broken', depends_on: ['db'] }, added: { ...x, depends_on: ['web'] } }
    const outcome = await apply(sim, broken, true)
    expect(outcome.problems.map(({ service, code }) => [service, code])).toEqual([['api', 'SYSG_DEPLOY_FAILED']])
    expect(outcome.warnings).toEqual(['Not replaced, since `api` failed before: `web`. What runs of them goes on.'])
    expect([sim.service('api').pids, sim.service('web').pids]).toEqual(before)
    expect([sim.service('db').starts, sim.service('added').starts]).toEqual([2, 1])
    expect(sim.states).toEqual({ db: 'running', api: 'running', web: 'running', added: 'running' })

    sim.service('api').runs(exitsAfter(3_600_000))
    const fixed = { ...broken, api: { command: 'fixed', depends_on: ['db'] } }
    expect(await apply(sim, fixed, true)).toMatchObject({ ok: true })
    expect(sim.world.processes.list('api').map(({ argv }) => argv)).toEqual([['fixed']])
    expect([sim.service('db').starts, sim.service('web').starts, sim.service('added').starts]).toEqual([3, 2, 2])
  })

  it('is taken up by `start`, too, and then replaces only what was left', async () => {
    const services = { db: x, api: { ...x, depends_on: ['db'] } }
    await using sim = await simulate([rolling()], services)
    const next = { db: { command: 'y' }, api: { command: 'y', depends_on: ['db'] } }
    sim.service('api').runs(exitsAfter(10, 1))
    expect(await apply(sim, next)).toMatchObject({ ok: false })
    sim.service('api').runs(exitsAfter(3_600_000))
    expect(await planOf(sim, next)).toMatchObject([{ action: 'keep' }, { service: 'api', action: 'deploy' }])
    expect(await apply(sim, next)).toMatchObject({ ok: true })
    expect([sim.service('db').starts, sim.service('api').starts]).toEqual([2, 3])
  })

  it('twice at once replaces every service once', async () => {
    await using sim = await simulate([rolling()], { db: x, api: { ...x, depends_on: ['db'] } })
    const next = await sim.configOf({ db: x, api: { ...x, depends_on: ['db'] } })
    const both = [sim.system.apply(next, { all: true }), sim.system.apply(next, { all: true })]
    for (const one of both) expect(await sim.finish(one)).toMatchObject({ ok: true })
    expect([sim.service('db').starts, sim.service('api').starts]).toEqual([2, 2])
  })

  it('goes on when whoever asked waits no longer', async () => {
    await using sim = await simulate([rolling()], { db: x, api: { ...x, depends_on: ['db'] } })
    const controller = new AbortController()
    const config = await sim.configOf({ db: x, api: { command: 'y', depends_on: ['db'] }, added: x })
    const asked = sim.system.apply(config, { all: true, signal: controller.signal })
    await sim.until(() => sim.service('db').starts === 2)
    controller.abort(new Error('Ctrl-C'))
    await expect(asked).rejects.toThrow('Ctrl-C')
    await sim.clock.advance(60_000)
    expect([sim.service('db').starts, sim.service('api').starts, sim.service('added').starts]).toEqual([2, 2, 1])
    expect(sim.world.processes.list('api').map(({ argv }) => argv)).toEqual([['y']])
  })
})
