import { pastOf, type SysgEvent } from '@systemg/core'
import { simulate } from '@systemg/core/testing'
import { children } from '@systemg/plugins'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/status.ts'
import { retries } from '../../simulation/plugins.ts'
import { pidOf, spawn } from '../../simulation/spawns.ts'
import { run, stateRoot } from './fake-supervisor.ts'
import { record } from './recorded.ts'

/** One hour ago. */
const beginMs = Math.floor(Date.now() / 1_000) * 1_000 - 3_600_000
const at = (afterMs: number) => new Date(beginMs + afterMs).toISOString()

/** `api` crashes after ten seconds, comes back a minute later, and is stopped after two; everything ends after three. */
const story = async (): Promise<readonly SysgEvent[]> => {
  await using sim = await simulate(
    [retries(60_000)],
    { db: { command: 'x' }, api: { command: 'x', depends_on: ['db'] } },
    { startMs: beginMs },
  )
  const until = (ms: number) => sim.clock.advance(beginMs + ms - sim.host.clock.now())
  await until(10_000)
  await sim.service('api').exit({ code: 7 })
  await until(120_000)
  await sim.finish(sim.system.stop(['api']))
  await until(180_000)
  await sim.finish(sim.system.shutdown({ why: 'enough' }))
  return [...sim.events]
}

/** `orch` has started `one` after ten seconds, and that `two`: until a minute later. */
const familyStory = async (): Promise<readonly SysgEvent[]> => {
  const spawnKey = { mode: 'dynamic' as const }
  await using sim = await simulate([children], { orch: { command: 'x', spawn: spawnKey } }, { startMs: beginMs })
  await sim.clock.advance(10_000)
  const one = await spawn(sim, pidOf(sim, 'orch'), 'one', { ttl_ms: 60_000 })
  await spawn(sim, one.pid, 'two')
  await sim.clock.advance(80_000)
  return [...sim.events]
}

const shown = async (root: string, ...words: readonly string[]) => {
  const { stdout, exitCode } = await run(root, command, 'status', words)
  return { lines: stdout.trimEnd().split('\n'), exitCode }
}

describe('status --at', () => {
  it('shows how things were, without a supervisor', async () => {
    await using home = stateRoot()
    record(home.paths, {}, await story())
    const well = await shown(home.root, '--at', at(5_000))
    expect(well.lines[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 59m\S* ago:$/)
    expect(well.lines[1]).toMatch(/^NAME +STATE/)
    expect(well.lines.slice(2, 4)).toEqual([
      expect.stringMatching(/^db +running +- +\d+ +5s +0$/),
      expect.stringMatching(/^api +running +- +\d+ +4s +0$/),
    ])
    expect(well.lines.at(-1)).toBe('2 services: 2 running')
    expect(well.exitCode).toBe(0)
    const ill = await shown(home.root, '--at', at(40_000), 'api')
    expect(ill.lines[2]).toMatch(/^api +backoff +- +- +- +0 +restart in 30s: exit code 7$/)
    expect(ill.exitCode).toBe(1)
    expect((await shown(home.root, '--at', at(150_000))).lines.at(-1)).toBe('2 services: 1 running, 1 stopped')
  })

  it('takes an age', async () => {
    await using home = stateRoot()
    record(home.paths, {}, await story())
    expect((await shown(home.root, '--at', '59m45s')).lines.at(-1)).toBe('2 services: 1 running, 1 backoff')
  })

  it('shows children below their parent, and one of them by name', async () => {
    await using home = stateRoot()
    record(home.paths, {}, await familyStory())
    const { lines } = await shown(home.root, '--at', at(15_000))
    expect(lines.slice(2, 5)).toEqual([
      expect.stringMatching(/^orch +running/),
      expect.stringMatching(/^└ orch:one +running .* ends in 55s$/),
      expect.stringMatching(/^  └ orch:two +running/),
    ])
    const { stdout } = await run(home.root, command, 'status', ['--at', at(15_000), '--json'])
    const none = { expires_at: null, children: [] }
    expect(JSON.parse(stdout)).toMatchObject({
      services: [
        {
          children: [
            {
              ...{ name: 'one', service: 'orch:one', state: 'running', depth: 1, expires_at: at(70_250) },
              children: [{ name: 'two', service: 'orch:two', state: 'running', depth: 2, ...none }],
            },
          ],
        },
      ],
    })
    expect((await shown(home.root, '--at', at(15_000), 'orch:two')).lines[2]).toMatch(/^orch:two +running/)
    expect((await shown(home.root, '--at', at(85_000))).lines.slice(2)).toEqual([
      expect.stringMatching(/^orch +running/),
      '',
      '1 service: 1 running',
    ])
  })

  it('is one object for programs, as `status` has it', async () => {
    await using home = stateRoot()
    record(home.paths, {}, await story())
    const { stdout } = await run(home.root, command, 'status', ['--at', at(40_000), '--json', 'api'])
    expect(JSON.parse(stdout)).toMatchObject({
      project: { id: 'shop', config: null },
      at: at(40_000),
      supervisor: { version: '0.0.0', started_at: at(0) },
      services: [
        {
          ...{ name: 'api', state: 'backoff', health: 'none', pid: null, restarts: 0, reason: 'exit code 7' },
          ...{ depends_on: ['db'], since: at(10_000), retry_at: at(70_000), cpu_percent: null, instances: [] },
          exit: { code: 7, signal: null, at: at(10_000), oom_killed: false },
        },
      ],
    })
  })

  it('shows the end, and ends with 3, when the system was stopped then', async () => {
    await using home = stateRoot()
    record(home.paths, {}, await story())
    await expect(run(home.root, command, 'status', ['--at', at(200_000)])).rejects.toMatchObject({
      code: 'SYSG_NO_SUPERVISOR',
      message: expect.stringMatching(
        /^No supervisor ran for `shop` then: the system was stopped at .*:\d\d \(enough\)\.$/,
      ) as string,
    })
  })

  it('goes on from what was kept when the events before are gone', async () => {
    await using home = stateRoot()
    const events = await story()
    const index = events.findIndex(({ type }) => type === 'service.backoff')
    const [told, kept] = [events.slice(0, index + 1), events.slice(index + 1)]
    const last = told.at(-1)
    record(home.paths, {}, kept, [
      { seq: last?.seq ?? 0, timeMs: Date.parse(last?.time ?? ''), past: pastOf(told) },
      { seq: (last?.seq ?? 0) + 1, timeMs: beginMs + 20_000, past: 'damaged' },
    ])
    expect((await shown(home.root, '--at', at(40_000))).lines.at(-1)).toBe('2 services: 1 running, 1 backoff')
    await expect(run(home.root, command, 'status', ['--at', at(5_000)])).rejects.toMatchObject({
      code: 'SYSG_PAST_UNKNOWN',
      message: expect.stringMatching(/^How things were at .* is not known: events tell it since .*:\d\d\.$/) as string,
    })
  })

  it.each([
    [['--at', '2100-01-01'], 'SYSG_USAGE', /is still to come/],
    [['--at', 'yesterday'], 'SYSG_USAGE', /`--at` takes a duration .* not `yesterday`/],
    [['--at', '2026-02-31T25:00'], 'SYSG_USAGE', /`--at` takes/],
    [['--at', '10m', '--all'], 'SYSG_USAGE', /neither/],
    [['--at', '10m', '--stream', '1s'], 'SYSG_USAGE', /neither/],
    [['--at', '3d'], 'SYSG_PAST_UNKNOWN', /events tell it since/],
    [['--at', '59m', 'apo'], 'SYSG_SERVICE_UNKNOWN', /apo/],
  ])('refuses %j', async (words, code, message) => {
    await using home = stateRoot()
    record(home.paths, {}, await story())
    const refused = run(home.root, command, 'status', words)
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string })
  })

  it('of a project that never ran is an error, and so is one of which nothing can be told', async () => {
    await using home = stateRoot()
    const never = run(home.root, command, 'status', ['--at', '1m'])
    await expect(never).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    record(home.paths, {}, (await story()).slice(3))
    await expect(run(home.root, command, 'status', ['--at', '1m'])).rejects.toMatchObject({
      code: 'SYSG_PAST_UNKNOWN',
      message: expect.stringContaining('no events are kept') as string,
    })
  })
})
