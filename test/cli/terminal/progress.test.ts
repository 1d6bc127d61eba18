import type { Outcome, SysgEvent } from '@systemg/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { printOutcome } from '../../../cli/src/terminal/print-outcome.ts'
import { createProgress, progressLines } from '../../../cli/src/terminal/progress.ts'
import { advance, type ServiceProgress } from '../../../cli/src/terminal/service-progress.ts'
import { widthOf } from '../../../cli/src/terminal/text.ts'
import { fakeTerminal } from './fake-terminal.ts'
import { screenOf } from './screen.ts'

const startMs = Date.parse('2026-01-31T12:00:00Z')
let seq = 0

const event = (service: string, type: string, atMs: number, data: SysgEvent['data'] = {}): SysgEvent => ({
  seq: (seq += 1),
  time: new Date(startMs + atMs).toISOString(),
  project: 'shop',
  service,
  type,
  data,
})

const fine: Outcome = { ok: true, problems: [], warnings: [] }

const plainPaint = (_: unknown, text: string) => text

const after = (...events: readonly SysgEvent[]): readonly ServiceProgress[] => {
  const seen = new Map<string, ServiceProgress>()
  for (const one of events) advance(seen, one)
  return [...seen.values()]
}

const lines = (services: readonly ServiceProgress[], columns: number, rows = 20) =>
  progressLines(services, 'start', { columns, rows }, plainPaint)

const coming = after(
  event('store', 'service.starting', 0, { reason: null }),
  event('api', 'service.waiting', 0, { reason: 'waits for store (starting)' }),
  event('store', 'service.ready', 320, { pid: 1 }),
  event('api', 'service.starting', 330, { reason: null }),
  event('worker', 'service.waiting', 0, { reason: 'waits for api (starting), another-service (starting)' }),
)

describe('progress', () => {
  it('shows what was on its way before it was told anything', () => {
    const terminal = fakeTerminal({ interactive: true })
    const progress = createProgress(terminal, 'start')
    progress.onEvent(event('api', 'service.ready', 400))
    progress.begin([
      { name: 'api', state: 'starting', reason: null, since: new Date(startMs).toISOString() },
      { name: 'store', state: 'starting', reason: null, since: new Date(startMs).toISOString() },
      { name: 'spare', state: 'stopped', reason: 'not started yet', since: new Date(startMs).toISOString() },
    ])
    progress.onEvent(event('store', 'service.ready', 900))
    progress.done(fine)
    expect(screenOf(terminal.stderr)).toEqual([
      '  api    running',
      '  store  running  900ms',
      '2 services: 2 running',
      '',
    ])
  })

  it('says on a terminal that there was nothing to do, and elsewhere nothing', () => {
    const terminal = fakeTerminal({ interactive: true })
    createProgress(terminal, 'start').done(fine)
    expect(screenOf(terminal.stderr)).toEqual(['Nothing to do: what should be up is up.', ''])
    const script = fakeTerminal()
    createProgress(script, 'start').done(fine)
    expect(script.stderr).toBe('')
  })
})

describe('the lines of progress', () => {
  it('say state, how long it took, and what is waited for', () => {
    expect(lines(coming, 80)).toMatchInlineSnapshot(`
      [
        "  store   running   320ms",
        "  api     starting",
        "  worker  waiting   waits for api (starting), another-service (starting)",
      ]
    `)
  })

  it('fit into 40 columns', () => {
    expect(lines(coming, 40)).toMatchInlineSnapshot(`
      [
        "  store   running   320ms",
        "  api     starting",
        "  worker  waiting   waits for api (star…",
      ]
    `)
  })

  it.each([1, 5, 10, 24, 60])('are never wider than %i columns', (columns) => {
    const services = [
      ...coming,
      ...after(event('数据库'.repeat(20), 'service.failed', 5, { reason: '数据库'.repeat(30) })),
    ]
    for (const line of lines(services, columns)) expect(widthOf(line)).toBeLessThanOrEqual(columns)
  })

  it('are never more than there is room for: trouble and work in progress come first', () => {
    const ready = Array.from({ length: 40 }, (_, at) => event(`ready-${at}`, 'service.ready', at))
    const services = after(
      ...ready,
      event('slow', 'service.starting', 50),
      event('broken', 'service.failed', 60, { reason: 'exit code 1' }),
    )
    expect(lines(services, 60, 5)).toMatchInlineSnapshot(`
      [
        "  ready-38  running",
        "  ready-39  running",
        "  slow      starting",
        "  broken    failed    exit code 1",
        "… and 38 services: 38 running",
      ]
    `)
  })

  it('show a deploy step by step, how long a step takes, and what came of it', () => {
    const deploy: readonly SysgEvent[] = [
      event('api', 'deploy.started', 0, { strategy: 'rolling', replicas: 1 }),
      event('api', 'deploy.step', 10, { step: 'pre_start', replica: 0 }),
      event('api', 'deploy.step', 20, { step: 'candidate', replica: 0 }),
      { ...event('api', 'deploy.step', 30, { step: 'ready', replica: 0 }), instance: 'api-4' },
      { ...event('api', 'deploy.step', 2_000, { step: 'grace_period', replica: 0 }), instance: 'api-4' },
    ]
    const at = (count: number, nowMs: number) =>
      progressLines(
        after(...deploy.slice(0, count)),
        'restart',
        { columns: 80, rows: 9, nowMs: startMs + nowMs },
        plainPaint,
      )
    expect([at(1, 5), at(2, 500), at(2, 3_500), at(4, 3_100), at(5, 2_100)].flat()).toEqual([
      '  api  deploying',
      '  api  deploying  pre_start',
      '  api  deploying  pre_start (3s)',
      '  api  deploying  candidate api-4: waiting until ready (3s)',
      '  api  deploying  api-4 serves; grace_period',
    ])
    const good = after(...deploy, event('api', 'deploy.succeeded', 4_200, { duration_ms: 4_200 }))
    expect(lines(good, 80)).toEqual(['  api  running  4.2s  deployed'])
    const bad = after(...deploy, event('api', 'deploy.rolled_back', 900, { step: 'ready', reason: 'exit code 1' }))
    expect(lines(bad, 80)).toEqual(['  api  running  900ms  the deploy failed in step ready: exit code 1'])
  })

  it('show the state that is left when a deploy takes the service down', () => {
    const services = after(
      event('api', 'deploy.started', 0, { strategy: 'immediate', replicas: 4 }),
      event('api', 'deploy.step', 10, { step: 'stop', replica: 2 }),
      event('api', 'service.stopping', 20, { reason: 'replaced' }),
    )
    expect(lines(services, 80)).toEqual(['  api  deploying  stopping the old instance (replica 3 of 4)'])
    const left = [
      event('api', 'service.failed', 30, { reason: 'exit code 1' }),
      event('api', 'deploy.rolled_back', 40, { step: 'start', reason: 'exit code 1' }),
    ]
    const seen = new Map(services.map((service) => [service.name, service]))
    for (const one of left) advance(seen, one)
    expect(lines([...seen.values()], 80)).toEqual(['  api  failed  40ms  the deploy failed in step start: exit code 1'])
  })

  it('show `pre_start` of a first start', () => {
    const services = after(
      event('api', 'service.starting', 0),
      event('api', 'service.pre_start', 5, { command: 'make' }),
    )
    expect(lines(services, 80)).toEqual(['  api  starting  pre_start'])
  })

  it('do not count what still runs as stopped', () => {
    const services = after(event('api', 'service.ready', 0), event('api', 'service.ready', 900))
    expect(progressLines(services, 'stop', { columns: 80, rows: 9 }, plainPaint)).toEqual(['  api  running'])
    expect(progressLines(services, 'start', { columns: 80, rows: 9 }, plainPaint)).toEqual(['  api  running  900ms'])
  })
})

describe('progress', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is drawn in place while events come, once for those that come together', () => {
    const terminal = fakeTerminal({ interactive: true, rows: 10 })
    const progress = createProgress(terminal, 'start')
    progress.onEvent(event('api', 'service.waiting', 0, { reason: 'waits for db (starting)' }))
    progress.onEvent(event('api', 'service.starting', 5))
    vi.advanceTimersByTime(100)
    expect(screenOf(terminal.stderr)).toEqual(['  api  starting', ''])
    progress.onEvent(event('db', 'service.ready', 7))
    vi.advanceTimersByTime(100)
    expect(screenOf(terminal.stderr)).toEqual(['  api  starting', '  db   running', ''])
    expect(terminal.stderr.split('api')).toHaveLength(3)
  })

  it('counts the time of a step while nothing else happens', () => {
    const terminal = fakeTerminal({ interactive: true, rows: 10 })
    const progress = createProgress(terminal, 'restart')
    const now = Date.now() - startMs
    progress.onEvent(event('api', 'deploy.started', now, { strategy: 'rolling', replicas: 1 }))
    progress.onEvent(event('api', 'deploy.step', now, { step: 'pre_start', replica: 0 }))
    vi.advanceTimersByTime(3_500)
    expect(screenOf(terminal.stderr)).toEqual(['  api  deploying  pre_start (3s)', ''])
    progress.done(fine)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends with what was drawn and how many are in which state', () => {
    const terminal = fakeTerminal({ interactive: true })
    const progress = createProgress(terminal, 'start')
    progress.onEvent(event('api', 'service.ready', 7))
    progress.done(fine)
    progress.onEvent(event('api', 'service.failed', 9))
    vi.runAllTimers()
    expect(screenOf(terminal.stderr)).toEqual(['  api  running', '1 service: 1 running', ''])
  })

  it('ends with each problem, its hint and its last lines', () => {
    const terminal = fakeTerminal({ interactive: true })
    const progress = createProgress(terminal, 'start')
    progress.onEvent(event('api', 'service.failed', 7, { reason: 'exit code 1' }))
    const problem = {
      service: 'api',
      code: 'SYSG_START_FAILED',
      message: '`api` did not start: failed: exit code 1.',
      hint: '`sysg logs api` shows what it wrote.',
      last_lines: ['\u001B[31mError: boom\u001B[0m', '', '    at main'],
    }
    progress.done({ ok: false, problems: [problem], warnings: ['`db` stays stopped.'] }, [
      { state: 'failed' },
      { state: 'running' },
    ])
    expect(`\n${screenOf(terminal.stderr).join('\n')}`).toMatchInlineSnapshot(`
      "
        api  failed  exit code 1
      error: \`api\` did not start: failed: exit code 1. [SYSG_START_FAILED]
       hint: \`sysg logs api\` shows what it wrote.
        │ Error: boom
        │
        │     at main
      warning: \`db\` stays stopped.
      2 services: 1 running, 1 failed
      "
    `)
  })

  it('leaves nothing behind when it is cleared, and draws no more', () => {
    const terminal = fakeTerminal({ interactive: true })
    const progress = createProgress(terminal, 'stop')
    progress.onEvent(event('api', 'service.stopping', 0))
    vi.advanceTimersByTime(100)
    progress.onEvent(event('api', 'service.stopped', 5))
    progress.clear()
    progress.done(fine)
    vi.runAllTimers()
    expect(screenOf(terminal.stderr)).toEqual([''])
  })

  it('is nothing but the problems where there is no terminal', () => {
    const terminal = fakeTerminal()
    const progress = createProgress(terminal, 'start')
    progress.onEvent(event('api', 'service.ready', 7))
    vi.runAllTimers()
    progress.done({ ...fine, warnings: ['`db` stays stopped.'] }, [{ state: 'running' }])
    expect(terminal.stderr).toBe('warning: `db` stays stopped.\n')
    expect(terminal.stdout).toBe('')
  })
})

describe('an outcome', () => {
  it('that is fine says nothing', () => {
    const terminal = fakeTerminal()
    printOutcome(terminal, fine)
    expect(terminal.stderr).toBe('')
  })
})
