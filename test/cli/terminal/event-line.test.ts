import { describe, expect, it } from 'vitest'
import type { SysgEvent } from '@systemg/core'
import { eventLine, eventOf } from '../../../cli/src/terminal/event-line.ts'
import { describeEvent } from '../../../cli/src/terminal/event-words.ts'

const event = (type: string, data: SysgEvent['data'] = {}, set: Partial<SysgEvent> = {}): SysgEvent => ({
  seq: 42,
  time: new Date(2026, 0, 31, 12, 0, 0, 7).toISOString(),
  project: 'shop',
  service: 'api',
  type,
  data,
  ...set,
})

const ofInstance = { instance: 'api-3' }
const ofSystem = { seq: 42, time: event('x').time, project: 'shop' }

describe('an event in words', () => {
  it.each([
    [
      'api exited: code 1 (unexpected)',
      event('service.exited', { pid: 1, exit: { code: 1, signal: null }, expected: false }),
    ],
    [
      'api exited: killed by SIGTERM',
      event('service.exited', { exit: { code: null, signal: 'SIGTERM' }, expected: true }),
    ],
    [
      'api exited: killed by the kernel: out of memory (unexpected)',
      event('service.exited', { exit: { code: null, signal: 'SIGKILL', oomKilled: true }, expected: false }),
    ],
    [
      'api exited: nobody saw how',
      event('service.exited', { exit: { code: null, signal: null, unknown: true, unseen: true }, expected: true }),
    ],
    [
      'api exited: status unknown, an earlier supervisor had started it (unexpected)',
      event('service.exited', { exit: { code: null, signal: null, unknown: true }, expected: false }),
    ],
    ['api waits for db (starting)', event('service.waiting', { reason: 'waits for db (starting)' })],
    ['api is blocked: db failed: exit code 1', event('service.blocked', { reason: 'db failed: exit code 1' })],
    ['api is starting', event('service.starting', { reason: null })],
    ['api is ready (pid 7)', event('service.ready', { pid: 7 })],
    ['api is ready', event('service.ready', { pid: null })],
    [
      'api restarts in 4.0s (attempt 3): exit code 1',
      event('service.restarting', { delay_ms: 4000, attempt: 3, reason: 'exit code 1' }),
    ],
    ['api: 2 of 3 ready', event('service.reason', { reason: '2 of 3 ready', restarts: 1 })],
    ['api waits before it starts again: exit code 1', event('service.backoff', { reason: 'exit code 1', restarts: 1 })],
    [
      'the system has api, which is in no config; 2 replicas',
      event('service.declared', { depends_on: [], replicas: 2, ad_hoc: true }),
    ],
    [
      'the system has api; needs db, cache',
      event('service.declared', { depends_on: ['db', 'cache'], replicas: 1, ad_hoc: false }),
    ],
    [
      'api: replica 1 is in backoff, replica 2 failed',
      event('service.degraded', {
        down: [
          { replica: 1, state: 'backoff' },
          { replica: 2, state: 'failed' },
        ],
      }),
    ],
    ['api: no replica is down any more', event('service.degraded', { down: [] })],
    ['the system no longer has api', event('service.removed')],
    ['api-3 is unhealthy: status 503', event('instance.unhealthy', { pid: 9, reason: 'status 503' }, ofInstance)],
    ['nothing of api-3 lives any more (pid 9)', event('instance.ended', { pid: 9, replica: 0 }, ofInstance)],
    [
      'a supervisor begins; 2 recorded instances are looked for',
      { ...ofSystem, type: 'system.booting', data: { instances: 2 } },
    ],
    ['api is to be stopped, by stop', event('service.intent', { intent: 'stopped', by: 'stop' })],
    [
      'api-3 runs (pid 9, candidate of a deploy)',
      event('instance.started', { pid: 9, replica: 0, role: 'candidate', argv: [] }, ofInstance),
    ],
    ['api-3 is stopping (pid 9): replaced', event('instance.stopping', { pid: 9, why: 'replaced' }, ofInstance)],
    ['api: an immediate deploy begins', event('deploy.started', { strategy: 'immediate' })],
    ['api: a canary deploy begins', event('deploy.started', { strategy: 'canary' })],
    ['api: api-4 serves instead of api-3', event('deploy.switched', { replica: 0, from: 'api-3', to: 'api-4' })],
    [
      'api: the deploy was rolled back in step ready: status 503',
      event('deploy.rolled_back', { step: 'ready', reason: 'status 503' }),
    ],
    [
      'systemg 0.1.0 runs; 1 instance was taken over',
      { ...ofSystem, type: 'system.started', data: { version: '0.1.0', adopted: 1 } },
    ],
    ['the config was applied: api, db', { ...ofSystem, type: 'system.reloaded', data: { changed: ['api', 'db'] } }],
    [
      'plugin cron failed in ready: broken',
      { ...ofSystem, type: 'plugin.error', data: { plugin: 'cron', hook: 'ready', message: 'broken' } },
    ],
    ['api: next=12:00 why="a b" list=[1]', event('cron.planned', { next: '12:00', why: 'a b', list: [1] })],
    [
      'w1 has started a (pid 12)',
      event('spawn.started', { ...{ name: 'a', pid: 12, parent: 'w1', depth: 2 }, expires_at: null, service: 'api:a' }),
    ],
    [
      'w1 (pid 12) goes on without api, as a service of its own',
      event('spawn.moved', { name: 'w1', pid: 12, from: 'api', to: null, service: 'api:w1' }),
    ],
    [
      'w1, a child of api, exited: killed by SIGTERM: its time is over',
      event('spawn.exited', {
        ...{ name: 'w1', pid: 12, reason: 'its time is over', service: 'api:w1' },
        exit: { code: null, signal: 'SIGTERM' },
      }),
    ],
    [
      'api and what it has started use 120.0M of 100.0M: w1, the newest, is stopped',
      event('spawn.memory_exceeded', { name: 'w1', pid: 12, used_bytes: 125_829_120, limit_bytes: 104_857_600 }),
    ],
    ['api is blocked: evil line', event('service.blocked', { reason: '\u001B[2Jevil\nline' })],
    ['api: odd=true', event('service.exited', { odd: true })],
  ])('says %j', (words, happened) => {
    expect(describeEvent(happened)).toBe(words)
  })
})

describe('an event on one line', () => {
  it('has the time, its number, its type, what it says, and what led to it', () => {
    const line = eventLine(event('service.ready', { pid: 7 }, { cause: 41 }), { paint: (_style, text) => text })
    expect(line).toBe('2026-01-31 12:00:00.007  #42    service.ready         api is ready (pid 7)  ← #41')
  })

  it('shows a time that is none as it is', () => {
    expect(eventLine(event('x.y', {}, { time: 'long ago' }), { paint: (_style, text) => text })).toMatch(
      /^long ago {2}#42/,
    )
  })

  it('is for programs what it was, without the number of the request', () => {
    const happened = event('service.ready', { pid: 7 }, { cause: 41, instance: 'api-1' })
    const notified = { id: 3, ...happened }
    expect(JSON.stringify(eventOf(notified))).toBe(
      JSON.stringify({
        seq: 42,
        time: happened.time,
        project: 'shop',
        service: 'api',
        instance: 'api-1',
        type: 'service.ready',
        cause: 41,
        data: { pid: 7 },
      }),
    )
  })
})
