import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { ControlMethod, Durable, ServiceView } from '@systemg/core'
import { describe, expect, it, vi } from 'vitest'
import { shortId as coreShortId } from '../../../core/src/view.ts'
import { command } from '../../../cli/src/commands/status.ts'
import { projectPaths, type ProjectPaths } from '../../../cli/src/project/state-root.ts'
import { shortId } from '../../../cli/src/unsupervised/left-services.ts'
import { screenOf } from '../terminal/screen.ts'
import { begin, run, stateRoot } from './fake-supervisor.ts'
import { instanceRecord, record, survivor } from './recorded.ts'

const view = (name: string, set: Partial<ServiceView> = {}): ServiceView => ({
  ...{ name, id: '3f9c2a1b', state: 'running', health: 'healthy', pid: 4720, since: '2026-01-31T12:00:00.000Z' },
  ...{ uptime_ms: 1234, restarts: 0, reason: null, depends_on: ['db'], exit: null, last_lines: [], retry_at: null },
  replicas: 1,
  instances: [{ id: `${name}-3`, pid: 4720, state: 'ready', role: 'active', replica: 0, slot: null, uptime_ms: 1234 }],
  ...set,
})

const answering =
  (...services: readonly ServiceView[]): ControlMethod =>
  () => ({
    project: { id: 'shop', name: 'shop', config: '/srv/systemg.yaml' },
    supervisor: { pid: 4711, version: '0.1.0', started_at: '2026-01-31T11:00:00.000Z' },
    services,
  })

/** Run a command that asks a supervisor which takes the connection and says nothing, until it gives up. */
const whileFrozen = async <T>(
  paths: ProjectPaths,
  begin: () => Promise<T>,
  isElseDone: () => boolean = () => true,
): Promise<T> => {
  mkdirSync(join(paths.folder, 'run'), { recursive: true })
  const frozen = createServer().listen(paths.socket)
  await once(frozen, 'listening')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const running = begin()
  const [socket] = (await once(frozen, 'connection')) as [Socket]
  await once(socket, 'data')
  await expect.poll(isElseDone).toBe(true)
  vi.advanceTimersByTime(10_000)
  vi.useRealTimers()
  try {
    return await running
  } finally {
    socket.destroy()
    frozen.close()
  }
}

describe('status', () => {
  it('shows a table, and ends with 0 when all is well', async () => {
    await using home = stateRoot()
    const services = [view('api'), view('job', { state: 'completed', pid: null }), view('old', { state: 'stopped' })]
    await home.supervise({ status: answering(...services) })
    const { exitCode, stdout, stderr } = await run(home.root, command, 'status', [])
    expect(stdout).toMatch(/^NAME +STATE .*\napi +running +healthy +4720 +1s +0\n/)
    expect(stdout).toMatch(/\n3 services: 1 running, 1 completed, 1 stopped\n$/)
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
  })

  it('shows a child that is named like any service', async () => {
    await using home = stateRoot()
    const child = {
      ...{ name: 'w1', service: 'api:w1', pid: 12, depth: 1 },
      expires_at: null,
      state: 'running' as const,
    }
    const inner = { ...child, name: 'a', service: 'api:a', depth: 2, children: [] }
    const api = view('api', { children: [{ ...child, children: [inner] }] })
    await home.supervise({
      status: (params, call) =>
        answering(...((params as { services?: unknown }).services === undefined ? [api] : [view('api:a')]))(
          params,
          call,
        ),
    })
    const { exitCode, stdout } = await run(home.root, command, 'status', ['api:a', '--json'])
    expect((JSON.parse(stdout) as { services: { name: string }[] }).services.map(({ name }) => name)).toEqual(['api:a'])
    expect(exitCode).toBe(0)
    const unknown = run(home.root, command, 'status', ['api:b'])
    await expect(unknown).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })

  it.each(['failed', 'unhealthy', 'blocked', 'backoff', 'starting', 'waiting', 'stopping'] as const)(
    'ends with 1 when a service is %s',
    async (state) => {
      await using home = stateRoot()
      await home.supervise({ status: answering(view('api'), view('db', { state })) })
      expect((await run(home.root, command, 'status', [])).exitCode).toBe(1)
      expect((await run(home.root, command, 'status', ['-s', 'api'])).exitCode).toBe(0)
    },
  )

  it('prints the contract as JSON, with null for what nobody measures, and keeps what others add', async () => {
    await using home = stateRoot()
    const extra = { ...view('api'), cpu_percent: 0.4, made_up: [1] } as ServiceView
    await home.supervise({ status: answering(extra, view('db', { depends_on: [] })) })
    const { stdout, exitCode } = await run(home.root, command, 'status', ['--json'])
    expect(exitCode).toBe(0)
    expect(stdout.endsWith('}\n')).toBe(true)
    const report = JSON.parse(stdout) as { services: Record<string, unknown>[] }
    expect(report).toEqual({
      project: { id: 'shop', name: 'shop', config: '/srv/systemg.yaml' },
      supervisor: { pid: 4711, version: '0.1.0', started_at: '2026-01-31T11:00:00.000Z' },
      services: [
        {
          ...{ name: 'api', id: '3f9c2a1b', state: 'running', health: 'healthy', pid: 4720 },
          ...{ since: '2026-01-31T12:00:00.000Z', uptime_ms: 1234, restarts: 0, reason: null, depends_on: ['db'] },
          ...{ exit: null, cpu_percent: 0.4, memory_bytes: null, children: [], cron: null },
          instances: [
            { id: 'api-3', pid: 4720, state: 'running', slot: null, role: 'active', replica: 0, uptime_ms: 1234 },
          ],
          replicas: 1,
          ...{ last_lines: [], retry_at: null, made_up: [1] },
        },
        expect.objectContaining({ name: 'db', cpu_percent: null, memory_bytes: null }),
      ],
    })
    expect(Object.keys(report.services[0] ?? {}).slice(0, 16)).toEqual([
      ...['name', 'id', 'state', 'health', 'pid', 'since', 'uptime_ms', 'restarts', 'reason', 'depends_on', 'exit'],
      ...['cpu_percent', 'memory_bytes', 'instances', 'children', 'cron'],
    ])
  })

  it('names the service somebody probably meant', async () => {
    await using home = stateRoot()
    await home.supervise({ status: answering(view('worker.mail')) })
    const wrong = run(home.root, command, 'status', ['worker-mial'])
    await expect(wrong).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN', hint: 'Did you mean `worker.mail`?' })
  })

  it('ends with 6 when the supervisor does not answer', async () => {
    await using home = stateRoot()
    const { exitCode, stderr } = await whileFrozen(home.paths, () => run(home.root, command, 'status', []))
    expect(stderr).toMatch(/^error: The supervisor did not answer within \d+ (?:ms|s)\./)
    expect(exitCode).toBe(6)
  })

  it('refuses names together with --all, and an interval that is none', async () => {
    await using home = stateRoot()
    await expect(run(home.root, command, 'status', ['--all', 'api'])).rejects.toMatchObject({ code: 'SYSG_USAGE' })
    await expect(run(home.root, command, 'status', ['--stream=often'])).rejects.toMatchObject({ code: 'SYSG_USAGE' })
  })
})

describe('status --stream', () => {
  it('prints again and again where nobody looks', async () => {
    await using home = stateRoot()
    await home.supervise({ status: answering(view('api')) })
    const { terminal, done } = begin(home.root, command, 'status', ['--stream', '100ms', '--json'])
    await terminal.shows('}\n{')
    process.emit('SIGINT')
    expect(await done).toBe(0)
    const [first, second] = terminal.stdout.split('\n')
    expect(second).toBe(first)
  })

  it.each([
    [['--stream', '--json'], '"db"'],
    [['--stream'], 'db '],
    [['--stream', 'api', '--json'], '"api"'],
    [['-s', 'api', '--stream'], 'api '],
  ])('%j looks every five seconds', async (typed, text) => {
    await using home = stateRoot()
    await home.supervise({ status: answering(view('api'), view('db')) })
    const { terminal, done } = begin(home.root, command, 'status', typed)
    await terminal.shows(text)
    process.emit('SIGINT')
    expect(await done).toBe(0)
  })

  it('goes on when the supervisor goes and comes back', async () => {
    await using home = stateRoot()
    const first = await home.supervise({ status: answering(view('api')) })
    const { terminal, done } = begin(home.root, command, 'status', ['--stream', '100ms'])
    await terminal.shows('1 service')
    await first.end()
    await terminal.shows('No supervisor runs for `shop`.\n')
    await home.supervise({ status: answering(view('api'), view('db')) })
    await terminal.shows('2 services')
    process.emit('SIGINT')
    expect(await done).toBe(0)
  })

  it('needs a supervisor to begin with', async () => {
    await using home = stateRoot()
    const nobody = run(home.root, command, 'status', ['--stream', '1s'])
    await expect(nobody).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })

  it('draws the table in place where somebody looks and nobody can type, until Ctrl-C, which is a good end', async () => {
    await using home = stateRoot()
    let round = 0
    const status: ControlMethod = (params, call) => {
      round += 1
      return answering(...(round === 1 ? [view('api'), view('gone')] : [view('api', { restarts: round })]))(
        params,
        call,
      )
    }
    await home.supervise({ status })
    const { terminal, done } = begin(home.root, command, 'status', ['--stream', '100ms'], {
      interactive: true,
      typed: false,
      rows: 12,
    })
    await terminal.shows('         3\n')
    process.emit('SIGINT')
    expect(await done).toBe(0)
    expect(`\n${screenOf(terminal.stdout).join('\n')}`).toMatchInlineSnapshot(`
      "
      NAME  STATE    HEALTH    PID  UPTIME  RESTARTS  WHY
      api   running  healthy  4720      1s         3

      1 service: 1 running
      "
    `)
  })
})

describe('status without a supervisor', () => {
  it('ends with 3', async () => {
    await using home = stateRoot()
    const nobody = run(home.root, command, 'status', [])
    await expect(nobody).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })

  it('shows what still lives, and as ended what only has the same pid', async () => {
    await using home = stateRoot()
    await using alive = await survivor()
    record(home.paths, {
      instances: {
        'api-3': instanceRecord('api', alive),
        'db-1': instanceRecord('db', { pid: alive.pid, startTime: alive.startTime + 1 }),
        'damaged-1': { service: { name: 'damaged' } },
      },
    })
    const { terminal, done } = begin(home.root, command, 'status', [])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    expect(terminal.stdout).toMatch(new RegExp(`\napi +running \\(unsupervised\\) +- +${alive.pid} +1m +2 `))
    expect(terminal.stdout).toMatch(
      /\ndb +ended \(unsupervised\) +- +- .* ended while no supervisor ran; exit status unknown\n/,
    )
    expect(terminal.stdout).toMatch(/\n2 services: 1 running \(unsupervised\), 1 ended \(unsupervised\)\n$/)
  })

  it('shows what programs had started below what started it, as long as that lives', async () => {
    await using home = stateRoot()
    await using alive = await survivor()
    const child = (owner: string) => ({
      transient: { owner },
      marks: { SYSG_CHILD_NAME: 'w1', SYSG_EXPIRES_AT: '2026-01-31T12:00:00.000Z' },
    })
    record(home.paths, {
      instances: {
        'api-3': instanceRecord('api', alive),
        'api:w1-3': instanceRecord('api:w1', alive, child('api-3')),
        'db:w1-3': instanceRecord('db:w1', alive, child('db-3')),
        'api:gone-3': instanceRecord('api:gone', { ...alive, startTime: 1 }, child('api-3')),
      },
    })
    const { terminal, done } = begin(home.root, command, 'status', ['--json'])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    const { services } = JSON.parse(terminal.stdout) as { services: { name: string; children: unknown }[] }
    const { pid } = alive
    const state = 'running (unsupervised)'
    const below = { name: 'w1', service: 'api:w1', pid, state, depth: 1, expires_at: '2026-01-31T12:00:00.000Z' }
    expect(services.map(({ name, children }) => ({ name, children }))).toEqual([
      { name: 'api', children: [{ ...below, children: [] }] },
      { name: 'db:w1', children: [] },
    ])
  })

  it('shows how things had come to rest, what was stopped, and the exit of what others wait for', async () => {
    await using home = stateRoot()
    const service = (name: string) => ({ name, argv: ['x'], stop_signal: 'SIGTERM', stop_timeout: 1, depends_on: {} })
    const outcome = (name: string, set: Record<string, Durable>): Durable => ({
      ...{ service: name, replica: 0, config: service(name), instance: `${name}-1`, at: Date.now() - 5_000 },
      ...{ lastLines: [], why: null, ...set },
    })
    record(home.paths, {
      instances: { 'job-1': instanceRecord('job', { pid: 1, startTime: 1 }, { token: 'abc' }) },
      intents: { down: { intent: 'stopped' }, up: { intent: 'up' } },
      outcomes: {
        'done@0': outcome('done', { outcome: 'completed', exit: { code: 0, signal: null } }),
        'bad@0': outcome('bad', { outcome: 'failed', exit: { code: 3, signal: null }, why: 'max_restarts' }),
        'none@0': outcome('none', { outcome: 'failed', failure: { code: 'SYSG_SPAWN_FAILED', message: 'No x.' } }),
      },
    })
    mkdirSync(join(home.paths.folder, 'run', 'exits'), { recursive: true })
    writeFileSync(join(home.paths.folder, 'run', 'exits', 'abc'), '7\n')
    const { terminal, done } = begin(home.root, command, 'status', ['--json'])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    const { services } = JSON.parse(terminal.stdout) as { services: Record<string, unknown>[] }
    expect(services.map(({ name, state, reason }) => [name, state, reason])).toEqual([
      ['bad', 'failed', 'gave up: max_restarts; exit code 3'],
      ['done', 'completed', null],
      ['down', 'stopped', 'stopped by you'],
      ['job', 'ended (unsupervised)', 'ended while no supervisor ran; exit code 7'],
      ['none', 'failed', 'No x'],
    ])
    expect(services[0]).toMatchObject({ exit: { code: 3, signal: null, oom_killed: false }, pid: null })
    expect(services[4]).toMatchObject({ exit: null })
  })

  it('says the same as JSON', async () => {
    await using home = stateRoot()
    await using alive = await survivor()
    record(home.paths, { instances: { 'api-3': instanceRecord('api', alive) } })
    const { terminal, done } = begin(home.root, command, 'status', ['--json'])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    expect(JSON.parse(terminal.stdout)).toMatchObject({
      project: { id: 'shop', config: null },
      supervisor: null,
      services: [
        { name: 'api', id: shortId('shop/api'), state: 'running (unsupervised)', pid: alive.pid, depends_on: ['db'] },
      ],
    })
  })

  it('gives a service the id that a supervisor gives', () => {
    for (const text of ['', 'shop/api', 'shop/übel.1']) expect(shortId(text)).toBe(coreShortId(text))
  })
})

describe('status --all', () => {
  it('shows every project, those without a supervisor, and what is left of removed services', async () => {
    await using home = stateRoot()
    record(home.paths, { intents: { 'old-api': { intent: 'stopped' }, api: { intent: 'up' } } })
    record(projectPaths(home.root, 'asleep'), {})
    mkdirSync(join(home.root, 'by-config'))
    mkdirSync(join(home.paths.logs, 'older', '0'), { recursive: true })
    await home.supervise({ status: answering(view('api')) })
    const { stdout, exitCode } = await run(home.root, command, 'status', ['--all'])
    expect(stdout).toMatch(
      /^asleep {2}no supervisor\nNo config leads to it\.\n`sysg purge -p asleep` removes that\.\n\nshop {2}supervisor 4711, up \w+ {2}\/srv\/systemg.yaml\nNAME/,
    )
    expect(stdout).toContain('Its config is gone; `sysg stop -p shop` ends what runs')
    expect(stdout).toContain('No longer in the config, but still kept: old-api (intent), older (logs).\n')
    expect(exitCode).toBe(0)
    const json = JSON.parse((await run(home.root, command, 'status', ['--all', '--json'])).stdout) as object
    expect(json).toMatchObject({
      projects: [
        { project: { id: 'asleep' }, supervisor: null, services: [], strays: [], is_forsaken: true },
        {
          project: { id: 'shop' },
          leftovers: [
            { name: 'old-api', what: ['intent'] },
            { name: 'older', what: ['logs'] },
          ],
        },
      ],
    })
  })

  it('shows the others when one does not answer, and ends with 6', async () => {
    await using home = stateRoot()
    const other = await home.supervise({ status: answering(view('api')) })
    const { exitCode, stdout } = await whileFrozen(
      projectPaths(home.root, 'frozen'),
      () => run(home.root, command, 'status', ['--all']),
      () => other.calls.length === 1 && other.connections === 0,
    )
    expect(stdout).toMatch(/^frozen\nThe supervisor did not answer within \d+ (?:ms|s)\.\n\nshop {2}supervisor/)
    expect(exitCode).toBe(6)
  })

  it('ends with 3 when there is none at all', async () => {
    await using home = stateRoot()
    const nobody = run(home.root, command, 'status', ['--all'])
    await expect(nobody).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })
})
