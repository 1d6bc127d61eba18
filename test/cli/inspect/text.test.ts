import { describe, expect, it } from 'vitest'
import type { InspectReport } from '../../../cli/src/inspect/report.ts'
import { inspectText } from '../../../cli/src/inspect/text.ts'
import { widthOf } from '../../../cli/src/terminal/text.ts'

const nowMs = Date.parse('2026-01-31T12:00:00.000Z')
const ago = (ms: number) => new Date(nowMs - ms).toISOString()

const report = (set: Partial<InspectReport> = {}): InspectReport => ({
  ...{ name: 'api', id: '3f9c2a1b', state: 'running', health: 'healthy', pid: 4720, since: ago(60_000) },
  ...{ uptime_ms: 60_000, restarts: 1, reason: null, depends_on: ['db'], exit: null, cpu_percent: 1, memory_bytes: 1 },
  ...{ instances: [], children: [], cron: null, last_lines: [], replicas: 1, retry_at: null, instance: null },
  config: {
    ...{ name: 'api', command: 'node server.js', working_dir: '/srv', stop_timeout: 10_000 },
    cron: { expression: '@daily', timeout: 90_000, timezone: null, days: [1, 2], overlap: 'skip' },
  },
  written: { stop_timeout: '10s', 'cron.timeout': '1m30s' },
  env: [
    { name: 'API_TOKEN', value: '********', origin: 'service file', file: 'api.env' },
    { name: 'LONG', value: 'x'.repeat(300), origin: 'supervisor' },
  ],
  metrics: {
    ...{ cpu_percent: 0.4, memory_bytes: 52_428_800, processes: 2, cpu_seconds: 3, window_ms: 600_000 },
    points: Array.from({ length: 200 }, (_, at) => ({
      ...{ time: ago((200 - at) * 3_000), span_ms: 3_000, cpu_percent: at === 77 ? 90 : at % 5, cpu_percent_max: 95 },
      ...{ memory_bytes: 50_000_000 + at * 10_000, memory_bytes_max: 60_000_000 },
    })),
  },
  events: [{ seq: 7, time: ago(5_000), project: 'shop', service: 'api', type: 'service.ready', data: { pid: 4720 } }],
  tree: [
    {
      instance: 'api-1',
      processes: [
        {
          ...{ pid: 4720, command: `node ${'server '.repeat(40)}`, cpu_ms: 3_100, memory_bytes: 50_000_000 },
          children: [{ pid: 4731, command: 'node worker.js', cpu_ms: 0, memory_bytes: 1_024, children: [] }],
        },
      ],
    },
  ],
  health_history: [
    {
      ...{ service: 'api', instance: 'api-1' },
      results: [{ time: ago(2_000), healthy: false, reason: 'status 503', duration_ms: 12 }],
    },
  ],
  sections: [{ title: 'queue', lines: ['3 jobs \u001b[31mwait'] }],
  ...set,
})

const shown = (set?: Partial<InspectReport>, width = 80) =>
  inspectText(report(set), { width, nowMs, paint: (_, text) => text })

describe('what is shown of a service', () => {
  it('has a part for everything, and what a plugin adds', () => {
    const text = shown().join('\n')
    expect(text).toMatch(/^api {2}running {2}healthy\nid 3f9c2a1b · pid 4720 · up 1m · 1 restart · needs db\n/)
    expect(text).toContain('\nCOMMAND\n  node server.js\n  in /srv\n')
    expect(text).toMatch(
      /\nPROCESSES\n {2}4720 {2}node server .*… \(48M, 3\.1s\)\n {4}└ 4731 {2}node worker\.js \(1\.0K, 0\.0s\)\n/,
    )
    expect(text).toContain('\nCPU\n  now 0.4%, highest 95.0% in 10m\n')
    expect(text).toContain('\nMEMORY\n  now 50M, highest 57M in 10m\n')
    expect(text).toContain('\nHEALTH\n  api-1  2s ago  unhealthy (12 ms): status 503\n')
    expect(text).toContain('\nENVIRONMENT\n  API_TOKEN=********  (service file: api.env)\n')
    expect(text).toContain(
      '\nCONFIG\n  stop_timeout: 10s\n  cron: { expression: "@daily", timeout: 1m30s, days: [1, 2], overlap: skip }\n',
    )
    expect(text.endsWith('\nQUEUE\n  3 jobs wait')).toBe(true)
  })

  it('draws a short peak, from then until now', () => {
    const lines = shown()
    const chart = lines.slice(lines.indexOf('CPU') + 2, lines.indexOf('MEMORY') - 1)
    expect(chart[0]).toMatch(/^ +90\.0%/)
    expect(chart.at(-1)).toMatch(/^ +10m ago +now$/)
  })

  it('says of each run how it went, and whether its supervisor was replaced meanwhile', () => {
    const run = { scheduled: ago(5_000), started: ago(4_500), finished: ago(2_000), trigger: 'schedule' as const }
    const replaced = { ...run, supervisor_replaced: true }
    const history = [
      { ...run, started: null, finished: null, status: 'skipped' as const, exit_code: null, reason: 'one goes on' },
      { ...run, status: 'failed' as const, exit_code: 3, reason: 'exit code 3' },
      { ...replaced, status: 'interrupted' as const, exit_code: null, reason: 'gone' },
      { ...replaced, status: 'success' as const, exit_code: 0, reason: null },
    ].map((one) => ({ supervisor_replaced: false, ...one }))
    const lines = shown({ cron: { next_run: ago(-60_000), running: false, history } }, 120)
    const at = lines.indexOf('RUNS')
    expect(lines.slice(at + 1, at + 6)).toEqual([
      expect.stringMatching(/^ {2}next run at 2026-01-31 \d\d:\d\d:00, in 1m$/),
      '  2s ago  success (schedule): exit code 0, took 2.5s, while the supervisor was replaced',
      '  2s ago  interrupted (schedule): gone, took 2.5s, while the supervisor was replaced',
      '  2s ago  failed (schedule): exit code 3, took 2.5s',
      '  5s ago  skipped (schedule): one goes on',
    ])
  })

  it('folds events to the width of the terminal, and leaves them whole where nobody looks', () => {
    const reason = `exit code 1: ${'no such table '.repeat(5)}`.trim()
    const event = { seq: 7, time: ago(1_000), project: 'shop', service: 'api', type: 'service.backoff' } as const
    const events = [{ ...event, data: { reason, delay_ms: 1_000, attempt: 1 } }] as unknown as InspectReport['events']
    // Narrower than time, number and type, narrower than the whole, and where nobody looks.
    const linesAt = (width: number) => {
      const lines = inspectText(report({ events }), { width, paint: (_, text) => text, nowMs })
      const at = lines.indexOf('EVENTS')
      return lines.slice(at + 1, lines.indexOf('', at))
    }
    for (const width of [40, 60, 90]) {
      const folded = linesAt(width)
      expect(folded.length).toBeGreaterThan(1)
      expect(Math.max(...folded.map((line) => line.length))).toBeLessThanOrEqual(width)
      expect(folded.slice(1).every((line) => line.startsWith('    '))).toBe(true)
      expect(folded.join(' ').replaceAll(/ +/g, ' ')).toContain(reason)
    }
    const [whole = '', ...others] = linesAt(Number.POSITIVE_INFINITY)
    expect(others).toEqual([])
    expect(whole).toContain(reason)
  })

  it('has the children, each with theirs', () => {
    const child = { state: 'running', expires_at: null, children: [] }
    const below = { ...child, name: 'a', service: 'api:a', pid: 4731, depth: 2, state: 'stopping' }
    const one = { ...child, name: 'w1', service: 'api:w1', pid: 4730, depth: 1, expires_at: ago(-60_000) }
    const text = shown({ children: [{ ...one, children: [below] }] }).join('\n')
    expect(text).toContain('\nCHILDREN\n  api:w1  running  pid 4730  ends in 1m\n    └ api:a  stopping  pid 4731\n')
  })

  it('leaves out what is not there', () => {
    const text = shown({ metrics: null, events: [], tree: [], health_history: [], env: [], sections: [] }).join('\n')
    expect(text).not.toMatch(/CPU|EVENTS|PROCESSES|CHILDREN|HEALTH|ENVIRONMENT|INSTANCES|RUNS/)
  })

  it('has no label of the axis twice, however little the values differ', () => {
    const points = [0.1, 0.12, 0.14, 0.1].map((cpu, at) => ({
      ...{ time: ago((4 - at) * 3_000), span_ms: 3_000, cpu_percent: cpu, cpu_percent_max: cpu },
      ...{ memory_bytes: 1_000_000 + at, memory_bytes_max: 1_000_010 },
    }))
    const metrics = { cpu_percent: 0, memory_bytes: 1, processes: 1, cpu_seconds: 0, window_ms: 60_000, points }
    const labels = shown({ metrics }).flatMap((line) => /(\S+)┤/.exec(line)?.[1] ?? [])
    expect(labels).toEqual(['0.1%', '977K'])
  })

  it('draws nothing of a single point', () => {
    const one = { cpu_percent: 0, memory_bytes: 1, processes: 1, cpu_seconds: 0, window_ms: 60_000, points: [] }
    expect(shown({ metrics: one })).toContain('  now 0.0%, highest 0.0% in 1m')
  })

  it.each([60, 80, 120])('fits in %d cells, charts and trees included', (width) => {
    const lines = shown(undefined, width)
    // Events have a form of their own, which a terminal wraps.
    const events = lines.indexOf('EVENTS') + 1
    const wide = lines.filter((line, at) => widthOf(line) > width && at !== events)
    expect(wide).toEqual([])
  })

  it('has charts of a bearable width where nobody looks', () => {
    const lines = shown(undefined, Infinity)
    const chart = lines.slice(lines.indexOf('CPU'), lines.indexOf('HEALTH'))
    expect(Math.max(...chart.map(widthOf))).toBeLessThanOrEqual(100)
  })
})
