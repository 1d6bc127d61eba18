import { simulate } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextDelay } from '../../plugins/src/restart/backoff.ts'
import { backoff, maxRestarts } from '../../plugins/src/restart/options.ts'

const steady = { jitter: 0 }

describe('the wait before a restart', () => {
  it.each([
    { restarts: 0, delayMs: 1_000 },
    { restarts: 1, delayMs: 2_000 },
    { restarts: 5, delayMs: 32_000 },
    { restarts: 6, delayMs: 60_000 },
    { restarts: 100_000, delayMs: 60_000 },
  ])('is $delayMs ms after $restarts restarts', ({ restarts, delayMs }) => {
    expect(nextDelay(restarts, { initial: 1_000, max: 60_000, factor: 2, jitter: 0 }, 0.5)).toBe(delayMs)
  })

  it('can be none at all, however often it happened', () => {
    expect(nextDelay(100_000, { initial: 0, max: 0, factor: 2, jitter: 0.5 }, 0.5)).toBe(0)
  })

  it('never leaves its bounds, whatever chance says', () => {
    const waits = fc.record({
      initial: fc.integer({ min: 0, max: 3_600_000 }),
      extra: fc.integer({ min: 0, max: 3_600_000 }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(waits, fc.nat(10_000), chances, ({ initial, extra, ...shape }, restarts, chance) => {
        const delayMs = nextDelay(restarts, { ...shape, initial, max: initial + extra }, chance)
        expect(delayMs).toBeLessThanOrEqual(initial + extra)
        expect(delayMs).toBeGreaterThanOrEqual(Math.floor(initial * (1 - shape.jitter)))
      }),
    )
  })
})

describe('the keys', () => {
  it('take a bare duration as a wait that never grows', () => {
    expect(backoff.parse('5s')).toEqual({ initial: 5_000, max: 5_000, factor: 1, jitter: 0 })
  })

  it('let the ceiling follow a first wait that is longer than a minute', () => {
    expect(backoff.parse({ initial: '5m' })).toMatchObject({ initial: 300_000, max: 300_000 })
    expect(backoff.parse({})).toEqual({ initial: 1_000, max: 60_000, factor: 2, jitter: 0.1 })
  })

  it('refuse a ceiling below the first wait', () => {
    const problems = backoff.safeParse({ initial: '10s', max: '5s' }).error?.issues
    expect(problems).toMatchObject([{ path: ['max'], message: '`max` is shorter than `initial`' }])
  })

  it.each([-1, 1.5, 'many'])('refuse `max_restarts: %s`', (value) => {
    expect(maxRestarts.safeParse(value).success).toBe(false)
  })
})

describe('restart', () => {
  it('waits twice as long after each crash', async () => {
    await using sim = await simulate([restart], {
      api: { command: 'x', restart_policy: 'always', backoff: steady },
    })
    const api = sim.service('api')
    for (const [crash, waitMs] of [1_000, 2_000, 4_000].entries()) {
      await api.exit({ code: 1 })
      expect(api.state).toBe('backoff')
      await sim.clock.advance(waitMs - 1)
      expect(api.starts).toBe(crash + 1)
      await sim.clock.advance(1)
      expect(api.starts).toBe(crash + 2)
    }
  })

  it.each([
    { policy: 'never', how: { code: 1 }, state: 'failed' },
    { policy: 'never', how: { code: 0 }, state: 'completed' },
    { policy: 'on-failure', how: { code: 0 }, state: 'completed' },
    { policy: 'on-failure', how: { code: 1 }, state: 'backoff' },
    { policy: 'on-failure', how: { signal: 'SIGKILL' }, state: 'backoff' },
    { policy: 'always', how: { code: 0 }, state: 'backoff' },
  ] as const)('with `$policy` leaves a service that ended with $how as $state', async ({ policy, how, state }) => {
    await using sim = await simulate([restart], { api: { command: 'x', restart_policy: policy } })
    await sim.service('api').exit(how)
    expect(sim.service('api').state).toBe(state)
  })

  it('counts a code of `success_exit_codes` as success', async () => {
    await using sim = await simulate([restart], {
      api: { command: 'x', restart_policy: 'on-failure', success_exit_codes: [0, 3] },
    })
    await sim.service('api').exit({ code: 3 })
    expect(sim.service('api').state).toBe('completed')
  })

  it('gives up after `max_restarts` in a row, and says so', async () => {
    await using sim = await simulate([restart], {
      api: { command: 'x', restart_policy: 'always', max_restarts: 2, backoff: '1s' },
    })
    const api = sim.service('api')
    for (let crash = 0; crash < 3; crash++) {
      await api.exit({ code: 7 })
      await sim.clock.advance(1_000)
    }
    expect(api.starts).toBe(3)
    expect(api.state).toBe('failed')
    expect(api.reason).toContain('2 restarts in a row (`max_restarts`)')
    expect(api.reason).toContain('exit code 7')
  })

  it('starts counting anew when a person starts a service that was given up', async () => {
    await using sim = await simulate([restart], {
      api: { command: 'x', restart_policy: 'always', max_restarts: 1, backoff: '1s' },
    })
    const api = sim.service('api')
    const crashTwice = async () => {
      await api.exit({ code: 1 })
      await sim.clock.advance(1_000)
      await api.exit({ code: 1 })
    }
    await crashTwice()
    expect(api.state).toBe('failed')
    await sim.start(['api'])
    await crashTwice()
    expect(api.starts).toBe(4)
  })

  it('forgets earlier crashes after a run that was ready for `reset_after`', async () => {
    await using sim = await simulate([restart], {
      api: { command: 'x', restart_policy: 'always', max_restarts: 1, backoff: '1s', reset_after: '10s' },
    })
    const api = sim.service('api')
    for (let crash = 0; crash < 5; crash++) {
      await sim.clock.advance(11_000)
      await api.exit({ code: 1 })
      expect(api.state).toBe('backoff')
      await sim.clock.advance(1_000)
    }
    await api.exit({ code: 1 })
    expect(api.state).toBe('failed')
  })

  it('refuses a config in which somebody waits for a service to complete that is always restarted', async () => {
    const broken = simulate([restart], {
      job: { command: 'x', restart_policy: 'always' },
      api: { command: 'y', depends_on: { job: { condition: 'completed' } } },
    })
    await expect(broken).rejects.toMatchObject({ code: 'SYSG_RESTART_NEVER_COMPLETES' })
  })
})
