import { cron, deploy, health, restart, sockets, store, watch } from '@systemg/plugins'
import { orderPlugins, parseYaml, resolveConfig } from '@systemg/core'
import { exitsAfter, ignoresSigterm } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { runsOf } from '../simulation/cron-runs.ts'

const plugins = [store, restart, cron]
const everySecond = { expression: '* * * * * *' }
const everyHour = { command: 'x', cron: '0 * * * *' }
const takesLong = { programs: { job: exitsAfter(2_500) } }

const cronEvents = ({ events }: Simulation) => events.filter(({ type }) => type.startsWith('cron.'))

describe('a service with `cron`', () => {
  it('does not start at boot, and runs whenever it is due', async () => {
    const services = { job: { command: 'x', cron: '*/10 * * * * *' } }
    await using sim = await simulate(plugins, services, { programs: { job: exitsAfter(2_000) } })
    expect(sim.service('job').state).toBe('scheduled')
    expect(sim.service('job').reason).toBe('*/10 * * * * *')
    expect(sim.service('job').view.cron).toEqual({ next_run: '2026-01-01T00:00:10.000Z', running: false, history: [] })
    await sim.clock.advance(11_000)
    expect(sim.service('job').state).toBe('running')
    expect(sim.service('job').view.cron).toMatchObject({ running: true, next_run: '2026-01-01T00:00:20.000Z' })
    await sim.clock.advance(24_000)
    expect(sim.service('job').state).toBe('scheduled')
    expect(runsOf(sim)).toEqual(['10 success 10-12', '20 success 20-22', '30 success 30-32'])
  })

  it('keeps its last ten runs, with how each ended and why', async () => {
    const services = { job: { command: 'x', cron: '* * * * *', success_exit_codes: [0, 4] } }
    await using sim = await simulate(plugins, services, { programs: { job: exitsAfter(1_000, 3) } })
    await sim.clock.advance(12 * 60_000)
    expect(runsOf(sim)).toHaveLength(10)
    sim.service('job').runs(exitsAfter(1_000, 4))
    await sim.clock.advance(60_000 + 2_000)
    expect(sim.service('job').view.cron?.history.slice(-2)).toEqual([
      {
        ...{ scheduled: '2026-01-01T00:12:00.000Z', started: '2026-01-01T00:12:00.000Z' },
        ...{ finished: '2026-01-01T00:12:01.000Z', status: 'failed', exit_code: 3 },
        ...{ trigger: 'schedule', reason: 'exit code 3', supervisor_replaced: false },
      },
      {
        ...{ scheduled: '2026-01-01T00:13:00.000Z', started: '2026-01-01T00:13:00.000Z' },
        ...{ finished: '2026-01-01T00:13:01.000Z', status: 'success', exit_code: 4 },
        ...{ trigger: 'schedule', reason: null, supervisor_replaced: false },
      },
    ])
  })

  it('tells its runs as events, each with what led to it', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: everySecond } }, takesLong)
    await sim.clock.advance(3_600)
    const of = (type: string) => sim.events.filter((event) => event.type === type)
    const typeOf = (seq: number | undefined) => sim.events.find((event) => event.seq === seq)?.type
    expect(of('cron.started').map(({ data, instance }) => [data, instance])).toEqual([
      [{ trigger: 'schedule', scheduled: '2026-01-01T00:00:01.000Z' }, 'job-1'],
    ])
    expect(of('cron.started').map(({ cause }) => typeOf(cause))).toEqual(['service.starting'])
    expect(of('cron.skipped').map(({ data, cause }) => [data['scheduled'], data['reason'], typeOf(cause)])).toEqual([
      ['2026-01-01T00:00:02.000Z', 'the run of 2026-01-01T00:00:01.000Z goes on', 'cron.started'],
      ['2026-01-01T00:00:03.000Z', 'the run of 2026-01-01T00:00:01.000Z goes on', 'cron.started'],
    ])
    const [finished] = of('cron.finished')
    expect(finished?.data).toMatchObject({ status: 'success', exit_code: 0, duration_ms: 2_500 })
    expect(typeOf(finished?.cause)).toBe('service.exited')
  })

  it('that cannot be started has failed, and is tried when it is due again', async () => {
    await using sim = await simulate(
      plugins,
      { job: { command: 'x', cron: everySecond } },
      { programs: { job: exitsAfter(100) } },
    )
    sim.world.failSpawns('ENOENT')
    await sim.clock.advance(2_500)
    expect(sim.service('job').view.cron?.history).toMatchObject([
      { status: 'failed', exit_code: null, started: null, reason: expect.stringContaining('ENOENT') as string },
      { status: 'success' },
    ])
  })
})

describe('a job each second that takes two and a half', () => {
  it('leaves out what is due meanwhile, says so as an error, and remembers it', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: everySecond } }, takesLong)
    await sim.clock.advance(9_900)
    expect(runsOf(sim)).toEqual([
      ...['2 skipped', '3 skipped', '1 success 1-3.5', '5 skipped', '6 skipped', '4 success 4-6.5'],
      ...['8 skipped', '9 skipped', '7 success 7-9.5'],
    ])
    expect(sim.service('job').starts).toBe(3)
    const errors = sim.world.traceLines.filter((line) => line.includes(' error '))
    expect(errors).toHaveLength(6)
    expect(errors[0]).toContain('`job` that was due at 2026-01-01T00:00:02.000Z is left out: the run of')
  })

  it('with `overlap: queue` has up to ten wait their turn', async () => {
    const services = { job: { command: 'x', cron: { ...everySecond, overlap: 'queue' as const } } }
    await using sim = await simulate(plugins, services, takesLong)
    await sim.clock.advance(11_500)
    expect(runsOf(sim)).toEqual(['1 success 1-3.5', '2 success 3.5-6', '3 success 6-8.5', '4 success 8.5-11'])
    await sim.clock.advance(8_000)
    const skipped = sim.events.filter(({ type }) => type === 'cron.skipped')
    expect(skipped[0]?.data['reason']).toMatch(/goes on, and 10 more wait for their turn$/)
    const started = sim.events.filter(({ type }) => type === 'cron.started').map(({ data }) => data['scheduled'])
    expect(new Set(started).size).toBe(started.length)
  })

  it('with `overlap: replace` ends what runs', async () => {
    const services = { job: { command: 'x', cron: { ...everySecond, overlap: 'replace' as const } } }
    await using sim = await simulate(plugins, services, takesLong)
    await sim.clock.advance(3_500)
    expect(runsOf(sim)).toEqual(['1 interrupted 1-2', '2 interrupted 2-3'])
    expect(sim.service('job').pids).toHaveLength(1)
    expect(sim.service('job').view.cron?.history[0]?.reason).toBe('the run of 2026-01-01T00:00:02.000Z took its place')
  })

  it('and does not want to be replaced holds up one run, not all that are due', async () => {
    const services = {
      job: { command: 'x', stop_timeout: '2500ms', cron: { ...everySecond, overlap: 'replace' as const } },
    }
    await using sim = await simulate(plugins, services, { programs: { job: ignoresSigterm() } })
    await sim.clock.advance(5_500)
    expect(runsOf(sim)).toEqual(['2 skipped', '3 skipped', '1 interrupted 1-4.5'])
    expect(sim.service('job').starts).toBe(2)
  })
})

describe('a time limit', () => {
  it('ends the whole tree of a run', async () => {
    const services = {
      job: { command: 'x', stop_timeout: '1s', cron: { expression: '*/10 * * * * *', timeout: '3s' } },
    }
    await using sim = await simulate(plugins, services, {
      programs: {
        job: (self) => void self.fork(ignoresSigterm(), { setsid: true }),
      },
    })
    await sim.clock.advance(12_900)
    expect(sim.service('job').pids).toHaveLength(2)
    await sim.clock.advance(1_200)
    expect(sim.service('job').pids).toEqual([])
    expect(runsOf(sim)).toEqual(['10 timeout 10-14'])
    expect(sim.service('job').view.cron?.history[0]?.reason).toBe('it took longer than its timeout of 3 s')
  })

  it('has ended a run that then says that all is well', async () => {
    const services = { job: { command: 'x', cron: { expression: '*/10 * * * * *', timeout: '3s' } } }
    await using sim = await simulate(plugins, services, {
      programs: { job: (self) => self.onSignal('SIGTERM', () => self.exit(0)) },
    })
    await sim.clock.advance(14_000)
    expect(sim.service('job').view.cron?.history).toMatchObject([{ status: 'timeout', exit_code: 0 }])
  })
})

describe('by hand', () => {
  it('a start runs it now and waits for its end', async () => {
    await using sim = await simulate(plugins, { job: everyHour }, takesLong)
    expect(await sim.start(['job'])).toEqual({ ok: true, problems: [], warnings: [] })
    expect(runsOf(sim)).toEqual(['- success 0-2.5 manual'])
    expect(sim.service('job').state).toBe('scheduled')
    sim.service('job').runs(exitsAfter(1_000, 3))
    expect(await sim.start(['job'])).toMatchObject({
      ok: false,
      problems: [{ service: 'job', code: 'SYSG_RUN_FAILED', message: 'The run of `job` failed: exit code 3.' }],
    })
  })

  it('a start joins the run that is under way', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: '*/10 * * * * *' } }, takesLong)
    await sim.clock.advance(11_000)
    expect((await sim.start(['job'])).ok).toBe(true)
    expect(runsOf(sim)).toEqual(['10 success 10-12.5'])
  })

  it('a start of everything does not wait for a run', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: '*/10 * * * * *' } })
    await sim.clock.advance(11_000)
    expect((await sim.start()).ok).toBe(true)
    expect(sim.world.elapsedMs()).toBe(11_000)
  })

  it('a stop ends the run and the schedule, and a start brings both back', async () => {
    const services = { job: { command: 'x', cron: { expression: '*/10 * * * * *', overlap: 'queue' as const } } }
    await using sim = await simulate(plugins, services)
    await sim.clock.advance(21_000)
    expect((await sim.finish(sim.system.stop(['job']))).ok).toBe(true)
    expect(sim.service('job').pids).toEqual([])
    expect(sim.service('job').view).toMatchObject({ state: 'stopped', reason: 'stopped by you' })
    expect(runsOf(sim)).toEqual(['20 skipped', '10 interrupted 10-21'])
    expect(sim.service('job').view.cron?.next_run).toBeNull()
    await sim.clock.advance(60_000)
    expect(sim.service('job').starts).toBe(1)
    sim.service('job').runs(exitsAfter(1_000))
    await sim.start(['job'])
    expect(sim.service('job').view.cron?.next_run).toBe('2026-01-01T00:01:30.000Z')
    await sim.clock.advance(10_000)
    expect(runsOf(sim).slice(2)).toEqual(['- success 81-82 manual', '90 success 90-91'])
  })

  it('a stop while it waits for a dependency leaves the run out', async () => {
    const services = { db: { command: 'x' }, job: { ...everyHour, depends_on: ['db'], cron: '*/10 * * * * *' } }
    await using sim = await simulate(plugins, services)
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(11_000)
    await sim.finish(sim.system.stop(['job']))
    expect(sim.service('job').view).toMatchObject({ state: 'stopped' })
    expect(runsOf(sim)).toEqual(['10 skipped'])
  })
})

describe('a run whose dependency is down', () => {
  const services = {
    db: { command: 'x', restart_policy: 'always' as const, backoff: '15s' },
    job: { command: 'x', depends_on: ['db'], cron: '*/10 * * * * *' },
  }

  it('waits for it, once', async () => {
    await using sim = await simulate(plugins, services, { programs: { job: exitsAfter(1_000) } })
    await sim.clock.advance(8_000)
    await sim.service('db').exit({ code: 1 })
    await sim.clock.advance(3_000)
    expect(sim.service('job').view).toMatchObject({ state: 'blocked', reason: 'db is in backoff: exit code 1' })
    await sim.clock.advance(14_000)
    expect(sim.service('job').view.cron?.history).toMatchObject([
      { status: 'skipped', reason: 'the run of 2026-01-01T00:00:10.000Z still waits for what it needs' },
      { status: 'success', scheduled: '2026-01-01T00:00:10.000Z', started: '2026-01-01T00:00:23.500Z' },
    ])
  })

  it('and that a person asked for is refused, with the reason', async () => {
    await using sim = await simulate(plugins, { ...services, db: { command: 'x' } })
    sim.service('db').runs(exitsAfter(10, 1))
    await sim.service('db').exit({ code: 1 })
    expect(await sim.start(['job'])).toMatchObject({
      ok: false,
      problems: [
        { code: 'SYSG_START_FAILED' },
        { code: 'SYSG_START_BLOCKED', message: /^`job` is blocked: db failed/ },
      ],
    })
    expect(sim.service('job').state).toBe('scheduled')
    expect(sim.service('job').view.cron?.history).toEqual([])
  })

  it('ends with it when it crashes', async () => {
    await using sim = await simulate(plugins, services)
    await sim.clock.advance(11_000)
    await sim.service('db').exit({ code: 1 })
    expect(sim.service('job').view.cron?.history).toMatchObject([{ status: 'interrupted', reason: 'db went down' }])
    await sim.clock.advance(8_000)
    expect(sim.service('job').starts).toBe(1)
  })
})

describe('another config', () => {
  it('moves the next run, and leaves the one that is under way alone', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: '*/10 * * * * *' } })
    await sim.clock.advance(11_000)
    const { pids } = sim.service('job')
    const next = await sim.configOf({ job: { command: 'y', cron: '30 * * * * *' } })
    const because = ['`command` changed, for its next run', '`cron` changed, taken up at once']
    expect(sim.system.plan(next)).toMatchObject([{ action: 'keep', because }])
    expect((await sim.finish(sim.system.apply(next, { all: true }))).ok).toBe(true)
    expect(sim.service('job').pids).toEqual(pids)
    expect(sim.service('job').view.cron?.next_run).toBe('2026-01-01T00:00:30.000Z')
    await sim.service('job').exit()
    expect(sim.service('job').reason).toBe('30 * * * * *')
    await sim.clock.advance(20_000)
    expect(sim.world.processes.list('job')).toMatchObject([{ argv: ['y'] }])
  })

  it('with another schedule says so, also between two runs', async () => {
    await using sim = await simulate(plugins, { job: everyHour })
    expect(sim.system.plan(await sim.configOf({ job: everyHour }))).toMatchObject([{ because: ['it is scheduled'] }])
    const next = await sim.configOf({ job: { ...everyHour, cron: '30 * * * *' } })
    const because = ['`cron` changed, taken up at once']
    expect(sim.system.plan(next)).toMatchObject([{ action: 'keep', because }])
  })

  it('makes a service scheduled that was up, and the other way round', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x' } })
    expect(sim.service('job').state).toBe('running')
    await sim.finish(sim.system.apply(await sim.configOf({ job: everyHour })))
    expect(sim.states).toEqual({ job: 'scheduled' })
    expect(sim.service('job').pids).toEqual([])
    expect(sim.service('job').starts).toBe(1)
    expect(sim.service('job').view.cron?.next_run).toBe('2026-01-01T01:00:00.000Z')
    await sim.finish(sim.system.apply(await sim.configOf({ job: { command: 'x' } })))
    expect(sim.states).toEqual({ job: 'running' })
    expect(sim.service('job').view).not.toHaveProperty('cron')
    await sim.clock.advance(2 * 3_600_000)
    expect(sim.service('job').starts).toBe(2)
  })

  it('without the service forgets its runs', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: everySecond }, web: { command: 'x' } })
    await sim.clock.advance(1_500)
    await sim.finish(sim.system.apply(await sim.configOf({ web: { command: 'x' } })))
    expect(sim.world.processes.list('job')).toEqual([])
    expect(sim.host.store.table('cron').entries()).toEqual([])
  })

  it('without the service ends a run that is under way, and says so', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: '*/10 * * * * *' }, web: { command: 'x' } })
    await sim.clock.advance(11_000)
    await sim.finish(sim.system.apply(await sim.configOf({ web: { command: 'x' } })))
    expect(cronEvents(sim)).toMatchObject([
      { type: 'cron.started', instance: 'job-1' },
      {
        ...{ type: 'cron.finished', instance: 'job-1' },
        data: { status: 'interrupted', trigger: 'schedule', reason: 'no longer in the config' },
      },
    ])
    expect(sim.host.store.table('cron').entries()).toEqual([])
  })

  it.each([true, false])(
    'without the service after a crash of the supervisor, run alive: %s, tells its end',
    async (isAlive) => {
      const programs = { job: exitsAfter(isAlive ? 1_000_000 : 5_000) }
      const job = { command: 'x', cron: '*/10 * * * * *' }
      await using sim = await simulate(plugins, { job, web: { command: 'x' } }, { programs })
      await sim.clock.advance(11_000)
      sim.crash()
      await sim.clock.advance(60_000)
      await sim.boot({ web: { command: 'x' } })
      await sim.finish(sim.system.start())
      await sim.until(() => sim.events.some(({ type }) => type === 'service.removed'))
      expect(cronEvents(sim)).toMatchObject([
        { type: 'cron.started', service: 'job', instance: 'job-1' },
        {
          ...{ type: 'cron.finished', service: 'job', instance: 'job-1' },
          data: { status: 'interrupted', trigger: 'schedule', supervisor_replaced: true },
        },
      ])
      expect(sim.world.processes.list('job')).toEqual([])
      expect(sim.host.store.table('cron').entries()).toEqual([])
    },
  )

  it('without its schedule tells how a run that goes on has ended, and nothing of what runs then', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', cron: '*/10 * * * * *' } })
    await sim.clock.advance(11_000)
    await sim.finish(sim.system.apply(await sim.configOf({ job: { command: 'x' } })))
    await sim.service('job').exit({ code: 0 })
    await sim.finish(sim.system.restart({ names: ['job'] }))
    expect(cronEvents(sim)).toMatchObject([
      { type: 'cron.started', instance: 'job-1' },
      { type: 'cron.finished', instance: 'job-1', data: { status: 'success', exit_code: 0 } },
    ])
    expect(sim.host.store.table('cron').entries()).toEqual([])
  })

  it('without the service leaves out what waits for its turn', async () => {
    const job = { command: 'x', cron: { expression: '*/10 * * * * *', overlap: 'queue' as const } }
    await using sim = await simulate(plugins, { job, web: { command: 'x' } })
    await sim.clock.advance(21_000)
    await sim.finish(sim.system.apply(await sim.configOf({ web: { command: 'x' } })))
    const runs = cronEvents(sim)
    expect(runs.map(({ type }) => type)).toEqual(['cron.started', 'cron.skipped', 'cron.finished'])
    expect(runs[1]).toMatchObject({ data: { reason: 'no longer in the config' } })
  })

  it('without the service, and then with it again while its run can’t be ended, goes on with the runs there were', async () => {
    const job = { command: 'x', cron: '*/10 * * * * *', stop_timeout: '1s' }
    const web = { command: 'x' }
    await using sim = await simulate(plugins, { job, web })
    await sim.clock.advance(11_000)
    const [pid = 0] = sim.service('job').pids
    sim.world.processes.setUninterruptible(pid, true)
    await sim.finish(sim.system.apply(await sim.configOf({ web })))
    void sim.system.apply(await sim.configOf({ job, web }))
    await sim.clock.advance(1_000)
    sim.world.processes.setUninterruptible(pid, false)
    await sim.until(() => sim.service('job').pids.length === 0)
    expect(runsOf(sim)).toMatchObject([expect.stringMatching(/^10 interrupted 10-/)])
    expect(sim.service('job').view.cron?.next_run).not.toBe(null)
  })

  it.each([
    [{ command: 'y', cron: '0 * * * *' }, ['`command` changed, for its next run']],
    [{ command: 'y', cron: '5 * * * *' }, ['`command` changed, for its next run', '`cron` changed, taken up at once']],
    [everyHour, ['it is scheduled']],
  ])('between two runs starts nothing: %j', async (job, because) => {
    await using sim = await simulate(plugins, { job: everyHour })
    const next = await sim.configOf({ job })
    for (const all of [false, true])
      expect(sim.system.plan(next, { all })).toEqual([{ service: 'job', action: 'keep', because }])
    await sim.finish(sim.system.apply(next, { all: true }))
    expect([sim.states, sim.service('job').starts]).toEqual([{ job: 'scheduled' }, 0])
    await sim.clock.advance(66 * 60_000)
    expect(sim.world.processes.list('job')).toMatchObject([{ argv: [job.command] }])
  })

  it('without its schedule starts it, and says so', async () => {
    await using sim = await simulate(plugins, { job: everyHour })
    const next = await sim.configOf({ job: { command: 'x' } })
    expect(sim.system.plan(next)).toEqual([{ service: 'job', action: 'start', because: ['`cron` changed'] }])
  })

  it('with `skip` keeps it from running', async () => {
    await using sim = await simulate(plugins, { job: { command: 'x', skip: true, cron: everySecond } })
    await sim.clock.advance(3_000)
    expect(sim.service('job').view).toMatchObject({ state: 'skipped', cron: { next_run: null, history: [] } })
    expect(sim.service('job').starts).toBe(0)
  })
})

describe('the end of the system', () => {
  it('interrupts a run, and what it remembers outlives it', async () => {
    await using sim = await simulate(plugins, {
      job: { command: 'x', cron: { expression: '*/10 * * * * *', overlap: 'queue' } },
    })
    await sim.clock.advance(21_000)
    await sim.finish(sim.system.shutdown())
    sim.crash()
    await sim.clock.advance(60_000)
    await sim.boot()
    expect(runsOf(sim)).toEqual(['20 skipped', '10 interrupted 10-21'])
    expect(sim.service('job').view.cron?.history[1]?.reason).toBe('the system stops')
  })
})

describe('the disk', () => {
  it('that takes nothing stops no run, and gets the history when it has room again', async () => {
    await using sim = await simulate(
      plugins,
      { job: { command: 'x', cron: everySecond } },
      { programs: { job: exitsAfter(100) } },
    )
    sim.world.faults.diskFreeBytes = 0
    await sim.clock.advance(3_500)
    expect(sim.service('job').starts).toBe(3)
    sim.world.faults.diskFreeBytes = Infinity
    await sim.clock.advance(1_000)
    sim.crash()
    await sim.boot()
    expect(runsOf(sim)).toHaveLength(4)
  })

  it('that damaged a record costs that record', async () => {
    await using sim = await simulate(
      plugins,
      { job: { command: 'x', cron: everySecond } },
      { programs: { job: exitsAfter(100) } },
    )
    await sim.clock.advance(1_500)
    sim.crash()
    sim.world.host().store.table('cron').set('job', { runs: 'none' })
    await sim.boot()
    await sim.start()
    expect(runsOf(sim)).toEqual([])
    await sim.clock.advance(1_500)
    expect(runsOf(sim)).toHaveLength(1)
  })
})

describe('a thousand schedules', () => {
  it('that are far away need one look in five seconds', async () => {
    const services = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`job${index}`, { command: 'x', cron: `${index % 60} 3 * * *` }]),
    )
    await using sim = await simulate(plugins, services)
    expect(sim.world.pendingTimers(sim.host)).toBe(1)
    let looks = 0
    const { clock } = sim.host
    const now = clock.now.bind(clock)
    Object.assign(clock, { now: () => ((looks += 1), now()) })
    await sim.clock.advance(60_000)
    expect(looks).toBeLessThanOrEqual(12 * 2)
  })
})

describe('a mistake', () => {
  it.each([
    ["{ cron: '0 25 * * *' }", 'cron', '`cron` has a mistake in the hour (`25`).', 'It goes from 0 to 23.'],
    ["{ cron: { expression: '0 0 31 2 *' } }", 'cron.expression', '`cron.expression` never comes', 'is `L`'],
    [
      "{ cron: { expression: '0 3 * * *', timezone: Europe/Berln } }",
      'cron.timezone',
      'is no time zone',
      '`Europe/Berlin`',
    ],
    ["{ cron: { expression: '0 3 * * *', overlap: skp } }", 'cron.overlap', 'must be', '`skip`'],
    ["{ cron: { expression: '0 3 * * *', overlp: queue } }", 'cron.overlp', 'overlp', '`overlap`'],
    ["{ cron: { expression: '0 3 * * *', timeout: 0 } }", 'cron.timeout', 'longer than nothing', 'leave it out'],
    ["{ cron: '@daily', replicas: 2 }", 'replicas', '`job` has `cron` and 2 replicas', '`replicas: 1`'],
    ["{ cron: '@daily', restart_policy: always }", 'restart_policy', '`restart_policy: always`', 'remove it'],
    ["{ cron: '@daily', health_check: { tcp: 'localhost:1' } }", 'health_check', 'a health check', 'exit code'],
    [
      "{ cron: '@daily', deployment: { strategy: rolling } }",
      'deployment.strategy',
      '`strategy: rolling`',
      'remove it',
    ],
    ["{ cron: '@daily', sockets: ['unix:///a'] }", 'sockets', '`cron` and `sockets`', 'service of its own'],
    ["{ cron: '@daily', watch: [src] }", 'watch', '`watch` and `cron`', 'remove `watch`'],
  ])('in %s is told with its place and what to do', async (job, path, message, hint) => {
    const problems = await problemsOf(`services:\n  job: { command: x, ${job.slice(2)}\n`)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ path: ['services', 'job', ...path.split('.')], line: 2, severity: 'error' })
    expect(problems[0]?.message).toContain(message)
    expect(problems[0]?.hint).toContain(hint)
  })

  it('is a service that depends on a scheduled one, whatever it waits for', async () => {
    const problems = await problemsOf(
      "services:\n  job: { command: x, cron: '@daily' }\n  web: { command: x, depends_on: { job: { condition: completed } } }\n",
    )
    expect(problems).toMatchObject([{ line: 3, message: /`web` depends on `job`, which runs by a schedule/ }])
  })

  it('is a system that ends with a scheduled service', async () => {
    const problems = await problemsOf("exit_when: job\nservices:\n  job: { command: x, cron: '@daily' }\n")
    expect(problems).toMatchObject([{ line: 1, message: /`exit_when` waits for the end of `job`/ }])
  })

  it('is scaling a scheduled service', async () => {
    await using sim = await simulate(plugins, { job: everyHour })
    await expect(sim.finish(sim.system.scale({ job: 2 }))).rejects.toThrow('`job` has `cron` and 2 replicas')
  })
})

const problemsOf = async (text: string) => {
  const uses = [store, restart, cron, health, sockets, deploy, watch].map((plugin) => ({ plugin }))
  const readText = () => Promise.resolve(undefined)
  const parsed = await parseYaml({ file: '/srv/systemg.yaml', text, readText })
  const { problems } = await resolveConfig({
    ...parsed,
    file: '/srv/systemg.yaml',
    folder: '/srv',
    plugins: orderPlugins(uses),
    env: {},
    readText,
    projectDefault: { id: 'test', name: 'test' },
  })
  return problems
}
