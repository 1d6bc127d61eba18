/** Schedules against the clock: nights that are an hour longer or shorter, clocks that are set, supervisors that die. */
import { cron, restart, store } from '@systemg/plugins'
import { exitsAfter } from '@systemg/core/simulated'
import { simulate } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { dueTimes, runsOf } from './cron-runs.ts'

const plugins = [store, restart, cron]
const hour = 3_600_000

describe('a night in which the clock is changed', () => {
  it.each([
    ['America/New_York', 'spring', '2026-03-07T12:00:00Z', '30 2 * * *', ['03-08T07:00:00Z', '03-09T06:30:00Z']],
    [
      'America/New_York',
      'spring',
      '2026-03-08T06:00:00Z',
      '*/30 * * * *',
      ['03-08T06:30:00Z', '03-08T07:00:00Z', '03-08T07:30:00Z'],
    ],
    ['America/New_York', 'autumn', '2026-10-31T12:00:00Z', '30 1 * * *', ['11-01T05:30:00Z', '11-02T06:30:00Z']],
    [
      'America/New_York',
      'autumn',
      '2026-11-01T04:30:00Z',
      '0 * * * *',
      ['11-01T05:00:00Z', '11-01T06:00:00Z', '11-01T07:00:00Z'],
    ],
    ['Europe/Berlin', 'spring', '2026-03-28T12:00:00Z', '30 2 * * *', ['03-29T01:00:00Z', '03-30T00:30:00Z']],
    [
      'Europe/Berlin',
      'spring',
      '2026-03-29T00:00:00Z',
      '*/30 * * * *',
      ['03-29T00:30:00Z', '03-29T01:00:00Z', '03-29T01:30:00Z'],
    ],
    ['Europe/Berlin', 'autumn', '2026-10-24T12:00:00Z', '30 2 * * *', ['10-25T00:30:00Z', '10-26T01:30:00Z']],
    [
      'Europe/Berlin',
      'autumn',
      '2026-10-24T23:30:00Z',
      '0 * * * *',
      ['10-25T00:00:00Z', '10-25T01:00:00Z', '10-25T02:00:00Z'],
    ],
  ])('in %s in %s: from %s on, `%s` runs once each time', async (timezone, _, from, expression, due) => {
    const services = { job: { command: 'x', cron: { expression, timezone } } }
    const options = { startMs: Date.parse(from), programs: { job: exitsAfter(1_000) } }
    await using sim = await simulate(plugins, services, options)
    const last = Date.parse(`2026-${due.at(-1) ?? ''}`)
    await sim.clock.advance(last - Date.parse(from) + 2_000)
    expect(dueTimes(sim)).toEqual(due.map((time) => `2026-${time}`))
  })
})

describe('a clock that is set', () => {
  const daily = { command: 'x', cron: { expression: '0 3 * * *', timezone: 'UTC' } }
  const minutely = { command: 'x', cron: { expression: '* * * * *' } }
  const options = {
    startMs: Date.parse('2026-01-01T02:00:30Z'),
    programs: { daily: exitsAfter(1_000), job: exitsAfter(1_000) },
  }

  it('forward past a due time: that run is found within five seconds, once', async () => {
    await using sim = await simulate(plugins, { daily, job: minutely }, options)
    await sim.clock.advance(10_000)
    sim.world.jump(3 * hour)
    await sim.clock.advance(5_000)
    expect(dueTimes(sim, 'daily')).toEqual(['2026-01-01T03:00:00Z'])
    expect(dueTimes(sim)).toEqual(['2026-01-01T05:00:00Z'])
    await sim.finish(sim.system.stop(['job']))
    await sim.clock.advance(24 * hour)
    expect(dueTimes(sim, 'daily')).toEqual(['2026-01-01T03:00:00Z', '2026-01-02T03:00:00Z'])
  })

  it('back past a due time: what has run does not run again, and what runs each minute goes on', async () => {
    await using sim = await simulate(plugins, { daily, job: minutely }, options)
    await sim.clock.advance(hour)
    expect(dueTimes(sim, 'daily')).toEqual(['2026-01-01T03:00:00Z'])
    const before = dueTimes(sim).length
    sim.world.jump(-0.5 * hour)
    await sim.clock.advance(hour)
    expect(dueTimes(sim, 'daily')).toEqual(['2026-01-01T03:00:00Z'])
    expect(dueTimes(sim).length - before).toBe(60)
    await sim.finish(sim.system.stop(['job']))
    await sim.clock.advance(24 * hour)
    expect(dueTimes(sim, 'daily')).toEqual(['2026-01-01T03:00:00Z', '2026-01-02T03:00:00Z'])
  })

  it('often, and by little: each minute has one run', async () => {
    await using sim = await simulate(plugins, { job: minutely }, options)
    let setMs = 0
    for (let minute = 0; minute < 60; minute += 1) {
      await sim.clock.advance(60_000)
      const ms = Math.round((sim.host.random() - 0.5) * 8_000)
      setMs += ms
      sim.world.jump(ms)
    }
    const times = dueTimes(sim)
    expect(new Set(times).size).toBe(times.length)
    expect(Math.abs(times.length - 60 - setMs / 60_000)).toBeLessThanOrEqual(1)
  })

  it('and a timeout is as long as it was', async () => {
    const job = { command: 'x', cron: { expression: '0 * * * *', timeout: '10m' } }
    await using sim = await simulate(plugins, { job }, { startMs: options.startMs })
    await sim.clock.advance(hour)
    sim.world.jump(-hour / 2)
    await sim.clock.advance(hour / 6 - 31_000)
    expect(sim.service('job').state).toBe('running')
    await sim.clock.advance(2_000)
    expect(sim.service('job').view.cron?.history).toMatchObject([{ status: 'timeout' }])
  })
})

describe('a supervisor that is killed during a run', () => {
  const job = { command: 'x', cron: { expression: '*/10 * * * * *' } }

  it('has its successor take the run over, and remember how it ended', async () => {
    await using sim = await simulate(plugins, { job }, { programs: { job: exitsAfter(5_000, 3) } })
    await sim.clock.advance(11_000)
    const { pids } = sim.service('job')
    sim.crash()
    await sim.clock.advance(1_000)
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.service('job').pids).toEqual(pids)
    expect(sim.service('job').view.cron).toMatchObject({ running: true, history: [] })
    await sim.clock.advance(4_000)
    // It is nobody's child, so its end is seen within a second.
    expect(runsOf(sim)).toEqual(['10 failed 10-16'])
    expect(sim.service('job').state).toBe('scheduled')
    expect(sim.eventTypes('job').filter((type) => type.startsWith('cron.'))).toEqual(['cron.started', 'cron.finished'])
    await sim.clock.advance(11_000)
    expect(runsOf(sim)).toEqual(['10 failed 10-16', '20 failed 20-25'])
    const replaced = sim.service('job').view.cron?.history.map(({ supervisor_replaced: isReplaced }) => isReplaced)
    expect(replaced).toEqual([true, false])
  })

  it('knows how the run ended that nobody saw', async () => {
    await using sim = await simulate(plugins, { job }, { programs: { job: exitsAfter(2_000) } })
    await sim.clock.advance(11_000)
    sim.crash()
    await sim.clock.advance(30_000)
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.service('job').view.cron?.history).toMatchObject([
      { status: 'success', exit_code: 0, supervisor_replaced: true },
    ])
  })

  it('and the run with it: it is never called a success', async () => {
    await using sim = await simulate(plugins, { job }, { programs: { job: exitsAfter(2_000) } })
    await sim.clock.advance(11_000)
    sim.crash()
    for (const { pid } of sim.world.processes.list('job')) sim.world.processes.kill(pid, 'SIGKILL')
    await sim.clock.advance(30_000)
    await sim.boot()
    await sim.finish(sim.system.resume())
    expect(sim.service('job').view.cron?.history).toMatchObject([
      { status: 'interrupted', exit_code: null, supervisor_replaced: true },
    ])
    await sim.clock.advance(13_000)
    expect(runsOf(sim).slice(1)).toEqual(['50 success 50-52'])
  })

  it('at the very moment of a due time: that run is not lost', async () => {
    await using sim = await simulate(plugins, { job }, { programs: { job: exitsAfter(1_000) } })
    await sim.clock.advance(9_900)
    sim.crash()
    await sim.clock.advance(500)
    await sim.boot()
    await sim.finish(sim.system.resume())
    await sim.clock.advance(2_000)
    expect(runsOf(sim)).toEqual(['10 success 10.4-11.4'])
  })

  it('keeps what waits for its turn', async () => {
    const queued = { ...job, cron: { expression: '* * * * * *', overlap: 'queue' as const } }
    await using sim = await simulate(plugins, { job: queued }, { programs: { job: exitsAfter(2_500) } })
    await sim.clock.advance(3_200)
    sim.crash()
    await sim.boot()
    await sim.finish(sim.system.resume())
    await sim.clock.advance(6_100)
    expect(runsOf(sim)).toEqual(['1 success 1-4.2', '2 success 4.2-6.7', '3 success 6.7-9.2'])
  })

  it('keeps the time limit of the run', async () => {
    const limited = { ...job, cron: { expression: '*/10 * * * * *', timeout: '4s' } }
    await using sim = await simulate(plugins, { job: limited })
    await sim.clock.advance(11_000)
    sim.crash()
    await sim.clock.advance(1_000)
    await sim.boot()
    await sim.finish(sim.system.resume())
    await sim.clock.advance(2_100)
    expect(sim.service('job').pids).toEqual([])
    await sim.clock.advance(1_000)
    expect(runsOf(sim)).toEqual(['10 timeout 10-15'])
  })

  it('and whatever moment it is killed at, no due time has two runs and none is lost', async () => {
    for (let killedMs = 9_000; killedMs < 14_000; killedMs += 93) {
      await using sim = await simulate(plugins, { job }, { programs: { job: exitsAfter(1_500) } })
      await sim.clock.advance(killedMs)
      sim.crash()
      await sim.clock.advance(700)
      await sim.boot()
      await sim.finish(sim.system.resume())
      await sim.clock.advance(22_000 - killedMs)
      const due = (sim.service('job').view.cron?.history ?? []).map(({ scheduled }) => scheduled)
      expect(due, `killed at ${killedMs}`).toEqual(['2026-01-01T00:00:10.000Z', '2026-01-01T00:00:20.000Z'])
      expect(sim.service('job').starts).toBe(due.length)
    }
  })
})

describe('a supervisor that was away', () => {
  const night = { expression: '0 3 * * *', timezone: 'UTC' }
  const options = {
    startMs: Date.parse('2026-01-01T02:00:00Z'),
    programs: { job: exitsAfter(1_000), other: exitsAfter(1_000) },
  }

  it.each([
    ['stopped', true],
    ['killed', false],
  ])('and had been %s: a missed run is caught up once, where that is wanted', async (_, isOrdered) => {
    const services = {
      job: { command: 'x', cron: { ...night, catch_up: true } },
      other: { command: 'x', cron: night },
    }
    await using sim = await simulate(plugins, services, options)
    if (isOrdered) await sim.finish(sim.system.shutdown())
    sim.crash()
    await sim.clock.advance(48.5 * hour)
    await sim.boot()
    await sim.start()
    await sim.clock.advance(2_000)
    expect(runsOf(sim)).toEqual(['90000 success 174600-174601 catch_up'])
    expect(sim.service('other').view.cron?.history).toEqual([])
    await sim.clock.advance(24 * hour)
    expect(sim.service('job').starts).toBe(2)
    expect(sim.service('other').starts).toBe(1)
  })

  it('catches nothing up when nothing was missed, when it was stopped by a person, or under another schedule', async () => {
    const job = { command: 'x', cron: { ...night, catch_up: true } }
    await using sim = await simulate(plugins, { job }, options)
    await sim.finish(sim.system.shutdown())
    sim.crash()
    await sim.clock.advance(hour / 2)
    await sim.boot()
    await sim.start()
    await sim.finish(sim.system.stop(['job']))
    sim.crash()
    await sim.clock.advance(hour)
    await sim.boot()
    await sim.start()
    expect(sim.service('job').starts).toBe(0)
    await sim.finish(sim.system.start({ names: ['job'] }))
    expect(runsOf(sim).map((run) => run.split(' ').at(-1))).toEqual(['manual'])
    sim.crash()
    await sim.clock.advance(24 * hour)
    await sim.boot({ job: { command: 'x', cron: { ...night, expression: '0 4 * * *', catch_up: true } } })
    await sim.start()
    await sim.clock.advance(5_000)
    expect(sim.service('job').starts).toBe(1)
  })
})
