/** The one stream of events: order, numbers, and what led to what. */
import type { SysgEvent } from '@systemg/core'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { remembers, retries } from '../simulation/plugins.ts'

const x = { command: 'x' }
const shop = { db: x, api: { ...x, depends_on: ['db'] }, web: { ...x, depends_on: ['api'] } }

/** An event and everything that led to it, the first cause first, as `service type`. */
const chainOf = (sim: Simulation, event: SysgEvent | undefined): readonly string[] => {
  if (event === undefined) return []
  const cause = sim.events.find(({ seq }) => seq === event.cause)
  return [...chainOf(sim, cause), `${event.service ?? '-'} ${event.type}`]
}

const last = (sim: Simulation, type: string, service: string) =>
  sim.events.findLast((event) => event.type === type && event.service === service)

describe('an event', () => {
  it('has the next number, a time that does not go back, and its project', async () => {
    await using sim = await simulate([retries(10)], shop)
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(5_000)
    expect(sim.events.map(({ seq }) => seq)).toEqual(sim.events.map((_, index) => index + 1))
    expect(sim.events.map(({ time }) => time)).toEqual(sim.events.map(({ time }) => time).sort())
    expect(new Set(sim.events.map(({ project }) => project))).toEqual(new Set(['test']))
    expect(sim.events[0]).toMatchObject({ type: 'system.booting', data: { instances: 0 } })
    expect(sim.events[1]).toMatchObject({ type: 'system.started', data: { version: '0.0.0', adopted: 0 } })
  })

  it('is plain JSON', async () => {
    await using sim = await simulate([retries(10)], shop)
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(5_000)
    for (const event of sim.events) expect(JSON.parse(JSON.stringify(event))).toEqual(event)
  })

  it('names what led to it, never something later', async () => {
    await using sim = await simulate([retries(10)], shop)
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(5_000)
    for (const { seq, cause } of sim.events) expect(cause ?? 0).toBeLessThan(seq)
  })

  it('of a start leads back through the dependencies', async () => {
    await using sim = await simulate([], shop)
    expect(chainOf(sim, last(sim, 'service.ready', 'web'))).toEqual(
      expect.arrayContaining(['db service.ready', 'api service.ready', 'web service.starting', 'web service.ready']),
    )
  })

  it('of a cascade leads back to the crash, however far away', async () => {
    await using sim = await simulate([], shop)
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(1_000)
    for (const service of ['api', 'web']) {
      for (const type of ['instance.stopping', 'service.exited', 'service.blocked'])
        expect(chainOf(sim, last(sim, type, service)), `${service} ${type}`).toContain('db service.exited')
    }
  })

  it('of a restart leads back to the exit before it', async () => {
    await using sim = await simulate([retries(1_000)], { api: x })
    await sim.service('api').exit({ code: 1 })
    await sim.until(() => sim.service('api').state === 'running')
    const chain = chainOf(sim, last(sim, 'service.ready', 'api'))
    expect(chain).toContain('api service.exited')
    expect(last(sim, 'service.restarting', 'api')?.data).toEqual({ delay_ms: 1_000, attempt: 1, reason: 'exit code 1' })
  })

  it('of a stop leads back to the person who asked', async () => {
    await using sim = await simulate([], { api: x })
    await sim.finish(sim.system.stop(['api']))
    expect(last(sim, 'service.intent', 'api')?.data).toEqual({ intent: 'stopped', by: 'you' })
    expect(chainOf(sim, last(sim, 'service.stopped', 'api'))[0]).toBe('api service.intent')
  })

  it('tells of an exit whether it was expected', async () => {
    await using sim = await simulate([], { a: x, b: x })
    await sim.service('a').exit({ code: 1 })
    await sim.finish(sim.system.stop(['b']))
    expect(last(sim, 'service.exited', 'a')?.data).toMatchObject({ expected: false, exit: { code: 1, signal: null } })
    expect(last(sim, 'service.exited', 'b')?.data).toMatchObject({
      expected: true,
      exit: { code: null, signal: 'SIGTERM' },
    })
  })

  it('goes on with the numbers of an earlier supervisor', async () => {
    await using sim = await simulate([remembers()], { api: x })
    const before = sim.events.at(-1)?.seq ?? 0
    sim.crash()
    await sim.boot()
    const next = sim.events.find(({ seq }) => seq > before)
    expect(next?.seq).toBe(before + 1)
    expect(new Set(sim.events.map(({ seq }) => seq)).size).toBe(sim.events.length)
  })
})

describe('the events of a service', () => {
  it('tell of a reason that changes while the state does not, once', async () => {
    await using sim = await simulate([retries(60_000)], { api: { ...x, replicas: 3 } })
    const before = sim.events.length
    await sim.service('api').exit({ code: 1 })
    const reason = last(sim, 'service.reason', 'api')
    expect(reason?.data['reason']).toBe('2 of 3 ready: replica 0 is in backoff, exit code 1')
    expect(chainOf(sim, reason)).toContain('api service.exited')
    const told = sim.events.slice(before).filter(({ type }) => type === 'service.reason')
    expect(told.map(({ data }) => data['reason'])).toEqual(['2 of 3 ready', reason?.data['reason']])
    expect(sim.eventTypes('api')).not.toContain('service.backoff')
  })

  it('tell of an instance that turns bad and good again, and that the service does because of it', async () => {
    await using sim = await simulate([], { api: x })
    const { id } = sim.service('api').view.instances[0] ?? { id: '' }
    sim.system.reportHealth(id, { healthy: false, reason: 'status 503' })
    sim.system.reportHealth(id, { healthy: false, reason: 'status 503' })
    sim.system.reportHealth(id, { healthy: true, reason: null })
    expect(last(sim, 'instance.unhealthy', 'api')?.data).toMatchObject({ reason: 'status 503' })
    expect(chainOf(sim, last(sim, 'service.unhealthy', 'api')).at(-2)).toBe('api instance.unhealthy')
    expect(chainOf(sim, last(sim, 'service.ready', 'api')).at(-2)).toBe('api instance.healthy')
    expect(sim.eventTypes('api').filter((type) => type === 'instance.unhealthy')).toHaveLength(1)
  })

  it('tell what the system has of it, again when that changes, and when it has it no longer', async () => {
    await using sim = await simulate([], { db: x, api: x })
    await sim.finish(sim.system.apply(await sim.configOf({ db: x, api: { ...x, depends_on: ['db'] } })))
    await sim.finish(sim.system.scale({ api: 2 }))
    await sim.finish(sim.system.apply(await sim.configOf({ db: x })))
    const told = sim.events.filter(({ type, service }) => type === 'service.declared' && service === 'api')
    expect(told.map(({ data }) => data)).toEqual([
      { depends_on: [], replicas: 1, ad_hoc: false, reason: 'not started yet' },
      { depends_on: ['db'], replicas: 1, ad_hoc: false },
    ])
    expect(sim.eventTypes('api').at(-1)).toBe('service.removed')
  })

  it('tell its life in order', async () => {
    await using sim = await simulate([], { db: x, api: { ...x, depends_on: ['db'] } })
    await sim.finish(sim.system.stop(['api']))
    expect(sim.eventTypes('api')).toEqual([
      'service.declared',
      'service.waiting',
      'service.starting',
      'instance.started',
      'instance.ready',
      'service.ready',
      'service.intent',
      'instance.stopping',
      'service.stopping',
      'service.exited',
      'instance.ended',
      'service.stopped',
    ])
  })

  it('tell a state once, however often it is looked at', async () => {
    await using sim = await simulate([retries(100)], shop)
    for (let crash = 0; crash < 3; crash += 1) {
      await sim.service('db').exit({ code: 1 })
      await sim.until(() => sim.service('web').state === 'running')
    }
    for (const service of Object.keys(shop)) {
      const states = sim
        .eventTypes(service)
        .filter((type) => /^service\.(?!exited|intent|start_failed|reason)/.test(type))
      for (const [index, type] of states.entries()) expect(states[index + 1]).not.toBe(type)
    }
    expect(sim.eventTypes('db').filter((type) => type === 'service.restarting')).toHaveLength(3)
  })
})
