/** Numbers of replicas, changed while other things happen. */
import { definePlugin, type Plugin, type ServiceConfig } from '@systemg/core'
import { exitsAfter, ignoresSigterm } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { probed, remembers, retries, rolling } from './plugins.ts'

const x = { command: 'x' }

const commandsOf = (sim: Simulation, name = 'api') =>
  sim.world.processes
    .list(name)
    .map(({ argv, env }) => [env['SYSG_REPLICA'], argv.join(' ')])
    .sort()

/** A reload of `api` that has begun and not ended. */
const beginDeploy = async (sim: Simulation, next: ServiceConfig) => {
  const ended = sim.system.apply(await sim.configOf({ api: next }))
  await sim.until(() => sim.events.some(({ type }) => type === 'deploy.step'))
  return { ended }
}

it('a replica that has no instance says when it comes back, and why it is down', async () => {
  await using sim = await simulate([retries(5_000)], { api: { ...x, replicas: 3 } })
  expect(sim.service('api').view.down).toBeUndefined()
  const [, pid = 0] = sim.service('api').pids
  sim.world.processes.kill(pid, 'SIGKILL')
  await sim.until(() => sim.service('api').view.down !== undefined)
  const { state, down } = sim.service('api').view
  expect(state).toBe('running')
  expect(down).toEqual([
    { replica: 1, state: 'backoff', reason: 'killed by SIGKILL', retry_at: expect.stringMatching(/^2/) as string },
  ])
  await sim.until(() => sim.service('api').pids.length === 3)
  await sim.until(() => sim.service('api').view.down === undefined)
})

describe('scale during a rolling deploy', () => {
  it('up: what is new waits for the verdict, then runs the new config', async () => {
    await using sim = await simulate([rolling()], { api: { ...x, replicas: 2 } })
    const deploy = await beginDeploy(sim, { command: 'y', replicas: 2 })
    const scaled = sim.system.scale({ api: 4 })
    await sim.clock.settle()
    expect(commandsOf(sim).map(([replica]) => replica)).not.toContain('2')
    expect(await sim.finish(deploy.ended)).toMatchObject({ ok: true })
    expect(await sim.finish(scaled)).toMatchObject({ ok: true })
    expect(commandsOf(sim)).toEqual([
      ['0', 'y'],
      ['1', 'y'],
      ['2', 'y'],
      ['3', 'y'],
    ])
    // Two for the deploy, two before it, and each new one once.
    expect(sim.service('api').starts).toBe(6)
  })

  it('up: when the deploy fails, what is new runs what the others go on with', async () => {
    const healthy = new Set(['api-1', 'api-2'])
    await using sim = await simulate([rolling(), probed(healthy)], { api: { ...x, replicas: 2 } })
    sim.service('api').runs(exitsAfter(500, 1))
    const deploy = await beginDeploy(sim, { command: 'broken', replicas: 2 })
    const scaled = sim.system.scale({ api: 3 })
    expect(await sim.finish(deploy.ended)).toMatchObject({ ok: false, problems: [{ code: 'SYSG_DEPLOY_FAILED' }] })
    sim.service('api').runs(exitsAfter(3_600_000))
    healthy.add('api')
    await sim.finish(scaled)
    expect(commandsOf(sim)).toEqual([
      ['0', 'x'],
      ['1', 'x'],
      ['2', 'x'],
    ])
  })

  it('down: the replica that is being replaced is left out, and the deploy of the others succeeds', async () => {
    await using sim = await simulate([rolling()], { api: { ...x, replicas: 3 } })
    const deploy = await beginDeploy(sim, { command: 'y', replicas: 3 })
    // The second candidate has just started.
    await sim.until(() => sim.world.spawnCount('api') === 5)
    const scaled = sim.system.scale({ api: 1 })
    expect(await sim.finish(deploy.ended)).toMatchObject({ ok: true, problems: [] })
    expect(await sim.finish(scaled)).toMatchObject({ ok: true })
    expect(commandsOf(sim)).toEqual([['0', 'y']])
    expect(sim.service('api').starts).toBe(5)
    expect(sim.eventTypes('api')).toContain('deploy.succeeded')
  })

  it('down: nothing is launched after a step that had begun before', async () => {
    await using sim = await simulate([rolling({ preStartMs: 5_000 })], { api: { ...x, replicas: 2 } })
    const deploy = await beginDeploy(sim, { command: 'y', replicas: 2 })
    await sim.until(() => sim.events.filter(({ type }) => type === 'deploy.switched').length === 1)
    await sim.clock.advance(2_000)
    await sim.finish(sim.system.scale({ api: 1 }))
    expect(await sim.finish(deploy.ended)).toMatchObject({ ok: true })
    expect(commandsOf(sim)).toEqual([['0', 'y']])
    expect(sim.service('api').starts).toBe(3)
  })

  it('down and up again: every replica runs the new config in the end', async () => {
    await using sim = await simulate(
      [rolling()],
      { api: { ...x, replicas: 3 } },
      { programs: { api: ignoresSigterm() } },
    )
    const deploy = await beginDeploy(sim, { command: 'y', replicas: 3 })
    await sim.until(() => sim.world.spawnCount('api') === 5)
    const down = sim.system.scale({ api: 1 })
    await sim.clock.advance(500)
    const up = sim.system.scale({ api: 3 })
    for (const one of [deploy.ended, down, up]) expect(await sim.finish(one)).toMatchObject({ ok: true })
    expect(commandsOf(sim)).toEqual([
      ['0', 'y'],
      ['1', 'y'],
      ['2', 'y'],
    ])
  })

  it('to none: the deploy has nothing left to do, and a later number runs the new config', async () => {
    await using sim = await simulate([rolling()], { api: { ...x, replicas: 2 } })
    const deploy = await beginDeploy(sim, { command: 'y', replicas: 2 })
    await sim.until(() => sim.world.spawnCount('api') === 3)
    expect(await sim.finish(sim.system.scale({ api: 0 }))).toMatchObject({ ok: true })
    await sim.finish(deploy.ended)
    expect(sim.service('api').pids).toEqual([])
    await sim.finish(sim.system.scale({ api: 2 }))
    expect(commandsOf(sim)).toEqual([
      ['0', 'y'],
      ['1', 'y'],
    ])
  })
})

describe('a config with another number and another command', () => {
  it('replaces what runs, then adds what is new, each started once', async () => {
    await using sim = await simulate([rolling()], { api: x })
    const next = await sim.configOf({ api: { command: 'y', replicas: 3 } })
    expect(await sim.finish(sim.system.apply(next))).toMatchObject({ ok: true })
    expect(commandsOf(sim)).toEqual([
      ['0', 'y'],
      ['1', 'y'],
      ['2', 'y'],
    ])
    expect(sim.service('api').starts).toBe(4)
  })
})

describe('a deploy that fails half-way', () => {
  it('is taken up where it failed by the next start, and only there', async () => {
    await using sim = await simulate([rolling()], { api: { ...x, replicas: 3 } })
    const next = await sim.configOf({ api: { command: 'y', replicas: 3 } })
    const failing = sim.system.apply(next)
    await sim.until(() => sim.world.spawnCount('api') === 4)
    await sim.until(() => sim.events.filter(({ type }) => type === 'deploy.switched').length === 1)
    sim.service('api').runs(exitsAfter(10, 1))
    expect(await sim.finish(failing)).toMatchObject({ ok: false })
    expect(
      commandsOf(sim)
        .map(([, command]) => command)
        .sort(),
    ).toEqual(['x', 'x', 'y'])
    sim.service('api').runs(exitsAfter(3_600_000))
    expect(sim.system.plan(next)).toMatchObject([{ service: 'api', action: 'deploy', because: ['`command` changed'] }])
    const before = sim.service('api').starts
    expect(await sim.finish(sim.system.apply(next))).toMatchObject({ ok: true })
    expect(sim.service('api').starts - before).toBe(2)
    expect(commandsOf(sim).map(([, command]) => command)).toEqual(['y', 'y', 'y'])
  })
})

describe('scale', () => {
  it('takes several services at once, and none when one of them cannot be', async () => {
    await using sim = await simulate([], { api: x, web: x })
    await sim.finish(sim.system.scale({ api: 2, web: 3 }))
    expect([sim.service('api').pids.length, sim.service('web').pids.length]).toEqual([2, 3])
    const unknown = sim.system.scale({ api: 5, wbe: 1 })
    await expect(sim.finish(unknown)).rejects.toMatchObject({
      code: 'SYSG_SERVICE_UNKNOWN',
      hint: 'Did you mean `web`?',
    })
    const many = sim.system.scale({ api: 5, web: 1_001 })
    await expect(sim.finish(many)).rejects.toMatchObject({
      code: 'SYSG_SCALE_COUNT',
      message: "`web` can't have 1001 replicas.",
    })
    expect([sim.service('api').pids.length, sim.service('web').pids.length]).toEqual([2, 3])
  })

  it('is forbidden what the config is forbidden, in the same words', async () => {
    const slots = definePlugin({
      name: 'slots',
      check: ({ services }) =>
        Object.values(services)
          .filter(({ name, replicas }) => name === 'blue' && replicas > 1)
          .map(({ name }) => ({
            path: ['services', name, 'replicas'],
            message: `\`${name}\` has slots`,
            hint: 'One.',
          })),
    })
    const services = { blue: x, job: x, web: { ...x, depends_on: { job: { condition: 'completed' as const } } } }
    await using sim = await simulate([slots], services, { programs: { job: exitsAfter(10) } })
    await expect(sim.finish(sim.system.scale({ blue: 2 }))).rejects.toMatchObject({
      ...{ code: 'SYSG_CONFIG_COMBINATION', message: '`blue` has slots.', hint: 'One.' },
    })
    await expect(sim.finish(sim.system.scale({ job: 2 }))).rejects.toMatchObject({
      message: '`web` waits until `job` has completed, but `job` has 2 replicas.',
    })
    expect(await sim.finish(sim.system.scale({ blue: 1, web: 2 }))).toMatchObject({ ok: true })
  })

  it('is undone by a config that forbids it, and says so', async () => {
    await using sim = await simulate([], { api: x })
    await sim.finish(sim.system.scale({ api: 2 }))
    const next = { api: x, web: { ...x, depends_on: { api: { condition: 'completed' as const } } } }
    const applying = sim.system.apply(await sim.configOf(next))
    await sim.until(() => sim.service('api').pids.length === 1)
    await sim.service('api').exit()
    expect((await sim.finish(applying)).warnings).toEqual([
      '`api` is scaled back from 2 to 1: `web` waits until `api` has completed, but `api` has 2 replicas.',
    ])
  })

  it('is forgotten once a config has another number, also when that comes back', async () => {
    await using sim = await simulate([], { api: { ...x, replicas: 2 } })
    await sim.finish(sim.system.scale({ api: 3 }))
    for (const [replicas, running] of [
      [2, 3],
      [1, 1],
      [2, 2],
    ] as const) {
      await sim.finish(sim.system.apply(await sim.configOf({ api: { ...x, replicas } })))
      expect(sim.service('api').pids).toHaveLength(running)
    }
  })

  it('outlives the supervisor', async () => {
    await using sim = await simulate([remembers()], { api: x, web: x })
    await sim.finish(sim.system.scale({ api: 3, web: 0 }))
    const { pids } = sim.service('api')
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('api').pids).toEqual(pids)
    expect(sim.service('web')).toMatchObject({ state: 'stopped', reason: 'scaled to 0 by you' })
  })

  it('warns of what goes on without the service it needs, and blocks what comes later', async () => {
    await using sim = await simulate([], { api: x, web: { ...x, depends_on: ['api'] } })
    expect(await sim.finish(sim.system.scale({ api: 0 }))).toEqual({
      ...{ ok: true, problems: [] },
      warnings: ['`web` depends on what you stopped, and goes on.'],
    })
    expect(sim.states).toEqual({ api: 'stopped', web: 'running' })
    await sim.finish(sim.system.stop(['web']))
    await sim.start(['web'])
    expect(sim.service('web').reason).toBe('api is stopped: scaled to 0 by you')
  })

  it('leaves a service that a person stopped stopped, and holds when it is started', async () => {
    await using sim = await simulate([], { api: x })
    await sim.finish(sim.system.stop(['api']))
    const { warnings } = await sim.finish(sim.system.scale({ api: 3 }))
    expect(warnings).toEqual(['`api` stays stopped, as you asked; `sysg start -s api` starts it.'])
    await sim.start(['api'])
    expect(sim.service('api').pids).toHaveLength(3)
  })

  it('fails when a new replica does, and the others go on', async () => {
    await using sim = await simulate([], { api: x })
    sim.service('api').runs(exitsAfter(10, 1))
    expect(await sim.finish(sim.system.scale({ api: 2 }))).toMatchObject({
      ok: false,
      problems: [
        {
          code: 'SYSG_REPLICAS_INCOMPLETE',
          message: '`api` does not have all its replicas: 1 of 2 ready: replica 1 failed, exit code 1.',
        },
      ],
    })
    expect(sim.service('api').state).toBe('running')
  })

  it.each<[string, readonly Plugin[]]>([
    ['is in backoff', [retries(60_000)]],
    ['failed', []],
  ])('blocks those who need the service while a replica %s, so that no start waits for ever', async (why, plugins) => {
    const services = { api: { ...x, replicas: 2 }, web: { ...x, depends_on: ['api'] } }
    await using sim = await simulate(plugins, services, { idle: true })
    sim.service('api').runs((self) => {
      if (self.env['SYSG_REPLICA'] === '0') exitsAfter(10, 1)(self)
    })
    const { problems } = await sim.finish(sim.system.start())
    expect(problems.map(({ code }) => code)).toEqual(['SYSG_REPLICAS_INCOMPLETE', 'SYSG_START_BLOCKED'])
    expect(sim.service('web').state).toBe('blocked')
    expect(sim.service('web').reason).toBe(`api is starting: 1 of 2 ready: replica 0 ${why}, exit code 1`)
  })

  it.each<[string, readonly Plugin[], string]>([
    ['had failed', [], 'api failed: exit code 1'],
    ['is in backoff', [retries(60_000)], 'api is in backoff: exit code 1'],
  ])('stops what needs the service when only a replica that %s is left', async (_, plugins, reason) => {
    await using sim = await simulate(plugins, { api: { ...x, replicas: 2 }, web: { ...x, depends_on: ['api'] } })
    sim.world.processes.exit(sim.world.processes.list('api')[0]?.pid ?? 0, 1)
    await sim.until(() => sim.service('api').view.instances.length === 1)
    expect(sim.service('web').state).toBe('running')
    await sim.finish(sim.system.scale({ api: 1 }))
    await sim.until(() => sim.service('web').state === 'blocked')
    expect(sim.service('web').reason).toBe(reason)
  })

  it('takes away a replica in backoff without a wait', async () => {
    await using sim = await simulate([retries(60_000)], { api: { ...x, replicas: 2 } })
    const second = sim.world.processes.list('api')[1]
    sim.world.processes.exit(second?.pid ?? 0, 1)
    await sim.clock.settle()
    const before = sim.world.elapsedMs()
    expect(await sim.finish(sim.system.scale({ api: 1 }))).toMatchObject({ ok: true })
    expect(sim.world.elapsedMs() - before).toBeLessThan(1_000)
  })

  it('tells what was asked, and what followed leads back to it', async () => {
    await using sim = await simulate([], { api: x })
    await sim.finish(sim.system.scale({ api: 2 }))
    const scaled = sim.events.find(({ type }) => type === 'service.scaled')
    expect(scaled?.data).toEqual({ from: 1, to: 2, by: 'you' })
    expect(sim.events.findLast(({ type }) => type === 'instance.started')?.cause).toBe(scaled?.seq)
  })

  it('does not wait when it need not', async () => {
    await using sim = await simulate([], { api: x })
    const before = sim.world.elapsedMs()
    expect(await sim.finish(sim.system.scale({ api: 2 }, { wait: false }))).toMatchObject({ ok: true })
    expect(sim.world.elapsedMs()).toBe(before)
    await expect(sim.finish(sim.system.scale({ app: 2 }, { wait: false }))).rejects.toMatchObject({
      code: 'SYSG_SERVICE_UNKNOWN',
    })
    await sim.until(() => sim.service('api').pids.length === 2)
  })
})
