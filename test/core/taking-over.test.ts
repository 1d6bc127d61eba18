/** A new supervisor that finds another config than that with which it finds things running. */
import { definePlugin, type ServiceConfig } from '@systemg/core'
import { exitsAfter } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { remembers, rolling } from '../simulation/plugins.ts'

const x = { command: 'x' }
const y = { command: 'y' }

/** Some of it may be changed without a restart. */
const note = definePlugin({ name: 'note', service: { note: z.string().optional() }, live: ['note'] })

const takenOver = async (
  before: Readonly<Record<string, ServiceConfig>>,
  after: Readonly<Record<string, ServiceConfig>>,
): Promise<Simulation> => {
  const sim = await simulate([remembers(), rolling, note], before)
  sim.crash()
  await sim.boot(after)
  return sim
}

describe('a start that a person asks for', () => {
  it('applies what has changed meanwhile, and nothing else', async () => {
    await using sim = await takenOver({ api: x, db: x, gone: x }, { api: y, db: x, added: x })
    const [db] = sim.service('db').pids
    expect(await sim.finish(sim.system.start({ appliesChanges: true }))).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ api: 'running', db: 'running', added: 'running' })
    expect(sim.service('db').pids).toEqual([db])
    expect(['api', 'db', 'added'].map((name) => sim.service(name).starts)).toEqual([2, 1, 1])
    expect(sim.system.plan(sim.system.config).map(({ action }) => action)).toEqual(['keep', 'keep', 'keep'])
    expect(sim.events.filter(({ type }) => type === 'system.reloaded')).toMatchObject([
      { data: { changed: ['gone', 'api'] } },
    ])
  })

  it('starts once what has not run before, and counts none of its crashes twice', async () => {
    await using sim = await takenOver({ db: x }, { db: x, api: { ...x, depends_on: ['db'] } })
    sim.service('api').runs(exitsAfter(10, 1))
    expect((await sim.finish(sim.system.start({ appliesChanges: true }))).ok).toBe(false)
    expect(sim.service('api').starts).toBe(1)
  })

  it('tells of a deploy that fails, also to who waits for the start alone', async () => {
    await using sim = await takenOver({ api: x }, { api: y })
    sim.service('api').runs(exitsAfter(10, 3))
    const start = sim.system.start({ appliesChanges: true })
    const settled = sim.system.settled()
    const problems = [{ service: 'api', code: 'SYSG_DEPLOY_FAILED' }]
    expect(await sim.finish(start)).toMatchObject({ ok: false, problems })
    expect(await sim.finish(settled)).toMatchObject({ ok: false, problems })
  })

  it('replaces what was started with other defaults for all services, once', async () => {
    const shared = definePlugin({
      name: 'shared',
      service: { shade: z.string().optional() },
      system: { shade: z.string().default('light') },
    })
    const system: Record<string, unknown> = { shade: 'light' }
    await using sim = await simulate([remembers(), rolling, shared], { api: x }, { system })
    sim.crash()
    system['shade'] = 'dark'
    await sim.boot({ api: x })
    expect(await sim.finish(sim.system.start({ appliesChanges: true }))).toMatchObject({ ok: true })
    expect(sim.service('api').starts).toBe(2)
    expect(await sim.finish(sim.system.start({ appliesChanges: true }))).toMatchObject({ ok: true })
    expect(sim.service('api').starts).toBe(2)
  })

  it('starts what has another name only when nothing of the old one lives, and what needs a new version after that', async () => {
    await using sim = await takenOver({ old: x, db: x }, { other: x, db: y, api: { ...x, depends_on: ['db'] } })
    expect(await sim.finish(sim.system.start({ appliesChanges: true }))).toMatchObject({ ok: true })
    const order = sim.events
      .filter(({ type }) => type === 'instance.started' || type === 'service.exited')
      .map(({ type, instance }) => `${instance ?? ''} ${type === 'service.exited' ? 'ended' : 'started'}`)
    const at = (what: string) => order.indexOf(what)
    expect(at('old-1 ended')).toBeLessThan(at('other-1 started'))
    expect(at('db-2 started')).toBeLessThan(at('api-1 started'))
    expect(at('old-1 ended')).toBeGreaterThan(-1)
    expect(at('db-2 started')).toBeGreaterThan(-1)
  })

  it('has what needs no restart taken up by what runs', async () => {
    const noted = (text: string) => ({ api: { ...x, note: text } }) as Readonly<Record<string, ServiceConfig>>
    await using sim = await takenOver(noted('one'), noted('two'))
    await sim.finish(sim.system.start({ appliesChanges: true }))
    expect(sim.service('api').starts).toBe(1)
    await sim.service('api').exit({ code: 0 })
    await sim.start(['api'])
    expect(sim.system.plan(sim.system.config)).toEqual([{ service: 'api', action: 'keep', because: [] }])
  })
})

it('a supervisor that comes back by itself applies nothing', async () => {
  await using sim = await takenOver({ api: x }, { api: y })
  await sim.finish(sim.system.resume())
  expect(sim.service('api').starts).toBe(1)
  expect(sim.system.plan(sim.system.config)).toMatchObject([{ service: 'api', because: ['`command` changed'] }])
})
