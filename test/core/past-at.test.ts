/** A moment of the past, found among events of which only some are kept. */
import { pastAt, pastOf, pastViews, type Checkpoint, type SysgEvent } from '@systemg/core'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { retries } from '../simulation/plugins.ts'

const beginMs = Date.parse('2026-01-01T00:00:00Z')

/** A system whose `api` crashes after 10 s, comes back a second later, and is stopped by a person after a minute. */
const story = async (): Promise<readonly SysgEvent[]> => {
  await using sim = await simulate(
    [retries(1_000)],
    { db: { command: 'x' }, api: { command: 'x', depends_on: ['db'] } },
    { startMs: beginMs },
  )
  await sim.clock.advance(10_000 - (sim.host.clock.now() - beginMs))
  await sim.service('api').exit({ code: 7 })
  await sim.clock.advance(50_000)
  await sim.finish(sim.system.stop(['api']))
  return [...sim.events]
}

const seen = (events: readonly SysgEvent[], atMs: number, checkpoints?: readonly Checkpoint[]) => {
  const found = pastAt(events, atMs, checkpoints)
  if (!('past' in found)) return found
  return Object.fromEntries(pastViews(found.past, 'test', atMs).map(({ name, state }) => [name, state]))
}

describe('the past', () => {
  it('is what was seen at that moment', async () => {
    const events = await story()
    expect(seen(events, beginMs + 5_000)).toEqual({ db: 'running', api: 'running' })
    expect(seen(events, beginMs + 10_500)).toEqual({ db: 'running', api: 'backoff' })
    expect(seen(events, beginMs + 30_000)).toEqual({ db: 'running', api: 'running' })
    expect(seen(events, beginMs + 90_000)).toEqual({ db: 'running', api: 'stopped' })
  })

  it('has reasons, restarts, how the last run ended, and for how long things had been', async () => {
    const events = await story()
    const atMs = beginMs + 10_500
    const found = pastAt(events, atMs)
    if (!('past' in found)) throw new Error('not found')
    expect(pastViews(found.past, 'test', atMs)).toMatchObject([
      { name: 'db', uptime_ms: 10_500, exit: null, restarts: 0 },
      {
        ...{ name: 'api', pid: null, reason: 'exit code 7', restarts: 0, depends_on: ['db'], instances: [] },
        ...{ since: '2026-01-01T00:00:10.000Z', retry_at: '2026-01-01T00:00:11.000Z' },
        exit: { code: 7, signal: null, at: '2026-01-01T00:00:10.000Z', oom_killed: false },
      },
    ])
    const later = pastAt(events, beginMs + 30_000)
    expect('past' in later && pastViews(later.past, 'test', beginMs + 30_000)[1]?.restarts).toBe(1)
  })

  it('is not known before the first event, nor when its beginning is gone', async () => {
    const events = await story()
    expect(seen(events, beginMs - 1)).toEqual({ knownSince: beginMs })
    expect(seen(events.slice(5), beginMs + 30_000)).toEqual({ knownSince: undefined })
    expect(seen([], beginMs)).toEqual({ knownSince: undefined })
  })

  it('begins at a checkpoint when earlier events are gone', async () => {
    const events = await story()
    const at = events.findIndex(({ type }) => type === 'service.restarting')
    const kept = events.slice(at + 1)
    const told = events.slice(0, at + 1)
    const last = told.at(-1)
    if (last === undefined) throw new Error('nothing told')
    const timeMs = Date.parse(last.time)
    const checkpoint = { seq: last.seq, timeMs, past: pastOf(told) }
    for (const afterMs of [10_500, 30_000, 90_000])
      expect(seen(kept, beginMs + afterMs, [checkpoint])).toEqual(seen(events, beginMs + afterMs))
    expect(seen(kept, beginMs + 5_000, [checkpoint])).toEqual({ knownSince: timeMs })
    // Events between this one and what is kept are gone.
    expect(seen(kept.slice(1), beginMs + 30_000, [checkpoint])).toEqual({ knownSince: undefined })
  })

  it('begins anew with each supervisor, whatever the one before did not come to tell', () => {
    const event = (seq: number, type: string, service?: string, data = {}): SysgEvent => ({
      ...{ seq, type, project: 'test', time: new Date(beginMs + seq).toISOString(), data },
      ...(service === undefined ? {} : { service }),
    })
    const events = [
      event(1, 'system.booting'),
      event(2, 'service.declared', 'gone', { depends_on: [], replicas: 1, ad_hoc: false, reason: null }),
      event(260, 'system.booting'),
      event(261, 'service.declared', 'api', { depends_on: [], replicas: 1, ad_hoc: false }),
      event(262, 'service.ready', 'api', { pid: 7, reason: null, restarts: 3 }),
      // Something that only runs once.
      event(263, 'instance.started', 'api/once', { pid: 8, replica: 0, role: 'active', state: 'starting' }),
    ]
    expect(seen(events, beginMs + 100)).toEqual({ gone: 'stopped' })
    expect(seen(events, beginMs + 300)).toEqual({ api: 'running' })
  })

  it('has services that are called like what every object has', () => {
    const event = (seq: number, type: string, data = {}): SysgEvent => ({
      ...{ seq, type, service: 'constructor', project: 'test', time: new Date(beginMs + seq).toISOString(), data },
    })
    const events = [
      event(1, 'system.booting'),
      event(2, 'service.declared', { depends_on: [], replicas: 1, ad_hoc: false }),
      event(3, 'service.ready', { pid: 7, reason: null, restarts: 0 }),
      event(4, 'toString'),
      event(5, 'service.restarting', {}),
    ]
    expect(seen(events, beginMs + 10)).toEqual({ constructor: 'running' })
  })

  it('takes in what it does not know, and changes neither events nor what was told before', () => {
    const before = pastOf([])
    const events: SysgEvent[] = [
      { seq: 1, time: new Date(beginMs).toISOString(), project: 'test', service: 'api', type: 'canary.sang', data: {} },
    ]
    expect(pastOf(events, before).seq).toBe(1)
    expect(before.seq).toBe(0)
    expect(pastOf(events).services).toEqual({})
  })
})
