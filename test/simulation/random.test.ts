/**
 * Random systems, random programs, random faults and commands, in virtual time. After every event the promises that
 * hold at any moment are checked; at the end everything has settled and nothing is left.
 */
import { definePlugin, instanceMoves, replicaMoves, type Plugin, type SysgEvent } from '@systemg/core'
import { simulate, type Simulation } from '@systemg/core/testing'
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { remembers, sockets } from './plugins.ts'
import { act, actionArbitrary, type Action } from './random-actions.ts'
import { behaviours, programOf, serviceArbitrary, servicesOf, type RandomService } from './random-services.ts'

const runs = Number(process.env['SYSG_SIM_RUNS'] ?? 2_000)
const seed = process.env['SYSG_SIM_SEED'] === undefined ? undefined : Number(process.env['SYSG_SIM_SEED'])
const path = process.env['SYSG_SIM_PATH']
const histogram = new Map<string, number>()

/** Never two copies in one role. */
const checkMoment = (sim: Simulation, event: SysgEvent): void => {
  const views = new Map(sim.system.view().map((view) => [view.name, view]))
  for (const view of views.values()) {
    const roles = new Map<string, number>()
    for (const { role, replica, state } of view.instances) {
      const key = `${role} ${replica}`
      if (state !== 'stopping' && state !== 'ended') roles.set(key, (roles.get(key) ?? 0) + 1)
    }
    for (const [key, count] of roles) expect(count, `${view.name} has ${count} × ${key} after ${event.type}`).toBe(1)
  }
}

/** When everything stops, dependents go before what they need. */
const checkOrder = (sim: Simulation, { type, service, data }: SysgEvent): void => {
  if (type !== 'instance.stopping' || data['why'] !== 'the system stops') return
  for (const { name, depends_on, instances } of sim.system.view()) {
    if (depends_on.includes(service ?? '')) expect(instances, `${service ?? ''} stopped before ${name}`).toEqual([])
  }
}

/** Asks, at the last moment before a process is made, whether everything it needs is there. */
const checksStarts = (onViolation: (message: string) => void): Plugin =>
  definePlugin({
    name: 'checks-starts',
    setup: ({ hooks, system }) =>
      hooks.launch.tap({ name: 'checks-starts', stage: -1 }, (_spec, { service, instance }) => {
        const states = new Map(system.view().map(({ name, state }) => [name, state]))
        for (const [name, { condition }] of Object.entries(service.depends_on)) {
          const state = states.get(name) ?? 'failed'
          const started = condition === 'started' ? ['starting', 'unhealthy'] : []
          if (['running', 'completed', 'skipped', ...started].includes(state) || instance.role !== 'active') continue
          onViolation(`${service.name} was started while ${name} was ${state}`)
        }
        return undefined
      }),
  })

/** A dependency that crashed and stays down has nobody running on it. */
const checkCascade = (sim: Simulation): void => {
  const views = new Map(sim.system.view().map((view) => [view.name, view]))
  for (const view of views.values()) {
    for (const [name, edge] of Object.entries(sim.system.config.services[view.name]?.depends_on ?? {})) {
      const dependency = views.get(name)
      const isCrashed = dependency?.state === 'failed' && dependency.exit?.code !== 0
      if (!isCrashed || edge.on_failure !== 'stop' || edge.condition === 'completed') continue
      expect(view.state, `${view.name} runs although ${name} crashed`).not.toBe('running')
    }
  }
}

const checkStream = (events: readonly SysgEvent[]): void => {
  for (const [index, event] of events.entries()) {
    const before = events[index - 1]
    if (before !== undefined) expect(event.seq).toBeGreaterThan(before.seq)
    if (event.cause !== undefined) expect(event.cause).toBeLessThan(event.seq)
  }
}

const play = async (
  services: readonly RandomService[],
  actions: readonly Action[],
  worldSeed: number,
): Promise<void> => {
  const violations: string[] = []
  const plugins = [
    checksStarts((message) => violations.push(message)),
    remembers(),
    sockets({ s0: 'tcp://127.0.0.1:80' }),
    behaviours(services),
  ]
  await using sim = await simulate(plugins, servicesOf(services, 0), {
    seed: worldSeed,
    idle: true,
    programs: Object.fromEntries(services.map((service, index) => [`s${index}`, programOf(service)])),
    onEvent: (event, at) => {
      checkMoment(at, event)
      checkOrder(at, event)
    },
  })
  const commands: Promise<unknown>[] = [sim.system.start()]
  for (const action of actions) {
    await act(sim, action, services, commands)
    await sim.clock.advance(action.thenMs)
  }
  await sim.clock.advance(30 * 60_000)
  expect(violations).toEqual([])
  checkCascade(sim)
  for (const { name, state } of sim.system.view()) {
    expect(
      ['waiting', 'starting', 'stopping'],
      `${name} did not settle: ${sim.service(name).reason ?? ''}`,
    ).not.toContain(isForEverWaiting(sim, name) ? 'settled' : state)
  }
  await sim.finish(sim.system.shutdown())
  await sim.finish(Promise.allSettled(commands))
  checkStream(sim.events)
  for (const [edge, count] of sim.moves) histogram.set(edge, (histogram.get(edge) ?? 0) + count)
}

/** Waits for a `completed` that a server never gives, or has fewer good replicas than it wants: nothing moves any more. */
const isForEverWaiting = (sim: Simulation, name: string): boolean => {
  const view = sim.service(name).view
  const needs = Object.entries(sim.system.config.services[name]?.depends_on ?? {})
  if (view.state === 'starting') return view.instances.every(({ state }) => state === 'ready')
  return (
    view.state === 'waiting' &&
    needs.some(([other, { condition }]) => {
      const { state } = sim.service(other)
      return (condition === 'completed' && state !== 'completed') || isForEverWaiting(sim, other)
    })
  )
}

/** The first failure, when disposing failed as well. */
const describe = (error: unknown): string =>
  error instanceof SuppressedError ? `${describe(error.suppressed)}; then ${describe(error.error)}` : String(error)

it(`keeps its promises in ${runs} random systems`, { timeout: 60_000 + runs * 30 }, async () => {
  const property = fc.asyncProperty(
    fc.array(serviceArbitrary, { minLength: 1, maxLength: 6 }),
    fc.array(actionArbitrary, { maxLength: 14 }),
    fc.nat(),
    play,
  )
  const details = await fc.check(property, {
    numRuns: runs,
    ...(seed === undefined ? {} : { seed }),
    ...(path === undefined ? {} : { path }),
  })
  if (!details.failed) return
  const replay = `SYSG_SIM_SEED=${details.seed} SYSG_SIM_PATH=${details.counterexamplePath ?? ''} npm run test:simulation -- random`
  throw new Error(
    `${describe(details.errorInstance)}\nCounterexample: ${JSON.stringify(details.counterexample)}\nReplay: ${replay}`,
    {
      cause: details.errorInstance,
    },
  )
})

afterAll(() => {
  const edges = [...histogram].sort(([a], [b]) => a.localeCompare(b))
  console.log(edges.map(([edge, count]) => `${edge.padEnd(28)} ${count}`).join('\n'))
})

it.runIf(path === undefined)('takes every edge of both tables', () => {
  const edges = [
    ...Object.entries(instanceMoves).flatMap(([from, cues]) =>
      Object.keys(cues).map((cue) => `instance ${from} ${cue}`),
    ),
    ...Object.entries(replicaMoves).flatMap(([from, cues]) => Object.keys(cues).map((cue) => `replica ${from} ${cue}`)),
  ]
  expect(edges.filter((edge) => !histogram.has(edge))).toEqual([])
})
