import type { RunView } from '@systemg/plugins/cron'
import { describe, expect, it } from 'vitest'
import type { ServiceStatus } from '../../../cli/src/terminal/service-status.ts'
import { countStates, noteOf, serviceLines, statusTable } from '../../../cli/src/terminal/status-table.ts'
import { widthOf } from '../../../cli/src/terminal/text.ts'
import { ago, nowMs, service, shop } from './services.ts'

const paint = (_: unknown, text: string) => text
const at = (width: number, services = shop) => statusTable(services, { width, nowMs, paint })
const text = (width: number, services = shop) => `\n${at(width, services).join('\n')}\n`

describe('the table of services', () => {
  it('has everything on one line per service at 250 columns', () => {
    expect(text(250)).toMatchInlineSnapshot(`
      "
      NAME         STATE      HEALTH       PID  UPTIME  RESTARTS  WHY
      store        running    healthy     4720   5m12s         0
      migrate      completed  -              -       -         0  5m ago
      api          backoff    -              -       -        12  restart in 4s: exit code 1, \`Error: listen EADDRINUSE: address already in use 127.0.0.1:7412\`
      worker       blocked    -              -       -         0  api is in backoff: exit code 1, \`Error: listen EADDRINUSE: address already in use 127.0.0.1:7412\`
      mailer       unhealthy  unhealthy  31337      2h         0  status 503
      reports      scheduled  -              -       -         0  next run in 4m
      cache.local  stopped    -              -       -         0  stopped by you (3d ago)

      7 services: 1 running, 1 completed, 1 scheduled, 1 blocked, 1 backoff, 1 unhealthy, 1 stopped
      "
    `)
  })

  it('puts long reasons on lines of their own at 80 columns', () => {
    expect(text(80)).toMatchInlineSnapshot(`
      "
      NAME         STATE      HEALTH       PID  UPTIME  RESTARTS  WHY
      store        running    healthy     4720   5m12s         0
      migrate      completed  -              -       -         0  5m ago
      api          backoff    -              -       -        12
          restart in 4s: exit code 1, \`Error: listen EADDRINUSE: address already in
          use 127.0.0.1:7412\`
      worker       blocked    -              -       -         0
          api is in backoff: exit code 1, \`Error: listen EADDRINUSE: address already
          in use 127.0.0.1:7412\`
      mailer       unhealthy  unhealthy  31337      2h         0  status 503
      reports      scheduled  -              -       -         0  next run in 4m
      cache.local  stopped    -              -       -         0
          stopped by you (3d ago)

      7 services: 1 running, 1 completed, 1 scheduled, 1 blocked, 1 backoff, 1
      unhealthy, 1 stopped
      "
    `)
  })

  it('is still whole at 60 columns', () => {
    expect(text(60)).toMatchInlineSnapshot(`
      "
      NAME         STATE      HEALTH       PID  UPTIME  RESTARTS
      store        running    healthy     4720   5m12s         0
      migrate      completed  -              -       -         0
          5m ago
      api          backoff    -              -       -        12
          restart in 4s: exit code 1, \`Error: listen EADDRINUSE:
          address already in use 127.0.0.1:7412\`
      worker       blocked    -              -       -         0
          api is in backoff: exit code 1, \`Error: listen
          EADDRINUSE: address already in use 127.0.0.1:7412\`
      mailer       unhealthy  unhealthy  31337      2h         0
          status 503
      reports      scheduled  -              -       -         0
          next run in 4m
      cache.local  stopped    -              -       -         0
          stopped by you (3d ago)

      7 services: 1 running, 1 completed, 1 scheduled, 1 blocked,
      1 backoff, 1 unhealthy, 1 stopped
      "
    `)
  })

  it('leaves out restarts first', () => {
    expect(at(52)[0]).toMatchInlineSnapshot(`"NAME         STATE      HEALTH       PID  UPTIME"`)
  })

  it('keeps name, state and what fits besides at 40 columns', () => {
    expect(text(40)).toMatchInlineSnapshot(`
      "
      NAME         STATE        PID  UPTIME
      store        running     4720   5m12s
      migrate      completed      -       -
          5m ago
      api          backoff        -       -
          restart in 4s: exit code 1, \`Error:
          listen EADDRINUSE: address already
          in use 127.0.0.1:7412\`
      worker       blocked        -       -
          api is in backoff: exit code 1,
          \`Error: listen EADDRINUSE: address
          already in use 127.0.0.1:7412\`
      mailer       unhealthy  31337      2h
          status 503
      reports      scheduled      -       -
          next run in 4m
      cache.local  stopped        -       -
          stopped by you (3d ago)

      7 services: 1 running, 1 completed, 1
      scheduled, 1 blocked, 1 backoff, 1
      unhealthy, 1 stopped
      "
    `)
  })

  it.each([12, 20, 33, 40, 60, 80, 120, 250])('has no line wider than %i columns', (width) => {
    for (const line of at(width)) expect(widthOf(line)).toBeLessThanOrEqual(Math.max(width, 19))
  })

  it('leaves room for reasons beside a long name where every service has one line', () => {
    const services = [
      service('a-very-long-name-that-goes-on-and-on-for-ever', { pid: 4720 }),
      service('bad', { state: 'failed', reason: 'exit code 3, `cannot open /etc/nothing`' }),
    ]
    expect(`\n${serviceLines(services, { width: 60, nowMs, paint }).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      NAME                  STATE    WHY
      a-very-lon…-for-ever  running
      bad                   failed   exit code 3, \`cannot open /e…
      "
    `)
    for (const width of [40, 60, 90, 120])
      for (const line of serviceLines(services, { width, nowMs, paint }))
        expect(widthOf(line)).toBeLessThanOrEqual(width)
  })

  it('is one line per service, however long, where nobody looks', () => {
    expect(at(Number.POSITIVE_INFINITY)).toHaveLength(shop.length + 3)
  })

  it('shows cpu and memory only when somebody measures them', () => {
    const services = [
      service('api', { pid: 1, uptime_ms: 1000, cpu_percent: 0.44, memory_bytes: 52_428_800 }),
      service('db', { pid: 2, uptime_ms: 1000, memory_bytes: 1.5 * 1024 ** 3 }),
    ]
    expect(text(80, services)).toMatchInlineSnapshot(`
      "
      NAME  STATE    HEALTH  PID  UPTIME   CPU  MEMORY  RESTARTS  WHY
      api   running  -         1      1s  0.4%     50M         0
      db    running  -         2      1s     -    1.5G         0

      2 services: 2 running
      "
    `)
  })

  it('shows spawned children below their parent', () => {
    const child = { name: 'w1', service: 'api:w1', pid: 12, state: 'running', depth: 1, expires_at: null }
    const services = [
      service('api', {
        pid: 11,
        uptime_ms: 1000,
        children: [{ ...child, children: [{ ...child, name: 'w1a', service: 'api:w1a', pid: 13, children: [] }] }],
      }),
    ]
    expect(text(80, services)).toMatchInlineSnapshot(`
      "
      NAME         STATE    HEALTH  PID  UPTIME  RESTARTS  WHY
      api          running  -        11      1s         0
      └ api:w1     running           12
        └ api:w1a  running           13

      1 service: 1 running
      "
    `)
  })

  it('shows children of the same name by what commands know them by', () => {
    const child = { name: 'w1', state: 'running', depth: 1, expires_at: null, children: [] }
    const services = [
      service('api', {
        pid: 11,
        uptime_ms: 1000,
        children: [
          { ...child, service: 'api:w1', pid: 12 },
          { ...child, service: 'api:w1~2', pid: 13 },
        ],
      }),
    ]
    const shown = text(80, services)
    expect(shown).toMatch(/└ api:w1 +running +12\n/)
    expect(shown).toMatch(/└ api:w1~2 +running +13\n/)
  })

  it('counts the other instances behind the pid', () => {
    const instance = { role: 'active', replica: 0, slot: null, state: 'running', uptime_ms: 1000 } as const
    const instances = [10, 11, 12].map((pid) => ({ ...instance, id: `api-${pid}`, pid }))
    expect(at(80, [service('api', { pid: 10, instances })])[1]).toContain('10 +2')
  })

  const instancesOf = (count: number) =>
    Array.from({ length: count }, (_, replica) => ({
      ...{ id: `api-${replica + 1}`, pid: 4720 + replica, role: 'active', replica, slot: null, state: 'running' },
      uptime_ms: 60_000,
    })) as ServiceStatus['instances']

  const several = [
    service('api', { pid: 4720, uptime_ms: 60_000, replicas: 4, instances: instancesOf(4) }),
    service('web', {
      ...{ pid: 4720, uptime_ms: 60_000, replicas: 3, instances: instancesOf(2) },
      reason: '2 of 3 ready: replica 2 is in backoff, exit code 1',
    }),
    service('migrate', { state: 'completed', since: ago(300_000) }),
    service('spare', { state: 'stopped', replicas: 0, reason: 'scaled to 0 by you' }),
  ]

  it('says how many replicas are ready where a service has not just one', () => {
    expect(text(80, several)).toMatchInlineSnapshot(`
      "
      NAME     STATE      REPLICAS  HEALTH      PID  UPTIME  RESTARTS  WHY
      api      running         4/4  -       4720 +3      1m         0
      web      running         2/3  -       4720 +1      1m         0
          2 of 3 ready: replica 2 is in backoff, exit code 1
      migrate  completed         -  -             -       -         0  5m ago
      spare    stopped         0/0  -             -       -         0
          scaled to 0 by you (1m ago)

      4 services: 2 running, 1 completed, 1 stopped
      "
    `)
  })

  it('leaves out restarts before replicas at 60 columns', () => {
    expect(text(60, several)).toMatchInlineSnapshot(`
      "
      NAME     STATE      REPLICAS  HEALTH      PID  UPTIME  WHY
      api      running         4/4  -       4720 +3      1m
      web      running         2/3  -       4720 +1      1m
          2 of 3 ready: replica 2 is in backoff, exit code 1
      migrate  completed         -  -             -       -
          5m ago
      spare    stopped         0/0  -             -       -
          scaled to 0 by you (1m ago)

      4 services: 2 running, 1 completed, 1 stopped
      "
    `)
  })

  it('has a line for each instance when asked to', () => {
    const lines = statusTable(several.slice(0, 2), { width: 80, nowMs, paint: (_, word) => word, instances: true })
    expect(`\n${lines.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      NAME     STATE    REPLICAS  HEALTH      PID  UPTIME  RESTARTS  WHY
      api      running       4/4  -       4720 +3      1m         0
      └ api-1  running                       4720      1m            replica 0
      └ api-2  running                       4721      1m            replica 1
      └ api-3  running                       4722      1m            replica 2
      └ api-4  running                       4723      1m            replica 3
      web      running       2/3  -       4720 +1      1m         0
          2 of 3 ready: replica 2 is in backoff, exit code 1
      └ api-1  running                       4720      1m            replica 0
      └ api-2  running                       4721      1m            replica 1

      2 services: 2 running
      "
    `)
  })

  it('has a line for a replica that has no instance: when it restarts, and why it is down', () => {
    const down = [
      { replica: 0, state: 'failed', reason: 'exit code 2', retry_at: null },
      { replica: 2, state: 'backoff', reason: 'exit code 1', retry_at: ago(-2_500) },
    ] as const
    const [instance] = instancesOf(1).map((one) => ({ ...one, replica: 1 }))
    const api = service('api', { replicas: 3, instances: instance === undefined ? [] : [instance], down })
    const lines = statusTable([api], { width: 120, nowMs, paint: (_, word) => word, instances: true })
    expect(lines.slice(2, 5).map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
      '└ -  failed  replica 0, exit code 2',
      '└ api-1  running  4720  1m  replica 1',
      '└ -  backoff  replica 2, restart in 3s: exit code 1',
    ])
  })

  it('counts instances that go on without a supervisor', () => {
    const instances = instancesOf(2).map((one) => ({ ...one, state: 'running (unsupervised)' }))
    const [, line] = at(80, [service('api', { state: 'running (unsupervised)', replicas: 2, instances })])
    expect(line).toMatch(/^api +running \(unsupervised\) +2\/2 /)
  })

  it('shortens a name that cannot fit in its middle, and says so', () => {
    const name = `${'a'.repeat(30)}.${'b'.repeat(32)}`
    expect(at(40, [service(name)])[1]).toMatchInlineSnapshot(`"aaaaaaaaaaaaaaa…bbbbbbbbbbbbbbb  running"`)
  })

  it('measures wide characters by their cells', () => {
    const services = [service('a', { state: 'failed', reason: '数据库连不上', since: ago(0) }), service('b')]
    const [, first] = at(80, services)
    expect(first).toContain('数据库连不上 (0s ago)')
    expect(widthOf(first ?? '')).toBe((first ?? '').length + 6)
  })

  it('lets no program play with the terminal', () => {
    const [, line] = at(250, [
      service('api', { state: 'failed', reason: 'exit code 1, `\u001B[2J\u001B[31mred\u0007\u202Eevil\nnext`' }),
    ])
    expect(line).toContain('`red��evil next`')
    expect(line).not.toContain('\u001B')
  })

  it('says that there are none', () => {
    expect(at(80, [])).toEqual(['No services.'])
  })

  it('colours states, and nothing but the text', () => {
    const coloured = statusTable(shop, { width: 250, nowMs, paint: (style, word) => `<${String(style)}>${word}</>` })
    expect(coloured[1]).toContain('<green>running</>  ')
    expect(coloured[3]).toContain('<yellow>backoff</>')
    expect(coloured[5]).toContain('<red>unhealthy</>  <red>unhealthy</>')
    expect(coloured[7]).toContain('<dim>stopped</>')
  })
})

const run = (set: Partial<RunView>): RunView => ({
  ...{ scheduled: ago(62_000), started: ago(62_000), finished: ago(60_000), status: 'success' },
  ...{ exit_code: 0, trigger: 'schedule', reason: null, supervisor_replaced: false, ...set },
})

describe('a note', () => {
  it.each([
    ['restarts now', { state: 'backoff', retry_at: ago(1), reason: null }],
    ['restart in 1s: boom', { state: 'backoff', retry_at: ago(-10), reason: 'boom' }],
    ['boom', { state: 'backoff', reason: 'boom' }],
    ['gave up: max_restarts (1m ago)', { state: 'failed', reason: 'gave up: max_restarts' }],
    ['1m ago', { state: 'completed' }],
    ['next run in 2h', { state: 'scheduled', cron: { next_run: ago(-7_300_000), running: false, history: [] } }],
    [
      'next run in 2h; last run failed 1m ago (exit code 3); 0 3 * * *',
      {
        state: 'scheduled',
        reason: '0 3 * * *',
        cron: {
          next_run: ago(-7_300_000),
          running: false,
          history: [run({ status: 'failed', reason: 'exit code 3' })],
        },
      },
    ],
    [
      'last run succeeded 1m ago',
      { state: 'scheduled', cron: { next_run: null, running: false, history: [run({ status: 'success' })] } },
    ],
    ['3 of 4 ready', { state: 'running', reason: '3 of 4 ready' }],
    ['', { state: 'running' }],
  ])('is %j', (note, set) => {
    expect(noteOf(service('api', set), nowMs)).toBe(note)
  })
})

describe('the closing line', () => {
  it('counts states, those that are well first', () => {
    expect(countStates(shop)).toBe(
      '7 services: 1 running, 1 completed, 1 scheduled, 1 blocked, 1 backoff, 1 unhealthy, 1 stopped',
    )
    expect(countStates([{ state: 'failed' }, { state: 'strange' }, { state: 'running' }])).toBe(
      '3 services: 1 running, 1 failed, 1 strange',
    )
    expect(countStates([{ state: 'running' }])).toBe('1 service: 1 running')
    expect(countStates([])).toBe('0 services')
  })
})
