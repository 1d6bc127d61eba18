/** Every row of SPEC §2's table of races that mentions a deploy, with the commands and slots of the `deploy` plugin. */
import { exitsAfter } from '@systemg/core/simulated'
import type { Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { blueGreen, fails, hangs, serving, siteOf, siteSimulation, takes, type Site } from './deploys.ts'

const deploy = (sim: Simulation) => sim.system.restart({ names: ['api'] })

/** A deploy that has come to this step, and a moment further. */
const untilStep = async (sim: Simulation, step: string) => {
  await sim.until(() => sim.events.some(({ type, data }) => type === 'deploy.step' && data['step'] === step))
  await sim.clock.advance(50)
}

const commandsOf = (sim: Simulation) => sim.world.processes.list('api').filter(({ role }) => role !== 'spawn')

/** Every command takes long enough to be met while it runs. */
const slowSite = (): Site => {
  const site = siteOf()
  for (const word of ['build', 'verify']) site.does.set(word, hangs())
  site.does.set('switch', (self) => {
    ;[, site.proxy] = (self.argv[2] ?? '').split(' ')
    self.after(1_000, () => self.exit(0))
  })
  return site
}

describe('a stop', () => {
  it.each(['pre_start', 'ready', 'switch_command', 'switch_verify', 'grace_period'])(
    'during `%s` kills what runs, takes the switch back and stops the rest before it returns',
    async (step) => {
      const site = slowSite()
      site.does.delete('build')
      const healthy = new Set(step === 'ready' ? ['api-1'] : ['api'])
      await using sim = await siteSimulation(site, undefined, { healthy })
      if (step === 'pre_start') site.does.set('build', hangs())
      if (step === 'grace_period') site.does.delete('verify')
      const deploying = deploy(sim)
      await untilStep(sim, step)
      const ended: number[] = []
      const { pid: old } = sim.service('api').view.instances.find(({ id }) => id === 'api-1') ?? {}
      sim.world.processes.watch(({ process, exit }) => {
        if (exit !== undefined) ended.push(process.pid)
      })
      const stopped = await sim.finish(sim.system.stop(['api']))
      expect(stopped.ok).toBe(true)
      expect(sim.service('api').pids).toEqual([])
      expect(ended.at(-1)).toBe(old)
      expect((await sim.finish(deploying)).problems[0]).toMatchObject({
        code: 'SYSG_DEPLOY_SUPERSEDED',
        message: expect.stringContaining('superseded by stop') as string,
      })
      expect(site.proxy).toBe('8000')
      site.does.clear()
      healthy.add('api')
      expect((await sim.start(['api'])).ok).toBe(true)
      expect(sim.host.store.table('slots').get('api')).toEqual({ active: '8000', switching: false })
    },
  )

  it.each(['start', 'deploy'] as const)('waits for a `pre_start` that takes its time to die, of a %s', async (what) => {
    const site = siteOf()
    await using sim = await siteSimulation(site, undefined, { idle: what === 'start' })
    site.does.set('build', (self) => {
      self.uninterruptible(true)
      self.after(4_000, () => self.uninterruptible(false))
    })
    const working = what === 'start' ? sim.system.start() : deploy(sim)
    await sim.until(() => commandsOf(sim).length === 1)
    await sim.finish(sim.system.stop(['api']))
    expect(sim.service('api').pids).toEqual([])
    expect(sim.service('api').state).toBe('stopped')
    await sim.finish(working)
  })

  it('of the whole system, and at once, leaves nothing', async () => {
    const site = slowSite()
    site.does.delete('build')
    await using sim = await siteSimulation(site)
    void deploy(sim)
    await untilStep(sim, 'switch_command')
    const shutdown = sim.system.shutdown()
    await sim.clock.advance(100)
    void sim.system.shutdown({ now: true })
    await sim.finish(shutdown)
    expect(sim.world.processes.list()).toEqual([])
    expect(sim.world.elapsedMs()).toBeLessThan(5_000)
  })
})

describe('a second restart', () => {
  it('with the same config joins: one build, one candidate', async () => {
    const site = siteOf()
    site.does.set('build', takes(1_000))
    await using sim = await siteSimulation(site)
    const first = deploy(sim)
    await untilStep(sim, 'pre_start')
    const second = deploy(sim)
    expect((await sim.finish(first)).ok).toBe(true)
    expect((await sim.finish(second)).ok).toBe(true)
    expect(site.ran.filter((text) => text === 'build')).toHaveLength(2)
    expect(sim.service('api').starts).toBe(2)
  })

  it.each(['pre_start', 'ready', 'switch_verify', 'grace_period'])(
    'with another config during `%s` takes everything back, tells the first, and goes its own way',
    async (step) => {
      const site = siteOf()
      const healthy = new Set(step === 'ready' ? ['api-1', 'api-3'] : ['api'])
      await using sim = await siteSimulation(site, undefined, { healthy })
      const old = serving(sim)
      site.does.set('build', step === 'pre_start' ? hangs() : takes(10))
      if (step === 'switch_verify') site.does.set('verify', hangs())
      const first = deploy(sim)
      await untilStep(sim, step)
      site.does.clear()
      const seen: (string | null)[] = []
      const second = sim.system.apply(await sim.configOf({ api: { ...blueGreen, command: 'newer' } }))
      sim.world.processes.watch(() => seen.push(serving(sim).slot))
      expect((await sim.finish(first)).problems[0]?.code).toBe('SYSG_DEPLOY_SUPERSEDED')
      expect(serving(sim)).toEqual(old)
      expect(await sim.finish(second)).toMatchObject({ ok: true })
      expect(serving(sim).slot).toBe('8001')
      expect(site.proxy).toBe('8001')
      expect(sim.service('api').pids).toHaveLength(1)
      const [one] = sim.world.processes.list('api')
      expect(one?.argv).toEqual(['newer'])
    },
  )
})

describe('the old instance crashes', () => {
  it('during pre_start: the deploy goes on', async () => {
    const site = siteOf()
    site.does.set('build', takes(1_000))
    await using sim = await siteSimulation(site, { api: blueGreen, web: { command: 'x', depends_on: ['api'] } })
    const deploying = deploy(sim)
    await untilStep(sim, 'pre_start')
    await sim.service('api').exit({ code: 1 })
    await sim.clock.advance(100)
    expect(sim.service('web').pids).toEqual([])
    expect((await sim.finish(deploying)).ok).toBe(true)
    await sim.until(() => sim.service('web').state === 'running')
    const { slot } = serving(sim)
    expect(site.proxy).toBe(slot)
    expect(sim.host.store.table('slots').get('api')).toEqual({ active: slot, switching: false })
  })

  it('while the candidate becomes ready: the deploy goes on', async () => {
    const site = siteOf()
    const healthy = new Set(['api-1'])
    await using sim = await siteSimulation(site, undefined, { healthy })
    const deploying = deploy(sim)
    await untilStep(sim, 'ready')
    await sim.service('api').exit({ code: 1 })
    await sim.clock.advance(100)
    healthy.add('api-2')
    expect((await sim.finish(deploying)).ok).toBe(true)
    expect(serving(sim).slot).toBe('8001')
    expect(site.proxy).toBe('8001')
  })

  it('and then the candidate, after users were led to it: the old config comes back where users are led again', async () => {
    const site = siteOf()
    const services = { api: { ...blueGreen, restart_policy: 'always' as const } }
    await using sim = await siteSimulation(site, services, { plugins: [restart] })
    site.does.set('verify', hangs())
    site.programs.set('8001', exitsAfter(3_000, 2))
    const deploying = deploy(sim)
    await untilStep(sim, 'switch_verify')
    await sim.service('api').exit({ code: 1 })
    expect((await sim.finish(deploying)).problems[0]).toMatchObject({
      code: 'SYSG_DEPLOY_FAILED',
      hint: expect.stringContaining('Nothing of it serves now') as string,
    })
    await sim.until(() => sim.service('api').state === 'running')
    expect(serving(sim).slot).toBe('8000')
    expect(site.proxy).toBe('8000')
    expect(commandsOf(sim)).toEqual([])
  })
})

it.each(['pre_start', 'ready', 'switch_verify'])(
  'a dependency crashes during `%s`: the deploy fails, its commands and candidate go, then the cascade',
  async (step) => {
    const site = siteOf()
    site.does.set('build', takes(10))
    const healthy = new Set(step === 'ready' ? ['db', 'api-1'] : ['db', 'api'])
    const services = { db: { command: 'x' }, api: { ...blueGreen, depends_on: ['db'] } }
    await using sim = await siteSimulation(site, services, { healthy })
    const { pid: old } = serving(sim)
    if (step === 'pre_start') site.does.set('build', hangs())
    if (step === 'switch_verify') site.does.set('verify', hangs())
    const deploying = deploy(sim)
    await untilStep(sim, step)
    const ended: number[] = []
    sim.world.processes.watch(({ process, exit }) => {
      if (exit !== undefined) ended.push(process.pid)
    })
    await sim.service('db').exit({ code: 1 })
    expect((await sim.finish(deploying)).problems[0]).toMatchObject({
      code: 'SYSG_DEPLOY_FAILED',
      message: expect.stringContaining('`dependency`') as string,
    })
    await sim.until(() => sim.service('api').pids.length === 0)
    expect(ended.at(-1)).toBe(old)
    expect(sim.states).toEqual({ db: 'failed', api: 'blocked' })
    expect(site.proxy).toBe('8000')
  },
)

describe('the grace period', () => {
  it('the new one crashes: dependents notice nothing, and the policy restarts nothing', async () => {
    const site = siteOf()
    const services = {
      api: { ...blueGreen, restart_policy: 'always' as const },
      web: { command: 'x', depends_on: ['api'] },
    }
    await using sim = await siteSimulation(site, services, { plugins: [restart] })
    const { pid: old } = serving(sim)
    const { pid: web } = serving(sim, 'web')
    const deploying = deploy(sim)
    await untilStep(sim, 'grace_period')
    await sim.service('api').exit({ code: 7 })
    expect((await sim.finish(deploying)).problems[0]?.message).toContain('`grace_period`: exit code 7')
    expect(serving(sim)).toEqual({ pid: old, slot: '8000' })
    expect(serving(sim, 'web').pid).toBe(web)
    expect(sim.service('api').view.restarts).toBe(0)
    expect(site.proxy).toBe('8000')
  })

  it('the new one becomes unhealthy: the old one serves again', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site)
    const deploying = deploy(sim)
    await untilStep(sim, 'grace_period')
    sim.system.reportHealth('api-2', { healthy: false, reason: 'status 503' })
    expect((await sim.finish(deploying)).problems[0]?.message).toContain('`grace_period`: unhealthy: status 503')
    expect(serving(sim).slot).toBe('8000')
    expect(site.proxy).toBe('8000')
  })
})

it('a full disk fails the switch before anything has been switched', async () => {
  const site = siteOf()
  await using sim = await siteSimulation(site)
  const deploying = deploy(sim)
  await untilStep(sim, 'ready')
  const { HostError } = await import('@systemg/core')
  sim.world.faults.store = new HostError('ENOSPC', 'no space left on device')
  expect((await sim.finish(deploying)).problems[0]?.message).toContain('no space left on device')
  delete sim.world.faults.store
  expect(serving(sim).slot).toBe('8000')
  expect(site.ran.filter((text) => text.startsWith('switch'))).toEqual([])
})

it('commands that cannot be run at all say so', async () => {
  const site = siteOf()
  await using sim = await siteSimulation(site)
  site.does.set('build', fails(1))
  sim.world.failSpawns('EAGAIN')
  expect((await sim.finish(deploy(sim))).problems[0]?.message).toContain(
    'failed in step `pre_start`: it could not be run: spawn /bin/sh EAGAIN (EAGAIN)',
  )
})
