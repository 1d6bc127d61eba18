import {
  createHooks,
  HostError,
  pastAt,
  pastViews,
  type Checkpoint,
  type InstanceRecord,
  type SysgEvent,
} from '@systemg/core'
import { simulate, type Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { store } from '@systemg/plugins/store'
import { describe, expect, it } from 'vitest'
import { asInstance, asIntent } from '../../plugins/src/store/records.ts'

const ask = (sim: Simulation, method: string, params: unknown = {}): Promise<readonly SysgEvent[]> =>
  Promise.resolve().then(() => sim.system.registries.methods.call(method, params)) as Promise<readonly SysgEvent[]>

const types = (events: readonly SysgEvent[]) => events.map(({ type }) => type)

describe('store', () => {
  it('remembers what a person stopped by name', async () => {
    await using sim = await simulate([store], { api: { command: 'x' }, db: { command: 'y' } })
    await sim.finish(sim.system.stop(['api']))
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.states).toEqual({ api: 'stopped', db: 'running' })
  })

  it('gives instances back under their pids, and never starts a second copy', async () => {
    await using sim = await simulate([store], { api: { command: 'x', replicas: 3 } })
    const before = sim.service('api').pids
    sim.crash()
    await sim.clock.advance(60_000)
    await sim.boot()
    await sim.start()
    expect(sim.service('api').pids).toEqual(before)
    expect(sim.service('api').starts).toBe(3)
  })

  it('lets a supervisor that comes back by itself go on as it was: nothing that rests is begun again', async () => {
    await using sim = await simulate([store, restart], {
      up: { command: 'x', restart_policy: 'always', backoff: '1s' },
      down: { command: 'x' },
      broken: { command: 'x' },
      once: { command: 'x' },
    })
    await sim.finish(sim.system.stop(['down']))
    await sim.service('broken').exit({ code: 3 })
    await sim.service('once').exit({ code: 0 })
    const starts = () => ['up', 'down', 'broken', 'once'].map((name) => sim.service(name).starts)
    sim.crash()
    await sim.world.advance(1)
    for (const { pid } of sim.world.processes.list('up')) sim.world.processes.kill(pid, 'SIGKILL')
    await sim.boot()
    await sim.finish(sim.system.resume())
    await sim.until(() => sim.service('up').state === 'running')
    expect(sim.states).toEqual({ up: 'running', down: 'stopped', broken: 'failed', once: 'completed' })
    expect(starts()).toEqual([2, 1, 1, 1])
    // What a person types is more than that.
    await sim.start()
    expect(starts()).toEqual([2, 1, 2, 1])
  })

  it('lets it go on with the services that were asked for, and what they need', async () => {
    await using sim = await simulate(
      [store, restart],
      { db: { command: 'x' }, api: { command: 'x', depends_on: ['db'] }, other: { command: 'x' } },
      { idle: true },
    )
    await sim.start(['api'])
    sim.crash()
    for (const { pid } of sim.world.processes.list()) sim.world.processes.kill(pid, 'SIGKILL')
    await sim.boot()
    await sim.finish(sim.system.resume({ names: ['api', 'gone'] }))
    expect(sim.service('other').starts).toBe(0)
  })

  it('keeps nothing of an instance that has ended', async () => {
    await using sim = await simulate([store, restart], {
      api: { command: 'x', restart_policy: 'always', backoff: '1s' },
    })
    for (let crash = 0; crash < 20; crash++) {
      await sim.service('api').exit({ code: 1 })
      await sim.clock.advance(1_000)
    }
    expect(sim.host.store.table('instances').entries()).toHaveLength(1)
  })

  it('does not run a finished one-shot again after the death of the supervisor', async () => {
    await using sim = await simulate([store], { job: { command: 'x' } })
    await sim.service('job').exit({ code: 0 })
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('job').state).toBe('completed')
    expect(sim.service('job').starts).toBe(1)
  })

  it('never uses the number of an event twice, wherever the supervisor is killed', async () => {
    await using sim = await simulate([store, restart], {
      api: { command: 'x', restart_policy: 'always', backoff: '1s' },
    })
    for (let kill = 0; kill < 20; kill++) {
      await sim.clock.advance(37 * kill)
      await sim.service('api').exit({ code: 1 })
      sim.crash()
      await sim.boot()
      await sim.start()
    }
    const numbers = sim.events.map(({ seq }) => seq)
    expect(new Set(numbers).size).toBe(numbers.length)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
  })

  it('goes on counting without a gap after an orderly end', async () => {
    await using sim = await simulate([store], { api: { command: 'x' } })
    await sim.finish(sim.system.shutdown())
    const last = sim.events.at(-1)?.seq ?? 0
    await sim.boot()
    expect(sim.events.find(({ seq }) => seq > last)?.seq).toBe(last + 1)
  })

  it('gives back services that are in no config, and forgets them when they are stopped', async () => {
    await using sim = await simulate([store], { api: { command: 'x' } })
    const { worker } = (await sim.configOf({ worker: { exec: ['work', '--fast'] } })).services
    if (worker === undefined) throw new Error('no such service')
    await sim.finish(sim.system.startAdHoc(worker))
    const { pids } = sim.service('worker')
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('worker').pids).toEqual(pids)
    expect(sim.system.config.services['worker']).toEqual(worker)
    await sim.finish(sim.system.stop(['worker']))
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('leaves out damaged records with a warning, and starts', async () => {
    await using sim = await simulate([store], { api: { command: 'x' }, db: { command: 'y' } })
    await sim.finish(sim.system.stop(['db']))
    sim.crash()
    const { store: disk } = sim.world.host()
    disk.table('instances').set('api-7', { id: 'api-7', service: null })
    disk.table('instances').set('api-8', [])
    disk.table('intents').set('api', { intent: 'sideways' })
    disk.table('outcomes').set('api@0', 'gone')
    disk.table('ad_hoc').set('worker', { name: 'worker', argv: [] })
    disk.table('meta').set('seq', { not: 'a number' })
    await sim.boot()
    await sim.start()
    expect(sim.states).toEqual({ api: 'running', db: 'stopped' })
    expect(sim.world.traceLines.filter((line) => line.includes('damaged'))).toHaveLength(5)
  })

  it('goes on while nothing can be stored', async () => {
    await using sim = await simulate([store], { api: { command: 'x' }, db: { command: 'y' } })
    sim.world.faults.store = new HostError('ENOSPC', 'no space left on device')
    await sim.finish(sim.system.restart({ names: ['api'] }))
    expect(sim.states).toEqual({ api: 'running', db: 'running' })
    sim.world.faults.store = undefined
    await sim.clock.advance(1_000)
    expect((await ask(sim, 'events.read', { service: 'api' })).length).toBeGreaterThan(4)
  })

  it('writes down later what a full disk did not take, so that nobody gets a second copy', async () => {
    await using sim = await simulate([store], { api: { command: 'x' }, db: { command: 'y' } })
    sim.world.faults.store = new HostError('ENOSPC', 'no space left on device')
    await sim.finish(sim.system.restart({ names: ['api'] }))
    await sim.finish(sim.system.stop(['db']))
    await sim.clock.advance(5_000)
    sim.world.faults.store = undefined
    await sim.clock.advance(1_000)
    const { pids } = sim.service('api')
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('api').pids).toEqual(pids)
    expect(sim.world.processes.list().map(({ pid }) => pid)).toEqual(pids)
    expect(sim.states).toEqual({ api: 'running', db: 'stopped' })
    expect(sim.events.filter(({ type }) => type === 'plugin.error')).toHaveLength(1)
  })

  it('writes an entry of the journal as one: all of it, or nothing', () => {
    const writes: string[] = []
    let depth = 0
    const table = (name: string) => ({
      get: () => undefined,
      set: (key: string) => void writes.push(`${depth} ${name} set ${key}`),
      delete: (key: string) => void writes.push(`${depth} ${name} delete ${key}`),
      entries: () => [],
    })
    const hooks = createHooks({
      clock: { timer: () => () => undefined },
      owner: () => 'store',
      report: () => undefined,
    })
    const log = {
      append: () => undefined,
      flush: () => undefined,
      read: () => [],
      last: () => 0,
      trim: () => undefined,
    }
    const transaction = (body: () => void) => {
      depth++
      body()
      depth--
    }
    const host = { store: { table, log: () => log, transaction }, trace: () => undefined }
    store.setup?.({ hooks, host, registerMethod: () => undefined, onDispose: () => undefined } as never)
    const record = { id: 'api-2' } as InstanceRecord
    hooks.journal.call({ kind: 'instances', changed: [record], ended: ['api-1'] })
    expect(writes).toEqual(['1 instances set api-2', '1 instances delete api-1'])
  })
})

describe('the history of events', () => {
  it('is read by number, time, service and type', async () => {
    await using sim = await simulate([store], { api: { command: 'x' }, db: { command: 'y' } })
    await sim.clock.advance(10_000)
    const middle = sim.events.at(-1)?.seq ?? 0
    const moment = new Date(sim.world.now()).toISOString()
    await sim.clock.advance(1_000)
    await sim.finish(sim.system.stop(['api']))
    const later = sim.events.filter(({ seq }) => seq > middle)
    expect(await ask(sim, 'events.read')).toEqual(sim.events)
    expect(await ask(sim, 'events.read', { after: middle })).toEqual(later)
    expect(await ask(sim, 'events.read', { since: moment })).toEqual(later)
    expect(types(await ask(sim, 'events.read', { service: 'api', type: 'instance.*' }))).toEqual([
      'instance.started',
      'instance.ready',
      'instance.stopping',
      'instance.ended',
    ])
    expect(await ask(sim, 'events.read', { until: moment })).toEqual(sim.events.filter(({ seq }) => seq <= middle))
    expect(await ask(sim, 'events.read', { limit: 2 })).toEqual(sim.events.slice(-2))
    expect(await ask(sim, 'events.read', { limit: 1, type: 'system.started' })).toHaveLength(1)
    expect(await ask(sim, 'events.read', { type: 'ready' })).toEqual([])
  })

  it('is followed without a gap', async () => {
    await using sim = await simulate([store], { api: { command: 'x' } })
    const told: SysgEvent[] = []
    const controller = new AbortController()
    const done = sim.system.registries.methods.get('events.follow')?.(
      { after: 2 },
      { signal: controller.signal, notify: async (_, event) => void told.push(event as SysgEvent) },
    )
    await sim.finish(sim.system.restart({ names: ['api'] }))
    controller.abort()
    await done
    const count = told.length
    await sim.finish(sim.system.stop(['api']))
    expect(told).toHaveLength(count)
    expect(told).toEqual(sim.events.filter(({ seq }) => seq > 2).slice(0, count))
    expect(types(told)).toContain('service.ready')
  })

  it('keeps ten thousand, and not more', async () => {
    await using sim = await simulate([store], { api: { command: 'x' } })
    for (let at = 0; at < 12_500; at++) sim.system.emit('service.daemonized', { service: 'api' }, { pids: [at] })
    const events = await ask(sim, 'events.read', { limit: 10_000 })
    expect(events.at(-1)?.data).toEqual({ pids: [12_499] })
    expect(sim.host.store.log('events').read({}).length).toBeLessThanOrEqual(11_000)
  })

  it('keeps beside it what was told before, so that every moment of it is known', async () => {
    await using sim = await simulate([store], { api: { command: 'x' }, db: { command: 'y' } })
    await sim.finish(sim.system.stop(['db']))
    for (let at = 0; at < 12_500; at++) sim.system.emit('service.daemonized', { service: 'api' }, { pids: [at] })
    const events = await ask(sim, 'events.read', { limit: 10_000 })
    const checkpoints = sim.host.store.log('checkpoints').read({}) as unknown as (Omit<Checkpoint, 'past'> & {
      value: Checkpoint['past']
    })[]
    expect(checkpoints.length).toBeLessThanOrEqual(12)
    const kept = checkpoints.map(({ value: past, ...rest }) => ({ ...rest, past }))
    for (const length of [1_000, events.length]) {
      const told = events.slice(0, length)
      const found = pastAt(
        told,
        sim.host.clock.now(),
        kept.filter(({ seq }) => seq <= (told.at(-1)?.seq ?? 0)),
      )
      if (!('past' in found)) throw new Error('not known')
      const states = pastViews(found.past, 'test', 0).map(({ name, state, pid }) => ({ name, state, pid }))
      expect(states).toEqual(sim.system.view().map(({ name, state, pid }) => ({ name, state, pid })))
    }
  })

  it.each([
    [{ limit: 1_000_000 }, 'too_big', ['limit']],
    [{ since: 'yesterday' }, 'invalid_union', ['since']],
    [{ type: 7 }, 'invalid_type', ['type']],
  ])('refuses the parameters %j', async (params, code, path) => {
    await using sim = await simulate([store], { api: { command: 'x' } })
    await expect(ask(sim, 'events.read', params)).rejects.toMatchObject({ issues: [{ code, path }] })
  })
})

describe('a record', () => {
  const service = { name: 'api', argv: ['x'], stop_signal: 'SIGTERM', stop_timeout: 10_000, depends_on: {} }
  const instance = { id: 'api-1', service, replica: 0, role: 'active', token: 'ab', wasReady: true, restarts: 0 }

  it('comes back with keys that only other plugins know', () => {
    expect(asInstance({ ...instance, service: { ...service, cron: '* * * * *' } })?.service).toMatchObject({
      cron: '* * * * *',
    })
  })

  it.each([
    { replica: -1 },
    { role: 'boss' },
    { token: '' },
    { tree: { pid: 0, startTime: 1, token: 'ab', bootId: 'b' } },
    { service: { ...service, argv: [] } },
  ])('is damaged with %j', (part) => {
    expect(asInstance({ ...instance, ...part })).toBeUndefined()
  })

  it('of an intent must be one of the two', () => {
    expect(asIntent({ intent: 'up', replicas: 3 })).toEqual({ intent: 'up', replicas: 3 })
    expect(asIntent({ intent: 'down' })).toBeUndefined()
  })
})
