/** A supervisor that is killed at any moment of a deploy: the next one finds one instance, and leads users to it. */
import type { InstanceRecord, ServiceConfig } from '@systemg/core'
import { exitsAfter } from '@systemg/core/simulated'
import type { Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { blueGreen, fails, serving, siteOf, siteSimulation, takes, type Behaviour, type Site } from './deploys.ts'

/** The proxy takes up what it was told a moment later, and says so a moment after that. */
const slowSwitch =
  (site: Site): Behaviour =>
  (self) => {
    const [, slot] = (self.argv[2] ?? '').split(' ')
    self.after(50, () => {
      site.proxy = slot
      self.after(50, () => self.exit(0))
    })
  }

const siteWith = (set: (site: Site) => void): Site => {
  const site = siteOf()
  site.does.set('build', takes(100))
  site.does.set('switch', slowSwitch(site))
  site.does.set('verify', takes(50))
  set(site)
  return site
}

const deploys: Readonly<Record<string, (site: Site) => void>> = {
  'that would go well': () => undefined,
  'whose switch_verify fails': ({ does }) => does.set('verify', fails(1)),
  'whose new instance crashes in the grace period': ({ programs }) => programs.set('8001', exitsAfter(1_500, 7)),
  'whose candidate dies at once': ({ programs }) => programs.set('8001', exitsAfter(20, 3)),
}

/** Kill the supervisor before its `at`-th call of the machine since the deploy began. False when it makes fewer. */
const killAt = (sim: Simulation, at: number): (() => boolean) => {
  let calls = 0
  let wasKilled = false
  sim.world.faults.beforeCall = () => {
    calls += 1
    if (calls !== at) return
    wasKilled = true
    sim.crash()
  }
  return () => wasKilled
}

const recordedAsActive = (sim: Simulation): number | undefined => {
  const records = sim.host.store
    .table('instances')
    .entries()
    .map(([, record]) => record as unknown as InstanceRecord)
  return records.find(({ role }) => role === 'active')?.tree?.pid
}

const playCutOff = async (set: (site: Site) => void, at: number): Promise<boolean> => {
  const site = siteWith(set)
  const services = { api: { ...blueGreen, restart_policy: 'always' as const } }
  await using sim = await siteSimulation(site, services, { plugins: [restart] })
  const { pid: old } = serving(sim)
  const wasKilled = killAt(sim, at)
  const deploy = sim.system.restart({ names: ['api'] })
  let isOver = false
  void deploy.then(() => (isOver = true))
  await sim.until(() => isOver || wasKilled())
  delete sim.world.faults.beforeCall
  if (!wasKilled()) return false
  const recorded = recordedAsActive(sim)
  const isAlive = sim.world.processes.list('api').some((one) => one.pid === recorded)
  // What was killed with it may still do something for a while.
  site.does.set('verify', takes(50))
  site.programs.clear()
  await sim.boot()
  // The one recorded as active is kept; when it is dead, its predecessor serves again.
  expect(serving(sim).pid, `${at} calls`).toBe(isAlive ? recorded : old)
  await sim.start()
  await sim.clock.advance(120_000)
  const { pid, slot } = serving(sim)
  expect(sim.service('api').pids, `${at} calls`).toEqual([pid])
  expect(sim.service('api').state).toBe('running')
  expect(site.proxy, `${at} calls`).toBe(slot)
  expect(sim.host.store.table('slots').get('api')).toEqual({ active: slot, switching: false })
  expect(sim.host.store.table('deploy-commands').entries()).toEqual([])
  return true
}

describe.each(Object.entries(deploys))('a deploy %s', (_, set) => {
  it('leaves one instance, where users are led, whenever the supervisor is killed', async () => {
    let at = 1
    while (await playCutOff(set, at)) at += 1
    expect(at).toBeGreaterThan(25)
  })
})

it('tells that a deploy was cut off: before the candidate, with it, and not after the switch', async () => {
  const toldAfter = async (step: string): Promise<readonly unknown[]> => {
    const site = siteWith(() => undefined)
    await using sim = await siteSimulation(site)
    void sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.events.some(({ type, data }) => type === 'deploy.step' && data['step'] === step))
    await sim.clock.advance(20)
    sim.crash()
    await sim.boot()
    await sim.start()
    return sim.events.filter(({ type }) => type === 'deploy.rolled_back').map(({ data }) => data['reason'])
  }
  expect(await toldAfter('pre_start')).toEqual(['the supervisor ended before the new instance was started'])
  expect(await toldAfter('ready')).toEqual(['the supervisor ended before the switch'])
  expect(await toldAfter('switch_command')).toEqual(['the supervisor ended before the switch'])
  expect(await toldAfter('grace_period')).toEqual([])
})

/** Programs that need a moment to end. Remembers the slots of those that were asked to while users were led to them. */
const slotsEndedTooEarly = (site: Site): readonly string[] => {
  const slots: string[] = []
  for (const slot of ['8000', '8001']) {
    site.programs.set(slot, (self) =>
      self.onSignal('SIGTERM', () => {
        if (site.proxy === slot) slots.push(slot)
        self.after(300, () => self.exit(0))
      }),
    )
  }
  return slots
}

describe('a supervisor that is killed after users were led to the candidate', () => {
  const afterSwitch = async (services: Readonly<Record<string, ServiceConfig>>) => {
    const site = siteWith(({ does }) => does.set('verify', takes(1_000)))
    const endedTooEarly = slotsEndedTooEarly(site)
    const sim = await siteSimulation(site, services, { plugins: [restart] })
    // Of `api-9` and `api-10`, the text that comes first is that of the candidate.
    for (let deploys = 0; deploys < 8; deploys += 1) await sim.finish(sim.system.restart({ names: ['api'] }))
    void sim.system.restart({ names: ['api'] })
    await sim.until(() => site.ran.at(-1) === 'verify 8001')
    sim.crash()
    return { site, sim, endedTooEarly }
  }

  it('leads them back before the candidate ends, and gives the proxy the grace period', async () => {
    const { site, sim: running, endedTooEarly } = await afterSwitch({ api: blueGreen })
    await using sim = running
    await sim.boot()
    void sim.system.start()
    await sim.until(() => site.proxy === '8000')
    await sim.clock.advance(4_000)
    expect(sim.service('api').pids).toHaveLength(2)
    await sim.until(() => sim.service('api').pids.length === 1)
    expect(serving(sim).slot).toBe('8000')
    expect(endedTooEarly).toEqual([])
  })

  it('a stop does not wait for that', async () => {
    const { site, sim: running } = await afterSwitch({ api: blueGreen })
    await using sim = running
    await sim.boot()
    void sim.system.start()
    await sim.until(() => site.proxy === '8000')
    const begunMs = sim.world.elapsedMs()
    // The grace period is five seconds.
    await sim.finish(sim.system.stop(['api']))
    expect(sim.service('api').pids).toEqual([])
    expect(sim.world.elapsedMs() - begunMs).toBeLessThan(3_000)
  })

  it('the next deploy begins when its slot is free', async () => {
    const { site, sim: running, endedTooEarly } = await afterSwitch({ api: blueGreen })
    await using sim = running
    const occupied: number[] = []
    site.programs.set('8001', () => occupied.push(sim.service('api').pids.length))
    await sim.boot()
    void sim.system.start()
    expect(await sim.finish(sim.system.restart({ names: ['api'] }))).toMatchObject({ ok: true })
    expect(occupied).toEqual([2])
    expect(serving(sim).slot).toBe('8001')
    expect(site.proxy).toBe('8001')
    expect(endedTooEarly).toEqual([])
  })

  it('the candidate does not stay when the one that serves crashes', async () => {
    const { site, sim: running } = await afterSwitch({ api: { ...blueGreen, restart_policy: 'always' } })
    await using sim = running
    await sim.boot()
    void sim.system.start()
    await sim.until(() => site.proxy === '8000')
    await sim.clock.advance(500)
    expect(sim.service('api').pids).toHaveLength(2)
    sim.world.processes.exit(serving(sim).pid, 7)
    await sim.clock.advance(2_000)
    expect(sim.service('api').pids).toEqual([serving(sim).pid])
  })
})
