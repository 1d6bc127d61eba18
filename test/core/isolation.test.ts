/**
 * A plugin that fails in every hook in turn: it throws, rejects, hangs, or answers nonsense. Only the operation that it was
 * part of fails, with an error that names plugin, hook and service; no other service notices.
 */
import { definePlugin, hookPolicies, type Hooks } from '@systemg/core'
import { Simulation } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'

type HookName = keyof Hooks
type Way = 'throws' | 'rejects' | 'hangs' | 'answers nonsense'

const minute = 60_000
const isAsync = (hook: HookName): boolean =>
  [
    'boot',
    'reload',
    'settled',
    'shutdown',
    'plan',
    'environment',
    'prepare',
    'beforeStart',
    'launch',
    'exited',
    'beforeReplace',
    'beforeStop',
    'beforeView',
    'inspect',
  ].includes(hook)

const nonsense = [42, 'yes', null, {}, [], [undefined], { delayMs: Number.NaN }, { name: 1 }, () => undefined]

/** The service that a hook is about; hooks of the whole system have none. */
const serviceOf = (args: readonly unknown[]): string | undefined => {
  for (const arg of args as readonly {
    name?: string
    service?: string | { name: string }
    instance?: object | null
  }[]) {
    if (typeof arg.service === 'string') return arg.service
    if (arg.service !== undefined) return arg.service.name
    if (typeof arg.instance === 'object' && arg.instance !== null) return serviceOf([arg.instance])
    if ('last_lines' in arg) return arg.name
  }
  return undefined
}

/** Fails in one hook, wherever that is about `victim` or about no service. */
const failing = (hook: HookName, way: Way, answer?: unknown) => {
  let calls = 0
  const act = (...args: readonly unknown[]): unknown => {
    if ((serviceOf(args) ?? 'victim') !== 'victim') return undefined
    calls += 1
    if (way === 'throws') throw new Error('sabotage')
    if (way === 'rejects') return Promise.reject(new Error('sabotage'))
    if (way === 'hangs') return new Promise(() => undefined)
    return answer
  }
  const plugin = definePlugin({
    name: 'evil',
    before: ['restart'],
    setup: ({ hooks }) => {
      const target = hooks[hook] as unknown as Record<'tap' | 'tapPromise', (name: string, act: unknown) => void>
      if (way === 'rejects' || way === 'hangs') target.tapPromise('evil', act)
      else target.tap('evil', act)
    },
  })
  return { plugin, calls: () => calls }
}

/** Everything in the life of two services. Gives the problems that commands told of. */
const live = async (sim: Simulation): Promise<readonly string[]> => {
  const told: string[] = []
  const tell = async (work: Promise<{ problems: readonly { service: string; message: string }[] }>) => {
    const { problems } = await sim.finish(work)
    told.push(...problems.map(({ service, message }) => `${service}: ${message}`))
  }
  await sim.finish(sim.system.boot())
  await tell(sim.system.start())
  const other = sim.service('other').pids
  expect(sim.service('other').state).toBe('running')
  const isUp = () => sim.service('victim').view.instances.some(({ pid }) => pid !== null)
  if (isUp()) await sim.service('victim').exit({ code: 1 })
  await sim.clock.advance(5 * minute)
  await sim.finish(sim.system.look())
  await sim.finish(sim.system.inspect('victim'))
  await tell(sim.system.restart({ names: ['victim'] }))
  const config = await sim.configOf({ victim: { command: 'y' }, other: { command: 'x' } })
  await tell(sim.system.apply(config))
  await tell(sim.system.stop(['victim']))
  expect([sim.service('other').state, sim.service('other').pids]).toEqual(['running', other])
  return told
}

const services = { victim: { command: 'x', restart_policy: 'on-failure' }, other: { command: 'x' } } as const

const run = async (evil: ReturnType<typeof failing>) => {
  await using sim = await Simulation.create([restart, evil.plugin], services)
  const told = await live(sim)
  await sim.finish(sim.system.shutdown())
  const reported = sim.events
    .filter(({ type }) => type === 'plugin.error')
    .map(({ service, data }) => ({ service, ...data }))
  return { told, reported, trace: sim.world.traceLines.join('\n') }
}

const names = Object.keys(hookPolicies) as readonly HookName[]
/** `boot` is about the whole system: without it there is none. */
const rows = names
  .filter((hook) => hook !== 'boot' && hook !== 'adopted' && hook !== 'probed')
  .flatMap((hook) => {
    const ways: readonly Way[] = isAsync(hook) ? ['throws', 'rejects', 'hangs'] : ['throws']
    return ways.map((way) => ({ hook, way }))
  })

describe('a plugin that fails', () => {
  it.each(rows)('in `$hook`, where it $way, harms the operation alone', async ({ hook, way }) => {
    const evil = failing(hook, way)
    const { told, reported, trace } = await run(evil)
    expect(evil.calls()).toBeGreaterThan(0)
    const why =
      way === 'hangs' ? /did not answer `\w+`( of `victim`)? within \d+ ms/ : /failed in `\w+`( of `victim`)?: sabotage/
    if (hookPolicies[hook].onError === 'fail') {
      expect(told.join('\n')).toMatch(why)
      expect(told.join('\n')).toContain(`\`evil\``)
      expect(told.join('\n')).toContain(`\`${hook}\` of \`victim\``)
    } else if (hook === 'event') expect(trace).toMatch(why)
    else
      expect(reported).toContainEqual(
        expect.objectContaining({ plugin: 'evil', hook, message: expect.stringMatching(why) as string }),
      )
    expect(told.filter((line) => line.startsWith('other:'))).toEqual([])
  })
})

const answering = rows.filter(({ hook, way }) => way === 'throws' && 'answer' in hookPolicies[hook])

describe('a plugin that answers nonsense', () => {
  it.each(answering)('in `$hook` is told what the hook takes', async ({ hook }) => {
    for (const answer of nonsense) {
      const evil = failing(hook, 'answers nonsense', answer)
      const { told, reported } = await run(evil)
      expect(evil.calls()).toBeGreaterThan(0)
      const said = [...told, ...reported.map((data) => ('message' in data ? String(data.message) : ''))].join('\n')
      // What fits by chance (no lines, no gates) is an answer like any other.
      const isFitting = (hookPolicies[hook] as { answer: { fits: (answer: unknown) => boolean } }).answer.fits(answer)
      if (!isFitting)
        expect(said).toMatch(/Plugin `evil` failed in `(settled|\w+` of `victim)`: it answered .+, and this hook takes/)
    }
  })

  it('in a hook whose answers nobody wants does no harm', async () => {
    const deaf = rows.filter(({ hook, way }) => way === 'throws' && !('answer' in hookPolicies[hook]))
    for (const { hook } of deaf) {
      const { told, reported } = await run(failing(hook, 'answers nonsense', { delayMs: 'x' }))
      expect([told, reported]).toEqual([[], []])
    }
  })
})

describe('a plugin that fails at boot', () => {
  it.each(['throws', 'rejects', 'hangs', 'answers nonsense'] as const)(
    'where it %s, ends the start with its name',
    async (way) => {
      await using sim = await Simulation.create([restart, failing('boot', way, 42).plugin], services)
      const booting = sim.system.boot()
      await expect(sim.finish(booting)).rejects.toThrow(/Plugin `evil` (did not answer|failed in) `boot`/)
      expect(sim.world.processes.list()).toEqual([])
    },
  )
})

describe('a plugin that fails when it hears', () => {
  it('of an adopted instance is reported, and the instance goes on', async () => {
    const state = { lastSeq: 0, instances: [] as readonly unknown[] }
    const memory = definePlugin({
      name: 'memory',
      setup: ({ hooks }) => {
        hooks.journal.tap('memory', (entry) => {
          if (entry.kind === 'instances') state.instances = entry.changed
        })
        hooks.boot.tap('memory', (boot) => ({ ...boot, instances: state.instances as typeof boot.instances }))
      },
    })
    await using sim = await Simulation.create([memory, failing('adopted', 'throws').plugin], {
      victim: { command: 'x' },
    })
    await sim.finish(sim.system.boot())
    await sim.start()
    const { pids } = sim.service('victim')
    sim.crash()
    await sim.boot()
    await sim.start()
    expect([sim.service('victim').state, sim.service('victim').pids]).toEqual(['running', pids])
    expect(sim.events).toContainEqual(expect.objectContaining({ type: 'plugin.error', service: 'victim' }))
  })

  it('of a verdict is reported, and the verdict counts', async () => {
    await using sim = await Simulation.create([restart, failing('probed', 'throws').plugin], {
      victim: { command: 'x' },
    })
    await sim.finish(sim.system.boot())
    await sim.start()
    const [instance] = sim.service('victim').view.instances
    sim.system.reportHealth(instance?.id ?? '', { healthy: false, reason: 'says no' })
    await sim.clock.settle()
    expect(sim.service('victim').state).toBe('unhealthy')
    expect(sim.events).toContainEqual(expect.objectContaining({ type: 'plugin.error', service: 'victim' }))
  })
})
