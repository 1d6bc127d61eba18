import { definePlugin } from '@systemg/core'
import { all, answers, forks, serve } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { cron, dotenv, health, metrics, restart, store } from '@systemg/plugins'
import { describe, expect, it } from 'vitest'

const plugins = [store, dotenv, health, restart, cron, metrics]

const inspect = (sim: Simulation, name: string) => sim.finish(sim.system.inspect(name))

describe('a service is found', () => {
  it('by its name, its id, a replica or an instance; a name comes first', async () => {
    const services = { api: { command: 'x', replicas: 2 }, 'api-1': { command: 'y' } }
    await using sim = await simulate(plugins, services)
    const { id, instances } = sim.service('api').view
    expect(await inspect(sim, 'api')).toMatchObject({ name: 'api', instance: null })
    expect(await inspect(sim, id)).toMatchObject({ name: 'api', instance: null })
    expect(await inspect(sim, 'api-1')).toMatchObject({ name: 'api-1', instance: null })
    const second = await inspect(sim, 'api-2')
    expect(second).toMatchObject({ name: 'api', instance: 'api-2', instances: [{ id: 'api-2', replica: 1 }] })
    expect(second.pid).toBe(instances.find(({ replica }) => replica === 1)?.pid)
    expect(second.tree.map(({ instance }) => instance)).toEqual(['api-2'])
    expect((await inspect(sim, 'api/1')).instance).toBe(instances.find(({ replica }) => replica === 1)?.id)
  })

  it('or an error names the nearest', async () => {
    await using sim = await simulate(plugins, { worker: { command: 'x' } })
    await expect(inspect(sim, 'wroker')).rejects.toMatchObject({
      code: 'SYSG_SERVICE_UNKNOWN',
      hint: 'Did you mean `worker`?',
    })
    await expect(inspect(sim, 'worker/7')).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })
})

describe('everything about a service', () => {
  it('holds config, environment with origins, processes, events, metrics, health and runs', async () => {
    const api = {
      command: 'x --port 80',
      env: { vars: { PORT: '80' }, file: 'api.env', inherit: false },
      health_check: { tcp: '127.0.0.1:80', interval: '1s' },
    }
    await using sim = await simulate(
      plugins,
      { api },
      {
        files: { '/srv/api.env': 'MODE=fast\n' },
        programs: { api: all(answers('tcp://127.0.0.1:80'), forks(serve(), { argv: ['child', 'of', 'api'] })) },
        idle: true,
      },
    ).then(async (made) => {
      made.world.files.write('/srv/api.env', 'MODE=fast\n')
      await made.start()
      return made
    })
    await sim.clock.advance(120_000)
    const found = await inspect(sim, 'api')
    expect(found.config).toMatchObject({ command: 'x --port 80', working_dir: '/srv' })
    expect(found.env).toEqual(
      expect.arrayContaining([
        { name: 'MODE', value: 'fast', origin: 'service file', file: 'api.env' },
        { name: 'PORT', value: '80', origin: 'service vars' },
        { name: 'SYSG_TOKEN', value: '********', origin: 'launch' },
      ]),
    )
    expect(found.tree).toMatchObject([
      { instance: 'api-1', processes: [{ pid: found.pid, children: [{ command: 'child of api' }] }] },
    ])
    expect(found.events?.map(({ type }) => type)).toContain('service.ready')
    expect(found.metrics).toMatchObject({ processes: 2, window_ms: 600_000 })
    expect(found.metrics?.points.length).toBeGreaterThan(2)
    expect(found.health_history?.[0]?.results.at(-1)?.healthy).toBe(true)
    expect(JSON.parse(JSON.stringify(found))).toEqual(found)
  })

  it('gets what a plugin adds; one that fails costs its own part alone', async () => {
    const queue = definePlugin({
      name: 'queue',
      setup: ({ hooks }) =>
        hooks.inspect.tap('queue', (found, { service }) => ({
          ...found,
          sections: [...found.sections, { title: 'queue', lines: [`${service.name}: 3 jobs`] }],
        })),
    })
    const broken = definePlugin({
      name: 'broken',
      setup: ({ hooks }) =>
        hooks.inspect.tap('broken', () => {
          throw new Error('no')
        }),
    })
    await using sim = await simulate([...plugins, broken, queue], { api: { command: 'x' } })
    expect((await inspect(sim, 'api')).sections).toEqual([{ title: 'queue', lines: ['api: 3 jobs'] }])
    expect(sim.eventTypes()).toContain('plugin.error')
  })
})

describe('secrets', () => {
  const planted = ['planted-in-vars', 'planted-in-url', 'planted-in-command']

  it('are neither in what is inspected nor in events, outcomes, reasons and the trace', async () => {
    const api = {
      command: 'serve --with planted-in-vars --password planted-in-command',
      env: { vars: { API_TOKEN: 'planted-in-vars', DATABASE_URL: 'postgres://u:planted-in-url@db/x' } },
      restart_policy: 'always' as const,
    }
    const talks = definePlugin({
      name: 'talks',
      setup: ({ hooks, host }) => {
        hooks.started.tap('talks', () => host.trace('error', 'it is planted-in-vars', { why: new Error(planted[0]) }))
        hooks.exited.tap('talks', (lines) => [...lines, 'can not log in with planted-in-url'])
      },
    })
    await using sim = await simulate([...plugins, talks], { api })
    const before = JSON.stringify(await inspect(sim, 'api'))
    await sim.service('api').exit({ code: 3 })
    const outcome = await sim.finish(sim.system.settled())
    const all = [
      before,
      ...[await inspect(sim, 'api'), sim.events, sim.world.traceLines, outcome].map((one) => JSON.stringify(one)),
    ]
    for (const text of all) for (const secret of planted) expect(text).not.toContain(secret)
    expect(sim.events.some(({ data }) => JSON.stringify(data).includes('********'))).toBe(true)
  })
})
