import type { ControlMethod, SysgEvent } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/events.ts'
import { begin, run, stateRoot, untilAborted } from './fake-supervisor.ts'
import { record } from './recorded.ts'

const event = (seq: number, service: string | undefined, type: string, data: SysgEvent['data'] = {}): SysgEvent => ({
  seq,
  time: new Date(Date.now() - 60_000 + seq).toISOString(),
  project: 'shop',
  ...(service === undefined ? {} : { service }),
  type,
  data,
})

const happened: readonly SysgEvent[] = [
  event(1, undefined, 'system.started', { version: '0.1.0', adopted: 0 }),
  event(2, 'db', 'service.ready', { pid: 7 }),
  event(3, 'api', 'service.ready', { pid: 8 }),
  { ...event(4, 'api', 'service.exited', { pid: 8, exit: { code: 1, signal: null }, expected: false }), cause: 3 },
  event(5, 'api', 'deploy.started', { strategy: 'rolling', replicas: 1 }),
]

const status: ControlMethod = () => ({ services: [{ name: 'api' }, { name: 'db' }, { name: 'quiet' }] })

/** As the `store` plugin answers, but it selects nothing itself. */
const read: ControlMethod = (params) => {
  const { limit } = params as { limit: number }
  return happened.slice(-limit)
}

const words = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+ \S+ +/, '').replace(/ {2,}/g, ' '))

describe('events', () => {
  it('are told in words, with the one that led to them', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ status, 'events.read': read })
    const { stdout, exitCode } = await run(home.root, command, 'events', [])
    expect(words(stdout)).toEqual([
      '#1 system.started systemg 0.1.0 runs',
      '#2 service.ready db is ready (pid 7)',
      '#3 service.ready api is ready (pid 8)',
      '#4 service.exited api exited: code 1 (unexpected) ← #3',
      '#5 deploy.started api: a rolling deploy begins',
    ])
    expect(exitCode).toBe(0)
    expect(supervisor.calls).toEqual([{ method: 'events.read', params: { limit: 50 } }])
  })

  it.each([
    ['service.redy', 'systemg has no event `service.redy`. Did you mean `service.ready`?'],
    ['deplyo.*', 'no event of systemg begins with `deplyo.`. Did you mean `deploy.*`?'],
    ['nosuch', 'no event has the type `nosuch`. Types are like `service.ready` or `deploy.*`.'],
    ['deploy', 'no event has the type `deploy`. Did you mean `deploy.*`?'],
    ['exited', 'no event has the type `exited`. Did you mean `service.exited` or `spawn.exited`?'],
  ])('are warned of when they are asked for as %s, with or without a supervisor', async (type, warning) => {
    await using home = stateRoot()
    record(home.paths, {}, happened)
    const without = await run(home.root, command, 'events', ['--type', type])
    expect([without.stderr, without.exitCode]).toEqual([`warning: ${warning}\n`, 0])
    await home.supervise({ status, 'events.read': () => [] })
    expect((await run(home.root, command, 'events', ['--type', type])).stderr).toBe(`warning: ${warning}\n`)
  })

  it.each(['service.ready', 'service.*', '*.failed', 'queue.drained', 'webhook.failed', 'service.backoff'])(
    'are not warned of as %s, which may be that of a plugin',
    async (type) => {
      await using home = stateRoot()
      await home.supervise({ status, 'events.read': () => [] })
      expect((await run(home.root, command, 'events', ['--type', type])).stderr).toBe('')
    },
  )

  it('are one object per line for programs', async () => {
    await using home = stateRoot()
    await home.supervise({ status, 'events.read': read })
    const { stdout } = await run(home.root, command, 'events', ['--json', '-l', '2'])
    expect(
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(happened.slice(-2))
  })

  it('are selected by service, type and moment', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ status, 'events.read': read })
    const one = await run(home.root, command, 'events', [
      'api',
      '--type',
      'service.*',
      '--since',
      '2026-01-31T12:00:00Z',
    ])
    expect(words(one.stdout).map((line) => line.slice(0, 2))).toEqual(['#3', '#4'])
    const query = { service: 'api', type: 'service.*', since: Date.parse('2026-01-31T12:00:00Z') }
    expect(supervisor.calls).toEqual([{ method: 'events.read', params: { ...query, limit: 10_000 } }])
    const two = await run(home.root, command, 'events', ['api', '-s', 'db', '-l', '2', '--type', '*ready'])
    expect(words(two.stdout).map((line) => line.slice(0, 2))).toEqual(['#2', '#3'])
  })

  it('are selected up to a moment', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ status, 'events.read': read })
    const until = new Date(Date.parse(happened[2]?.time ?? ''))
    const { stdout } = await run(home.root, command, 'events', ['--until', until.toISOString()])
    expect(words(stdout).map((line) => line.slice(0, 2))).toEqual(['#1', '#2', '#3'])
    expect(supervisor.calls).toEqual([{ method: 'events.read', params: { until: until.getTime(), limit: 50 } }])
  })

  it.each([
    [['--until', '5m', '--since', '1m'], '`--until` is before `--since`.'],
    [['--until', '5m', '-f'], 'not both'],
    [['--until', 'noon'], '`--until` takes a duration'],
  ])('refuse %j', async (typed, message) => {
    await using home = stateRoot()
    const refused = run(home.root, command, 'events', typed)
    await expect(refused).rejects.toMatchObject({
      code: 'SYSG_USAGE',
      message: expect.stringContaining(message) as string,
    })
  })

  it.each([
    ['*', 5],
    ['service.*', 3],
    ['service', 0],
    ['*.ready', 2],
    ['s*.*ed', 2],
    ['s*t*s*', 1],
    ['*rvice.ready*', 2],
    ['service.ready', 2],
    ['', 0],
  ])('of type %j are %i', async (glob, count) => {
    await using home = stateRoot()
    await home.supervise({ status, 'events.read': read })
    const { stdout } = await run(home.root, command, 'events', ['--json', '--type', glob])
    expect(stdout.split('\n').length - 1).toBe(count)
  })

  it('of a service that does not exist are a mistake, of a quiet one none', async () => {
    await using home = stateRoot()
    await home.supervise({ status, 'events.read': read })
    expect((await run(home.root, command, 'events', ['quiet'])).stdout).toBe('')
    await expect(run(home.root, command, 'events', ['quite'])).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })

  it('that are followed go on behind the last one until Ctrl-C', async () => {
    await using home = stateRoot()
    const follow: ControlMethod = async (_params, call) => {
      await call.notify('event', event(6, 'db', 'service.stopped', { reason: null }))
      await call.notify('event', event(7, 'api', 'service.ready', { pid: 9 }))
      await untilAborted(call.signal)
    }
    const supervisor = await home.supervise({ status, 'events.read': read, 'events.follow': follow })
    const { terminal, done } = begin(home.root, command, 'events', ['-f', '-l', '0', 'api', '--json'])
    await terminal.shows('"seq":7')
    process.emit('SIGINT')
    expect(await done).toBe(0)
    expect(Object.keys(JSON.parse(terminal.stdout) as object)).toEqual([
      'seq',
      'time',
      'project',
      'service',
      'type',
      'data',
    ])
    expect(supervisor.calls.map(({ params }) => params)).toEqual([
      { service: 'api', limit: 1 },
      { service: 'api', after: 5, limit: 10_000 },
    ])
  })

  it('end when the supervisor ends', async () => {
    await using home = stateRoot()
    const follow: ControlMethod = (_params, call) => untilAborted(call.signal)
    const supervisor = await home.supervise({ status, 'events.read': read, 'events.follow': follow })
    const { terminal, done } = begin(home.root, command, 'events', ['-f'])
    await terminal.shows('#5')
    await expect.poll(() => supervisor.calls.at(-1)?.method).toBe('events.follow')
    await supervisor.end()
    expect(await done).toBe(0)
    expect(terminal.stderr).toBe('The supervisor has ended.\n')
  })
})

describe('events without a supervisor', () => {
  it('are read from what the last one kept', async () => {
    await using home = stateRoot()
    record(home.paths, {}, happened)
    const { stdout } = await run(home.root, command, 'events', ['-s', 'api', '-l', '2'])
    expect(words(stdout)).toEqual([
      '#4 service.exited api exited: code 1 (unexpected) ← #3',
      '#5 deploy.started api: a rolling deploy begins',
    ])
    expect((await run(home.root, command, 'events', ['--since', '2100-01-01'])).stdout).toBe('')
    await expect(run(home.root, command, 'events', ['apii'])).rejects.toMatchObject({ hint: 'Did you mean `api`?' })
  })

  it('leave out what is damaged', async () => {
    await using home = stateRoot()
    record(home.paths, {}, [{ seq: 1, time: happened[0]?.time ?? '' }, ...happened.slice(1)])
    expect(words((await run(home.root, command, 'events', [])).stdout)).toHaveLength(4)
  })

  it('can not be followed', async () => {
    await using home = stateRoot()
    record(home.paths, {}, happened)
    const { terminal, done } = begin(home.root, command, 'events', ['-f'])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    expect(terminal.stdout).toContain('#5')
  })

  it('end with 3 when the project never ran', async () => {
    await using home = stateRoot()
    await expect(run(home.root, command, 'events', [])).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })
})
