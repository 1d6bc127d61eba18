import { definePlugin, type TreeRef } from '@systemg/core'
import type { MetricPoint } from '@systemg/plugins/metrics'
import { metrics, restart, store } from '@systemg/plugins'
import type { Program } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import type { ServeMetrics } from '../../plugins/src/metrics/port.ts'

const plugins = [store, restart, metrics]
const hour = 3_600_000

/** Uses this share of a core, in percent, and this much memory. */
const uses =
  (percent: number, memoryBytes = 1024 * 1024): Program =>
  (self) => {
    let cpuMs = 0
    self.use({ memoryBytes, cpuMs })
    const burn = () => {
      cpuMs += percent
      self.use({ cpuMs })
      self.after(100, burn)
    }
    self.after(100, burn)
  }

const counting = (sim: Simulation) => {
  const count = { looks: 0 }
  const processes = { ...sim.host.processes }
  Object.assign(sim.host.processes, {
    usage: (trees: readonly TreeRef[]) => {
      count.looks += 1
      return processes.usage(trees)
    },
  })
  return count
}

/** Programs here use their time in pieces. */
const about = (percent: number): unknown => expect.closeTo(percent, -1)

const look = (sim: Simulation) => sim.finish(sim.system.look())

describe('CPU and memory in `status`', () => {
  it('are those of the whole tree, of every instance and of the service', async () => {
    const tree: Program = (self) => {
      uses(30, 5_000_000)(self)
      self.fork(uses(20, 3_000_000), { setsid: true, reparent: true })
    }
    await using sim = await simulate(plugins, { api: { command: 'x', replicas: 2 } }, { programs: { api: tree } })
    await sim.clock.advance(2_000)
    const [api] = await look(sim)
    expect(api).toMatchObject({ cpu_percent: about(100), memory_bytes: 16_000_000 })
    expect(api?.instances).toMatchObject([
      { cpu_percent: about(50), memory_bytes: 8_000_000 },
      { cpu_percent: about(50), memory_bytes: 8_000_000 },
    ])
  })

  it('are of now, whenever somebody looks: nobody waits for an interval', async () => {
    const grows: Program = (self) => {
      uses(10)(self)
      self.after(99_000, () => self.use({ memoryBytes: 7 }))
    }
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { programs: { api: grows } })
    await sim.clock.advance(100_000)
    expect((await look(sim))[0]).toMatchObject({ memory_bytes: 7, cpu_percent: about(10) })
  })

  it('are null where nothing runs', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.finish(sim.system.stop(['api']))
    expect((await look(sim))[0]).toMatchObject({ cpu_percent: null, memory_bytes: null })
  })

  it('go on under the next supervisor, which does not count what was used before it came', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { programs: { api: uses(25) } })
    await sim.clock.advance(600_000)
    sim.crash()
    await sim.clock.advance(10_000)
    await sim.boot()
    await sim.start()
    await look(sim)
    await sim.clock.advance(1_000)
    expect((await look(sim))[0]).toMatchObject({ cpu_percent: 25 })
  })
})

describe('the machine is looked at', () => {
  it('every 30 seconds when nobody looks, and every `interval` for a minute after somebody did', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { system: { metrics: { interval: '2s' } } })
    await sim.clock.advance(120_000)
    const count = counting(sim)
    await sim.clock.advance(300_000)
    expect(count.looks).toBe(10)
    count.looks = 0
    await look(sim)
    await sim.clock.advance(58_000)
    expect(count.looks).toBe(30)
    await sim.clock.advance(60_000)
    count.looks = 0
    await sim.clock.advance(300_000)
    expect(count.looks).toBe(10)
  })

  it('once a second at the most, however many ask', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.clock.advance(45_000)
    const count = counting(sim)
    await sim.finish(Promise.all([sim.system.look(), sim.system.look(), sim.system.look()]))
    await look(sim)
    expect(count.looks).toBe(1)
    await sim.clock.advance(1_000)
    await look(sim)
    expect(count.looks).toBe(2)
  })

  it('never while nothing runs', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.finish(sim.system.stop(['api']))
    const count = counting(sim)
    await sim.clock.advance(3_600_000)
    expect(count.looks).toBe(0)
  })

  it('as often as another config says', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } })
    await sim.finish(sim.system.apply(await sim.configOf({ api: { command: 'x' } }, { metrics: { interval: '1m' } })))
    await sim.clock.advance(120_000)
    const count = counting(sim)
    await sim.clock.advance(300_000)
    expect(count.looks).toBe(5)
  })
})

describe('what was measured is kept', () => {
  const read = (sim: Simulation, window_ms: number) =>
    Promise.resolve(sim.system.registries.methods.call('metrics.read', { service: 'api', window_ms })) as Promise<
      readonly MetricPoint[]
    >

  it('of whole services: one of several replicas has what is now, the only one has its past', async () => {
    const services = { api: { command: 'x', replicas: 2 }, db: { command: 'x' } }
    await using sim = await simulate(plugins, services, {
      programs: { api: uses(10, 5_000_000), db: uses(10, 5_000_000) },
    })
    await sim.clock.advance(300_000)
    const seen = async (name: string) => {
      const { metrics: report } = await sim.finish(sim.system.inspect(name))
      return report?.points.map(({ memory_bytes: bytes }) => bytes) ?? []
    }
    expect(await seen('api/0')).toEqual([5_000_000])
    expect(new Set(await seen('api'))).toEqual(new Set([10_000_000]))
    expect((await seen('db/0')).length).toBeGreaterThan(2)
  })

  it('as it was measured for a while, condensed for the rest, over the death of the supervisor', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { programs: { api: uses(40, 5_000_000) } })
    await sim.clock.advance(3 * hour)
    sim.crash()
    await sim.boot()
    await sim.start()
    await sim.clock.advance(3 * hour)
    const points = await read(sim, 6 * hour)
    expect(points.length).toBeLessThanOrEqual(241)
    expect(Date.parse(points[0]?.time ?? '') - sim.world.startMs).toBeLessThan(5 * 60_000)
    for (const point of points)
      expect(point).toMatchObject({ cpu_percent: about(40), memory_bytes: 5_000_000, memory_bytes_max: 5_000_000 })
    const times = points.map(({ time }) => Date.parse(time))
    expect(times).toEqual([...times].sort((a, b) => a - b))
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0))
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * 90_000)
  })

  it('for no longer than `retention`, in a bounded number of records, however long that is', async () => {
    const system = { metrics: { interval: '1s', retention: '2h' } }
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { system })
    await sim.clock.advance(10 * hour)
    const kept = (name: string) => sim.host.store.log(name).read({})
    expect(kept('metrics').length).toBeLessThan(500)
    expect(kept('metrics_condensed').length).toBeLessThan(200)
    const [first] = await read(sim, 20 * hour)
    const age = sim.world.now() - Date.parse(first?.time ?? '')
    expect(age).toBeLessThanOrEqual(2 * hour)
    expect(age).toBeGreaterThan(1.9 * hour)
    await sim.finish(
      sim.system.apply(await sim.configOf({ api: { command: 'x' } }, { metrics: { retention: '365d' } })),
    )
    await sim.clock.advance(48 * hour)
    expect(kept('metrics').length).toBeLessThan(500)
    expect(kept('metrics_condensed').length).toBeLessThan(200)
  })

  it('also when the clock is set', async () => {
    await using sim = await simulate(plugins, { api: { command: 'x' } }, { programs: { api: uses(40) } })
    await sim.clock.advance(hour)
    sim.world.jump(-2 * hour)
    await sim.clock.advance(hour / 2)
    sim.world.jump(3 * hour)
    await sim.clock.advance(hour / 2)
    const points = await read(sim, 12 * hour)
    expect(points.length).toBeGreaterThan(35)
    for (const point of points) expect(point).toMatchObject({ cpu_percent: about(40) })
  })
})

describe('metrics that are published', () => {
  const text = async (sim: Simulation) =>
    (await sim.finish(Promise.resolve(sim.system.registries.methods.call('metrics.text', {})))) as string

  it('tell of every service whether it is up, its state, restarts, CPU and memory, also of what has ended', async () => {
    await using sim = await simulate(
      plugins,
      { api: { command: 'x', restart_policy: 'always', backoff: '1s' }, db: { command: 'y' } },
      { programs: { api: uses(50, 5_000_000) } },
    )
    await sim.clock.advance(100_000)
    await look(sim)
    await sim.service('api').exit({ code: 1 })
    await sim.clock.advance(20_000)
    const lines = (await text(sim)).split('\n')
    expect(lines).toContain('systemg_service_up{service="api"} 1')
    expect(lines).toContain('systemg_service_state{service="api",state="running"} 1')
    expect(lines).toContain('systemg_service_state{service="api",state="failed"} 0')
    expect(lines).toContain('systemg_service_restarts_total{service="api"} 1')
    expect(lines).toContain('systemg_service_memory_bytes{service="api"} 5000000')
    const [, seconds] = /^systemg_service_cpu_seconds_total\{service="api"\} (.*)$/m.exec(lines.join('\n')) ?? []
    expect(Number(seconds)).toBeCloseTo(59, -1)
    expect(lines).toContain('# TYPE process_cpu_seconds_total counter')
  })

  it('are those of other plugins, too; one that fails or hangs is left out and told once', async () => {
    const others = definePlugin({
      name: 'queue',
      setup: ({ registerMetric }) => {
        registerMetric('queue_jobs', {
          type: 'gauge',
          help: 'Jobs that wait.',
          collect: () => [{ labels: { queue: 'a"b' }, value: 3 }],
        })
        registerMetric('queue_broken', { type: 'gauge', help: 'x', collect: () => Promise.reject(new Error('no')) })
        registerMetric('queue_hangs', { type: 'gauge', help: 'x', collect: () => new Promise(() => undefined) })
      },
    })
    await using sim = await simulate([...plugins, others], { api: { command: 'x' } })
    for (const found of [await text(sim), await text(sim)]) {
      expect(found).toContain('queue_jobs{queue="a\\"b"} 3\n')
      expect(found).toContain('systemg_service_up{service="api"} 1\n')
      expect(found).not.toMatch(/queue_broken|queue_hangs/)
    }
    expect(sim.world.traceLines.filter((line) => line.includes('`queue_broken`'))).toHaveLength(1)
    expect(sim.world.traceLines.filter((line) => line.includes('`queue_hangs`'))).toHaveLength(1)
  })

  it.each([
    ['queue-jobs', 'gauge'],
    ['queue_jobs', 'counter'],
  ] as const)('cannot be called %s when they are a %s', async (name, type) => {
    const wrong = definePlugin({
      name: 'wrong',
      setup: ({ registerMetric }) => registerMetric(name, { type, help: 'x', collect: () => [] }),
    })
    await expect(simulate([wrong], { api: { command: 'x' } })).rejects.toMatchObject({ code: 'SYSG_METRIC_NAME' })
  })
})

describe('`metrics.listen`', () => {
  const served = () => {
    const open: string[] = []
    const failing = { reason: undefined as Error | undefined, tries: 0 }
    const serve: ServeMetrics = ({ host, port }) => {
      failing.tries += 1
      if (failing.reason !== undefined) return Promise.reject(failing.reason)
      const address = `${host}:${port}`
      open.push(address)
      return Promise.resolve({
        close: () => {
          open.splice(open.indexOf(address), 1)
          return Promise.resolve()
        },
      })
    }
    return { open, failing, use: [store, restart, { plugin: metrics, options: { serve } }] }
  }
  const api = { command: 'x' }

  it('is served, moves with the config, and ends with the system', async () => {
    const { open, use } = served()
    {
      await using sim = await simulate(use, { api }, { system: { metrics: { listen: '127.0.0.1:9464' } } })
      expect(open).toEqual(['127.0.0.1:9464'])
      await sim.finish(sim.system.apply(await sim.configOf({ api }, { metrics: { listen: '[::1]:1' } })))
      await sim.clock.settle()
      expect(open).toEqual(['::1:1'])
    }
    expect(open).toEqual([])
  })

  it('that is taken is told once, with who has it, and tried again', async () => {
    const { open, failing, use } = served()
    failing.reason = Object.assign(new Error('address in use'), { code: 'EADDRINUSE' })
    await using sim = await simulate(use, { api }, { system: { metrics: { listen: '127.0.0.1:9464' } } })
    await sim.clock.advance(100_000)
    expect(failing.tries).toBe(4)
    const told = sim.events.filter(({ type }) => type === 'metrics.listen_failed')
    expect(told.map(({ data }) => data)).toEqual([{ address: '127.0.0.1:9464', reason: 'the port is taken' }])
    expect(sim.states).toEqual({ api: 'running' })
    const outcome = await sim.finish(sim.system.settled())
    expect(outcome).toMatchObject({ ok: true, warnings: [expect.stringMatching(/^Metrics are not served at 127/)] })
    failing.reason = undefined
    await sim.clock.advance(30_000)
    expect(open).toEqual(['127.0.0.1:9464'])
    expect(await sim.finish(sim.system.settled())).toMatchObject({ ok: true, warnings: [] })
  })

  it.each([9464, '9464', ':9464', 'localhost', '127.0.0.1:0', '127.0.0.1:70000', '::1:80', 'http://x:80'])(
    'cannot be %s',
    async (listen) => {
      const options = { system: { metrics: { listen } } }
      await expect(simulate(plugins, { api }, options)).rejects.toMatchObject({
        code: 'SYSG_CONFIG_VALUE',
        message: expect.stringContaining('must be an address such as `127.0.0.1:9464`') as string,
      })
    },
  )
})
