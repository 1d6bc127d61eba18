/** Rolling and blue-green deploys: good ones, and one for each step that can fail. */
import { definePlugin, SysgError } from '@systemg/core'
import { exitsAfter } from '@systemg/core/simulated'
import type { Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { blueGreen, fails, hangs, serving, siteOf, siteSimulation, steps, takes, type Site } from './deploys.ts'

const deployed = (sim: Simulation) => sim.finish(sim.system.restart({ names: ['api'] }))

/** Exactly one instance, where the proxy leads. */
const expectOne = (sim: Simulation, site: Site) => {
  const { pid, slot } = serving(sim)
  expect(sim.service('api').pids).toEqual([pid])
  expect(sim.service('api').state).toBe('running')
  expect(site.proxy).toBe(slot)
}

describe('a good deploy', () => {
  it('goes through its steps, and alternates the slots', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site)
    expect(serving(sim).slot).toBe('8000')
    expect(site.ran).toEqual(['build'])
    for (const slot of ['8001', '8000', '8001']) {
      expect(await deployed(sim)).toMatchObject({ ok: true })
      expect(serving(sim).slot).toBe(slot)
      expectOne(sim, site)
    }
    expect(site.ran.slice(1, 4)).toEqual(['build', 'switch 8001', 'verify 8001'])
    expect(steps(sim).slice(0, 7)).toEqual([
      ...['pre_start', 'candidate', 'ready', 'switch_command', 'switch_verify', 'grace_period', 'retire'],
    ])
  })

  it('ends what `pre_start` left in the background, before a start and in a deploy', async () => {
    const site = siteOf()
    site.does.set('build', (self) => {
      self.fork(() => undefined)
      self.exit(0)
    })
    await using sim = await siteSimulation(site)
    expectOne(sim, site)
    await deployed(sim)
    expectOne(sim, site)
  })

  it('gives every instance and command its slots', async () => {
    const site = siteOf()
    const env: Record<string, string>[] = []
    site.does.set('switch', (self) => {
      env.push({ ...self.env })
      self.exit(0)
    })
    await using sim = await siteSimulation(site, {
      api: { ...blueGreen, exec: ['server', '--port={slot}', '{service}', '{other}'], command: undefined as never },
    })
    await deployed(sim)
    const [one] = sim.world.processes.list('api')
    expect(one?.argv).toEqual(['server', '--port=8001', 'api', '{other}'])
    expect(one?.env).toMatchObject({ PORT: '8001', SYSG_SLOT: '8001', SYSG_ACTIVE_SLOT: '8000' })
    expect(env[0]).toMatchObject({ PORT: '8001', SYSG_SLOT: '8001', SYSG_ACTIVE_SLOT: '8000', SYSG_SERVICE: 'api' })
    expect(env[0]?.['SYSG_TOKEN']).toBe(undefined)
  })

  it('with three slots goes around', async () => {
    const site = siteOf()
    const deployment = { strategy: 'rolling' as const, blue_green: { slots: ['a', 'b', 'c'] } }
    await using sim = await siteSimulation(site, { api: { command: 'server', deployment } })
    const seen = [serving(sim).slot]
    for (let deploy = 0; deploy < 3; deploy += 1) {
      await deployed(sim)
      seen.push(serving(sim).slot)
    }
    expect(seen).toEqual(['a', 'b', 'c', 'a'])
  })

  it('keeps the slot over a stop, a crash, a new supervisor and a reboot of it all', async () => {
    const site = siteOf()
    const services = { api: { ...blueGreen, restart_policy: 'always' as const } }
    await using sim = await siteSimulation(site, services, { plugins: [restart] })
    await deployed(sim)
    await sim.service('api').exit({ code: 1 })
    await sim.until(() => sim.service('api').state === 'running')
    expect(serving(sim).slot).toBe('8001')
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(sim.service('api').starts).toBe(3)
    expect(serving(sim).slot).toBe('8001')
    await sim.finish(sim.system.stop(['api']))
    await sim.start(['api'])
    expect(serving(sim).slot).toBe('8001')
    expectOne(sim, site)
  })

  it('adopts the slot of an instance that had none, when its variable says one', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site, { api: { command: 'server' } })
    await sim.finish(sim.system.apply(await sim.configOf({ api: blueGreen })))
    expect(serving(sim).slot).toBe('8000')
    expectOne(sim, site)
  })
})

it('a candidate that cannot be launched fails the step that launches it', async () => {
  const site = siteOf()
  await using sim = await siteSimulation(site)
  const { pid } = serving(sim)
  sim.world.faults.spawn = ({ argv }) =>
    argv.join(' ').startsWith('server') ? { errno: 'ENOENT', message: 'server does not exist' } : undefined
  const outcome = await deployed(sim)
  expect(outcome.problems[0]?.message).toMatch(
    /^The deploy of `api` failed in step `candidate`: .*server does not exist/,
  )
  expect(serving(sim)).toEqual({ pid, slot: '8000' })
})

describe('a step that fails', () => {
  const cases: Readonly<
    Record<string, { readonly step: string; readonly reason: string; readonly set: (site: Site) => void }>
  > = {
    'pre_start fails': {
      step: 'pre_start',
      reason: 'exit code 2, `no disk`',
      set: ({ does }) => does.set('build', fails(2, 'compiling\nno disk\n')),
    },
    'pre_start hangs': {
      step: 'pre_start',
      reason: 'it took longer than 5m',
      set: ({ does }) => does.set('build', hangs()),
    },
    'the candidate dies at once': {
      step: 'ready',
      reason: 'exit code 3',
      set: ({ programs }) => programs.set('8001', exitsAfter(10, 3)),
    },
    'switch_command fails for the new slot': {
      step: 'switch_command',
      reason: 'exit code 1, `no such upstream`',
      set: ({ does }) => does.set('switch 8001', fails(1, 'no such upstream')),
    },
    'switch_command hangs': {
      step: 'switch_command',
      reason: 'it took longer than 30s',
      set: ({ does }) => does.set('switch 8001', hangs()),
    },
    'switch_verify fails': {
      step: 'switch_verify',
      reason: 'exit code 22, `502 Bad Gateway`',
      set: ({ does }) => does.set('verify', fails(22, '502 Bad Gateway\n')),
    },
    'the candidate dies while users are led to it': {
      step: 'switch_command',
      reason: 'exit code 3',
      set: ({ does, programs }) => {
        programs.set('8001', exitsAfter(300, 3))
        does.set('switch 8001', takes(2_000))
      },
    },
    'the new instance crashes after two seconds of grace': {
      step: 'grace_period',
      reason: 'exit code 7',
      set: ({ programs }) => programs.set('8001', exitsAfter(2_250, 7)),
    },
  }

  for (const [title, { step, reason, set }] of Object.entries(cases)) {
    it(`${title}: the old instance serves on, users reach it, and a good deploy works afterwards`, async () => {
      const site = siteOf()
      await using sim = await siteSimulation(site)
      const { pid } = serving(sim)
      set(site)
      const outcome = await deployed(sim)
      expect(outcome.problems).toMatchObject([
        {
          code: 'SYSG_DEPLOY_FAILED',
          message: `The deploy of \`api\` failed in step \`${step}\`: ${reason}.`,
          hint: `api-1 (pid ${pid}) goes on serving. \`sysg logs api\` shows what was written.`,
        },
      ])
      expect(serving(sim)).toEqual({ pid, slot: '8000' })
      expectOne(sim, site)
      expect(sim.events.findLast(({ type }) => type.startsWith('deploy.'))).toMatchObject({
        type: 'deploy.rolled_back',
        data: { step, reason },
      })
      site.does.clear()
      site.programs.clear()
      expect((await deployed(sim)).ok).toBe(true)
      expect(serving(sim).slot).toBe('8001')
      expectOne(sim, site)
    })
  }

  it('keeps the candidate for the grace period after users were led back: a proxy may still send some there', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site)
    site.does.set('verify', fails(1))
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.until(() => site.ran.at(-1) === 'switch 8000')
    await sim.clock.advance(4_000)
    expect(sim.service('api').pids).toHaveLength(2)
    await sim.finish(deploy)
    expect(sim.service('api').pids).toHaveLength(1)
    expectOne(sim, site)
  })

  it('does not keep a new instance that has crashed, nor who waits for the deploy', async () => {
    const site = siteOf()
    const deployment = { ...blueGreen.deployment, grace_period: '10m' }
    await using sim = await siteSimulation(site, { api: { ...blueGreen, deployment } })
    site.programs.set('8001', exitsAfter(5_000, 7))
    const begunMs = sim.world.elapsedMs()
    expect((await deployed(sim)).problems[0]?.message).toContain('step `grace_period`: exit code 7')
    expect(sim.world.elapsedMs() - begunMs).toBeLessThan(6_000)
    expectOne(sim, site)
  })

  it('says what to do about the reason, when whoever gives the reason knows', async () => {
    const site = siteOf()
    const lost = definePlugin({
      name: 'lost',
      setup: ({ hooks }) =>
        hooks.prepare.tap('lost', (spec, { instance }) => {
          if (instance.start === 'deploy')
            throw SysgError.of('SYSG_LOST', { message: 'It is lost.', hint: 'Look for it.' })
          return spec
        }),
    })
    await using sim = await siteSimulation(site, undefined, { plugins: [lost] })
    const [problem] = (await deployed(sim)).problems
    expect(problem?.message).toBe('The deploy of `api` failed in step `candidate`: It is lost.')
    expect(problem?.hint).toBe(
      `api-1 (pid ${serving(sim).pid}) goes on serving. Look for it. \`sysg logs api\` shows what was written.`,
    )
  })

  it('gives the last lines of what failed, and nothing of what ended before', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site)
    site.does.set('build', fails(2, 'compiling\nno disk\n'))
    expect((await deployed(sim)).problems[0]?.last_lines).toEqual(['compiling', 'no disk'])
    site.does.clear()
    site.programs.set('8001', (self) => {
      self.write('cannot read settings\n', 'stderr')
      self.after(5, () => self.exit(1))
    })
    expect((await deployed(sim)).problems[0]?.last_lines).toEqual(['cannot read settings'])
    site.programs.clear()
    site.does.set('verify', hangs())
    expect((await deployed(sim)).problems[0]?.last_lines).toEqual(['working'])
  })

  it('and a way back that fails, too: both are named, and the switch is tried again', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site)
    site.does.set('verify', fails(1))
    site.does.set('switch 8000', fails(9, 'proxy is down\n'))
    const [problem] = (await deployed(sim)).problems
    expect(problem?.message).toBe(
      'The deploy of `api` failed in step `switch_verify`: exit code 1. Taking it back failed, too: exit code 9, `proxy is down`.',
    )
    expect(sim.events.find(({ type }) => type === 'deploy.undo_failed')?.data).toEqual({
      replica: 0,
      reason: 'exit code 9, `proxy is down`',
    })
    expect(serving(sim).slot).toBe('8000')
    expect(site.proxy).toBe('8001')
    site.does.clear()
    sim.crash()
    await sim.boot()
    await sim.start()
    await sim.until(() => sim.eventTypes('api').includes('deploy.switch_repeated'))
    expectOne(sim, site)
  })

  it('and a way back that hangs is given up, and what it runs is ended', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site)
    site.does.set('verify', fails(1))
    site.does.set('switch 8000', hangs())
    const [problem] = (await deployed(sim)).problems
    expect(problem?.message).toContain('Taking it back failed, too: it took longer than 30s')
    expect(sim.service('api').pids).toEqual([serving(sim).pid])
  })

  it('never healthy: the candidate is removed and the old one untouched', async () => {
    const site = siteOf()
    const healthy = new Set(['api-1'])
    await using sim = await siteSimulation(site, undefined, { healthy })
    const { pid } = serving(sim)
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.service('api').pids.length === 2)
    await sim.clock.advance(3_600_000)
    const candidate = sim.service('api').view.instances.find(({ role }) => role === 'candidate')
    sim.world.processes.exit(candidate?.pid ?? 0, 1)
    expect((await sim.finish(deploy)).problems[0]?.message).toContain('step `ready`')
    expect(serving(sim)).toEqual({ pid, slot: '8000' })
    expectOne(sim, site)
  })

  it('at the third of four replicas leaves all serving', async () => {
    const site = siteOf()
    const healthy = new Set(['api-1', 'api-2', 'api-3', 'api-4', 'api-5', 'api-6'])
    const deployment = { strategy: 'rolling' as const, pre_start: 'build' }
    await using sim = await siteSimulation(site, { api: { command: 'server', replicas: 4, deployment } }, { healthy })
    expect(site.ran).toEqual(['build'])
    const deploy = sim.system.restart({ names: ['api'] })
    await sim.until(() => sim.service('api').view.instances.some(({ id }) => id === 'api-7'))
    const candidate = sim.service('api').view.instances.find(({ id }) => id === 'api-7')
    sim.world.processes.exit(candidate?.pid ?? 0, 1)
    expect((await sim.finish(deploy)).ok).toBe(false)
    const left = sim.service('api').view.instances.map(({ id }) => id)
    expect(left.sort()).toEqual(['api-3', 'api-4', 'api-5', 'api-6'])
    expect(site.ran).toEqual(['build', 'build'])
  })
})

describe('a candidate whose port is taken', () => {
  it('is told who has it', async () => {
    const site = siteOf()
    site.programs.set('8000', (self) => void self.bind('tcp://127.0.0.1:8000'))
    await using sim = await siteSimulation(site)
    const stranger = serving(sim).pid
    site.programs.set('8001', (self) => {
      self.write('Error: listen EADDRINUSE: address already in use :::8000\n', 'stderr')
      self.after(1, () => self.exit(1))
    })
    const [problem] = (await deployed(sim)).problems
    expect(problem?.message).toContain(
      `exit code 1, \`port 8000 is held by pid ${stranger} (api-1, server); both at once need \`deployment.blue_green.slots\` or \`sockets\`\``,
    )
    expect(problem?.last_lines[0]).toContain('EADDRINUSE')
  })
})

describe('pre_start', () => {
  const plain = { command: 'server', deployment: { pre_start: 'build' } }

  it('runs before the start and before a deploy, also with `immediate`, and not before a restart after a crash', async () => {
    const site = siteOf()
    const services = { api: { ...plain, restart_policy: 'always' as const } }
    await using sim = await siteSimulation(site, services, { plugins: [restart] })
    expect(site.ran).toHaveLength(1)
    expect(sim.eventTypes('api')).toContain('service.pre_start')
    await sim.service('api').exit({ code: 1 })
    await sim.until(() => sim.service('api').state === 'running')
    expect(site.ran).toHaveLength(1)
    await deployed(sim)
    expect(site.ran).toHaveLength(2)
    await sim.finish(sim.system.stop(['api']))
    await sim.start(['api'])
    expect(site.ran).toHaveLength(3)
    sim.crash()
    await sim.boot()
    await sim.start()
    expect(site.ran).toHaveLength(3)
  })

  it('that fails before the first start fails the start, by name, and is tried again by the policy', async () => {
    const site = siteOf()
    site.does.set('build', fails(2, 'no disk\n'))
    const services = { api: { ...plain, restart_policy: 'on-failure' as const } }
    await using sim = await siteSimulation(site, services, { plugins: [restart] })
    expect(sim.service('api').reason).toBe('`pre_start` failed: exit code 2, `no disk`')
    expect(sim.service('api').starts).toBe(0)
    site.does.clear()
    await sim.until(() => sim.service('api').state === 'running')
    expect(site.ran.length).toBeGreaterThan(1)
  })

  it('runs once for all replicas, and not when more are added', async () => {
    const site = siteOf()
    await using sim = await siteSimulation(site, { api: { ...plain, replicas: 3 } })
    expect(sim.service('api').pids).toHaveLength(3)
    await sim.finish(sim.system.scale({ api: 5 }))
    expect(sim.service('api').pids).toHaveLength(5)
    expect(site.ran).toEqual(['build'])
  })

  it('is gone with all its tree when a stop returns, before a first start', async () => {
    const site = siteOf()
    site.does.set('build', hangs())
    await using sim = await siteSimulation(site, { api: plain }, { idle: true })
    const start = sim.system.start()
    await sim.until(() => sim.service('api').pids.length === 2)
    await sim.finish(sim.system.stop(['api']))
    expect(sim.service('api').pids).toEqual([])
    await sim.finish(start)
    expect(sim.service('api').state).toBe('stopped')
  })

  it('writes to the logs of its service as it is, and both runs are apart', async () => {
    const site = siteOf()
    site.does.set('build', (self) => {
      const text = new TextEncoder().encode('grüße')
      self.write(text.slice(0, 3))
      self.after(10, () => {
        self.write(text.slice(3))
        self.write(new Uint8Array([10, 0xff, 0xfe, 10]))
        self.write('no newline', 'stderr')
        self.exit(0)
      })
    })
    await using sim = await siteSimulation(site, { api: plain })
    await deployed(sim)
    const records = (await sim.finish(
      Promise.resolve(sim.system.registries.methods.call('logs.read', { services: ['api'] })),
    )) as readonly Record<string, string>[]
    const linesOf = (of: string) =>
      records.filter(({ stream }) => stream === of).map(({ instance, line, base64 }) => `${instance} ${line ?? base64}`)
    expect(linesOf('stdout')).toEqual(Array(2).fill(['pre_start grüße', 'pre_start //4=']).flat())
    expect(linesOf('stderr')).toEqual(Array(2).fill('pre_start no newline'))
  })
})
