import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { ControlMethod, ServiceView } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { shortId as coreShortId } from '../../../core/src/view.ts'
import { command } from '../../../cli/src/commands/status.ts'
import { projectPaths } from '../../../cli/src/project/state-root.ts'
import { shortId } from '../../../cli/src/unsupervised/living-services.ts'
import { screenOf } from '../terminal/screen.ts'
import { begin, run, startSupervisor, stateRoot } from './fake-supervisor.ts'
import { instanceRecord, record, survivor } from './recorded.ts'

const view = (name: string, set: Partial<ServiceView> = {}): ServiceView => ({
  ...{ name, id: '3f9c2a1b', state: 'running', health: 'healthy', pid: 4720, since: '2026-01-31T12:00:00.000Z' },
  ...{ uptime_ms: 1234, restarts: 0, reason: null, depends_on: ['db'], exit: null, last_lines: [], retry_at: null },
  instances: [{ id: `${name}-3`, pid: 4720, state: 'ready', role: 'active', replica: 0, slot: null }],
  ...set,
})

const answering =
  (...services: readonly ServiceView[]): ControlMethod =>
  () => ({
    project: { id: 'shop', name: 'shop', config: '/srv/systemg.yaml' },
    supervisor: { pid: 4711, version: '0.1.0', started_at: '2026-01-31T11:00:00.000Z' },
    services,
  })

describe('status', () => {
  it('shows a table, and ends with 0 when all is well', async () => {
    using home = stateRoot()
    const services = [view('api'), view('job', { state: 'completed', pid: null }), view('old', { state: 'stopped' })]
    await using _ = await startSupervisor(home.paths, { status: answering(...services) })
    const { exitCode, stdout, stderr } = await run(home.root, command, 'status', [])
    expect(stdout).toMatch(/^NAME +STATE .*\napi +running +healthy +4720 +1s +0\n/)
    expect(stdout).toMatch(/\n3 services: 1 running, 1 completed, 1 stopped\n$/)
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
  })

  it.each(['failed', 'unhealthy', 'blocked', 'backoff', 'starting', 'waiting', 'stopping'] as const)(
    'ends with 1 when a service is %s',
    async (state) => {
      using home = stateRoot()
      await using _ = await startSupervisor(home.paths, { status: answering(view('api'), view('db', { state })) })
      expect((await run(home.root, command, 'status', [])).exitCode).toBe(1)
      expect((await run(home.root, command, 'status', ['-s', 'api'])).exitCode).toBe(0)
    },
  )

  it('prints the contract as JSON, with null for what nobody measures, and keeps what others add', async () => {
    using home = stateRoot()
    const extra = { ...view('api'), cpu_percent: 0.4, made_up: [1] } as ServiceView
    await using _ = await startSupervisor(home.paths, { status: answering(extra, view('db', { depends_on: [] })) })
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
          instances: [{ id: 'api-3', pid: 4720, state: 'running', slot: null, role: 'active', replica: 0 }],
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
    using home = stateRoot()
    await using _ = await startSupervisor(home.paths, { status: answering(view('worker.mail')) })
    const wrong = run(home.root, command, 'status', ['worker-mial'])
    await expect(wrong).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN', hint: 'Did you mean `worker.mail`?' })
  })

  it('ends with 6 when the supervisor does not answer', async () => {
    using home = stateRoot()
    mkdirSync(join(home.paths.folder, 'run'), { recursive: true })
    const frozen = createServer((socket) => socket.resume()).listen(home.paths.socket)
    await once(frozen, 'listening')
    const { exitCode, stderr } = await run(home.root, command, 'status', [])
    frozen.close()
    expect(stderr).toMatch(/^error: The supervisor did not answer within \d+ ms\./)
    expect(exitCode).toBe(6)
  }, 20_000)

  it('refuses names together with --all, and an interval that is none', async () => {
    using home = stateRoot()
    await expect(run(home.root, command, 'status', ['--all', 'api'])).rejects.toMatchObject({ code: 'SYSG_USAGE' })
    await expect(run(home.root, command, 'status', ['--stream', 'often'])).rejects.toMatchObject({ code: 'SYSG_USAGE' })
  })
})

describe('status --stream', () => {
  it('draws the table in place until Ctrl-C, which is a good end', async () => {
    using home = stateRoot()
    let round = 0
    const status: ControlMethod = (params, call) => {
      round += 1
      return answering(...(round === 1 ? [view('api'), view('gone')] : [view('api', { restarts: round })]))(params, call)
    }
    await using _ = await startSupervisor(home.paths, { status })
    const { terminal, done } = begin(home.root, command, 'status', ['--stream', '100ms'], { interactive: true, rows: 12 })
    await terminal.shows(' 3\u001B') // Not reached: rows end with a newline.
      .catch(() => undefined)
    process.emit('SIGINT')
    expect(await done).toBe(0)
    expect(screenOf(terminal.stdout)).not.toContain('gone')
  })
})

describe('status without a supervisor', () => {
  it('ends with 3', async () => {
    using home = stateRoot()
    const nobody = run(home.root, command, 'status', [])
    await expect(nobody).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })

  it('shows what still lives, and nothing that only has the same pid', async () => {
    using home = stateRoot()
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
    expect(terminal.stdout).toMatch(/\n1 service: 1 running \(unsupervised\)\n$/)
  })

  it('says the same as JSON', async () => {
    using home = stateRoot()
    await using alive = await survivor()
    record(home.paths, { instances: { 'api-3': instanceRecord('api', alive) } })
    const { terminal, done } = begin(home.root, command, 'status', ['--json'])
    await expect(done).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    expect(JSON.parse(terminal.stdout)).toMatchObject({
      project: { id: 'shop', config: null },
      supervisor: null,
      services: [{ name: 'api', id: shortId('shop/api'), state: 'running (unsupervised)', pid: alive.pid, depends_on: ['db'] }],
    })
  })

  it('gives a service the id that a supervisor gives', () => {
    for (const text of ['', 'shop/api', 'shop/übel.1']) expect(shortId(text)).toBe(coreShortId(text))
  })
})

describe('status --all', () => {
  it('shows every project, those without a supervisor, and what is left of removed services', async () => {
    using home = stateRoot()
    record(home.paths, { intents: { 'old-api': { intent: 'stopped' }, api: { intent: 'up' } } })
    record(projectPaths(home.root, 'asleep'), {})
    mkdirSync(join(home.root, 'by-config'))
    mkdirSync(join(home.paths.logs, 'older', '0'), { recursive: true })
    await using _ = await startSupervisor(home.paths, { status: answering(view('api')) })
    const { stdout, exitCode } = await run(home.root, command, 'status', ['--all'])
    expect(stdout).toMatch(/^asleep {2}no supervisor\n\nshop {2}supervisor 4711, up \w+ {2}\/srv\/systemg.yaml\nNAME/)
    expect(stdout).toContain('No longer in the config, but still kept: old-api (intent), older (logs).\n')
    expect(exitCode).toBe(0)
    const json = JSON.parse((await run(home.root, command, 'status', ['--all', '--json'])).stdout) as object
    expect(json).toMatchObject({
      projects: [
        { project: { id: 'asleep' }, supervisor: null, services: [] },
        { project: { id: 'shop' }, leftovers: [{ name: 'old-api', what: ['intent'] }, { name: 'older', what: ['logs'] }] },
      ],
    })
  })

  it('ends with 3 when there is none at all', async () => {
    using home = stateRoot()
    const nobody = run(home.root, command, 'status', ['--all'])
    await expect(nobody).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })
})
