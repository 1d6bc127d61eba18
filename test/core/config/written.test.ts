import { composeSchema, duration, size } from '@systemg/core'
import { firstPartyPlugins } from '../../../cli/src/first-party.ts'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { writtenValues } from '../../../core/src/config/written.ts'

describe('a value that is a number by now', () => {
  it('is shown as people write it, by what its schema says', async () => {
    const { service } = await composeSchema(firstPartyPlugins())
    const config = {
      ...{ stop_timeout: 90_000, startup_grace: 250, replicas: 3, backoff: { initial: 1_000, max: 60_000, factor: 2 } },
      hooks: { on_stop: { error: { command: 'x', timeout: 30_000 } } },
      spawn: { mode: 'dynamic', limits: { children: 100, total_memory: 512 * 1024 ** 2 } },
      cron: { expression: '* * * * *', timeout: 3_600_000 },
      logs: { sink: 'file', max_bytes: 10 * 1024 ** 2, max_files: 5 },
      health_check: { url: 'http://x/', interval: 2_000, attempt_timeout: 1_500, retries: 3, expect_status: 200 },
      unknown: { timeout: 5 },
    }
    expect(writtenValues(config, (key) => service.get(key)?.schema)).toEqual({
      ...{ stop_timeout: '1m30s', startup_grace: '250ms', 'backoff.initial': '1s', 'backoff.max': '1m' },
      ...{ 'hooks.on_stop.error.timeout': '30s', 'spawn.limits.total_memory': '512M', 'cron.timeout': '1h' },
      ...{ 'logs.max_bytes': '10M', 'health_check.interval': '2s', 'health_check.attempt_timeout': '1s500ms' },
    })
  })

  it('is found in lists, and behind descriptions, defaults and checks', () => {
    const schema = z
      .array(
        z.strictObject({ after: duration.refine((ms) => ms > 0).optional(), room: size.prefault('1K').describe('x') }),
      )
      .default([])
    const config = { steps: [{ after: 1_000, room: 1_024 }, { room: 2_048 }] }
    expect(writtenValues(config, () => schema)).toEqual({
      ...{ 'steps.0.after': '1s', 'steps.0.room': '1K', 'steps.1.room': '2K' },
    })
  })
})
