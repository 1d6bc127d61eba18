import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/inspect.ts'
import { begin, run, stateRoot } from './fake-supervisor.ts'

const answer = (set: Readonly<Record<string, unknown>> = {}) => ({
  ...{ name: 'api', id: '3f9c2a1b', state: 'running', health: 'none', pid: 4720, since: '2026-01-31T12:00:00.000Z' },
  ...{ uptime_ms: 1234, restarts: 0, reason: null, depends_on: [], exit: null, last_lines: [], retry_at: null },
  ...{ replicas: 1, instances: [], instance: null, config: { command: 'node x.js' }, tree: [], sections: [] },
  ...set,
})

describe('sysg inspect', () => {
  it('asks for one service and a window, and prints what it gets with null and nothing for what nobody tells', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ inspect: () => answer() })
    const { exitCode, stdout } = await run(home.root, command, 'inspect', ['api/1', '--window', '2m', '--json'])
    expect(exitCode).toBe(0)
    expect(supervisor.calls).toEqual([{ method: 'inspect', params: { service: 'api/1', window_ms: 120_000 } }])
    const nothing = { cpu_percent: null, memory_bytes: null, metrics: null, env: [], events: [], health_history: [] }
    expect(JSON.parse(stdout)).toMatchObject({ name: 'api', children: [], cron: null, ...nothing })
  })

  it('ends with 1 when the service is not well', async () => {
    await using home = stateRoot()
    await home.supervise({ inspect: () => answer({ state: 'failed', reason: 'exit code 3' }) })
    const { exitCode, stdout } = await run(home.root, command, 'inspect', ['api'])
    expect([exitCode, stdout.split('\n')[0]]).toEqual([1, 'api  failed'])
  })

  it('looks again with `--stream`', async () => {
    await using home = stateRoot()
    let looks = 0
    await home.supervise({ inspect: () => answer({ restarts: ++looks }) })
    const { terminal, done } = begin(home.root, command, 'inspect', ['api', '--stream', '100ms'])
    await terminal.shows('3 restarts')
    process.emit('SIGINT')
    expect(await done).toBe(0)
  })

  it.each([[[]], [['a', 'b']], [['a', '--window', 'soon']], [['a', '--window', '0s']]])(
    'takes one name and a window above zero: %j',
    async (words) => {
      await using home = stateRoot()
      await expect(run(home.root, command, 'inspect', words)).rejects.toMatchObject({ code: 'SYSG_USAGE' })
    },
  )

  it('says when no supervisor runs and nothing is recorded', async () => {
    await using home = stateRoot()
    await expect(run(home.root, command, 'inspect', ['api'])).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
  })
})
