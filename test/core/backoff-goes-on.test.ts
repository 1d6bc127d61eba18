/** A supervisor is killed while a service waits for its next try. */
import { exitsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { remembers } from '../simulation/plugins.ts'

const api = { command: 'x', restart_policy: 'always', backoff: '10s', max_restarts: 4 } as const

/** It has crashed so often, and waits for its next try, the longer the more often it has; then the supervisor is killed. */
const crashed = async (times: number, afterMs = 1_000): Promise<Simulation> => {
  const sim = await simulate([remembers(), restart], { api }, { programs: { api: exitsAfter(10, 1) } })
  await sim.until(() => sim.service('api').starts === times && sim.service('api').state === 'backoff')
  await sim.clock.advance(afterMs)
  sim.crash()
  return sim
}

const retryAt = (sim: Simulation): string | null => sim.service('api').view.retry_at

describe('the next supervisor', () => {
  it('waits for what is left, and goes on counting', async () => {
    await using sim = await crashed(3)
    const [starts, due] = [sim.service('api').starts, retryAt(sim)]
    await sim.clock.advance(2_000)
    await sim.boot({ api })
    void sim.system.resume()
    await sim.clock.advance(0)
    expect(sim.service('api').view).toMatchObject({ state: 'backoff', retry_at: due, restarts: 2 })
    expect(sim.service('api').reason).toContain('exit code 1')
    await sim.until(() => sim.service('api').starts > starts)
    expect(new Date(sim.host.clock.now()).toISOString()).toBe(due)
    expect(sim.service('api').view.restarts).toBe(3)
    await sim.until(() => sim.service('api').state === 'failed')
    expect(sim.service('api').starts).toBe(5)
  })

  it('starts at once what has been due meanwhile, and waits no longer than it was to when the clock was set back', async () => {
    for (const jumpMs of [3_600_000, -3_600_000]) {
      await using sim = await crashed(1)
      sim.world.jump(jumpMs)
      await sim.boot({ api })
      void sim.system.resume()
      await sim.until(() => sim.service('api').starts === 2)
      expect(sim.world.elapsedMs()).toBeLessThan(12_000)
    }
  })

  it('starts it anew when a person asks for that, or its config has changed', async () => {
    for (const after of [api, { ...api, command: 'y' }]) {
      await using sim = await crashed(3)
      const { starts } = sim.service('api')
      await sim.boot({ api: after })
      void sim.system.start({ appliesChanges: true })
      await sim.until(() => sim.service('api').starts > starts)
      expect(sim.world.elapsedMs()).toBeLessThan(60_000)
      await sim.until(() => sim.service('api').state === 'failed')
      expect(sim.service('api').starts).toBe(starts + 5)
    }
  })

  it('leaves it alone when a person has stopped it, and knows nothing of it after an orderly end', async () => {
    await using sim = await crashed(1)
    await sim.boot({ api })
    await sim.finish(sim.system.stop(['api']))
    sim.crash()
    await sim.boot({ api })
    await sim.finish(sim.system.resume())
    expect(sim.service('api').state).toBe('stopped')
    await sim.finish(sim.system.shutdown())
    await sim.boot({ api })
    expect(sim.events.filter(({ type }) => type === 'replica.restored')).toHaveLength(1)
  })
})
