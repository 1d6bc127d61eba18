/**
 * Random lives of random systems: what the events up to a moment tell is what the running system shows at that moment.
 */
import { pastOf, pastViews, type Past, type ServiceView, type SysgEvent } from '@systemg/core'
import { simulate, type Simulation } from '@systemg/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { remembers } from './plugins.ts'
import { act, actionArbitrary, type Action } from './random-actions.ts'
import { behaviours, programOf, serviceArbitrary, servicesOf, type RandomService } from './random-services.ts'

const runs = Number(process.env['SYSG_SIM_RUNS'] ?? 300)
const seed = process.env['SYSG_SIM_SEED'] === undefined ? undefined : Number(process.env['SYSG_SIM_SEED'])
const path = process.env['SYSG_SIM_PATH']

/** What there is to compare: what only a process can tell is left out, and so are instances that have none yet. */
const comparable = ({ retry_at: retryAt, exit, ...view }: ServiceView) => ({
  ...view,
  uptime_ms: 0,
  last_lines: [],
  retry_at: view.state === 'backoff' && view.replicas === 1 ? retryAt : null,
  exit: exit === null ? null : { ...exit, at: '' },
  instances: view.instances.filter(({ pid }) => pid !== null).map((instance) => ({ ...instance, uptime_ms: 0 })),
})

const byName = (views: readonly ServiceView[]) =>
  Object.fromEntries(views.map((view) => [view.name, comparable(view)] as const))

/** Follows a simulation, and looks at it whenever nothing is under way. */
const follower = () => {
  let told: Past | undefined
  let waiting: SysgEvent[] = []
  return {
    hear: (event: SysgEvent) => void waiting.push(event),
    /** @throws when the system shows something else than its events told. */
    compare: (sim: Simulation) => {
      told = pastOf(waiting, told)
      waiting = []
      const now = sim.host.clock.now()
      const last = sim.events.at(-1)
      expect(byName(pastViews(told, 'test', now)), `after #${last?.seq ?? 0} ${last?.type ?? ''}`).toEqual(
        byName(sim.system.view()),
      )
    },
  }
}

const play = async (
  services: readonly RandomService[],
  actions: readonly Action[],
  worldSeed: number,
): Promise<void> => {
  const follow = follower()
  await using sim = await simulate([remembers(), behaviours(services)], servicesOf(services, 0), {
    seed: worldSeed,
    idle: true,
    programs: Object.fromEntries(services.map((service, index) => [`s${index}`, programOf(service)])),
    onEvent: (event) => follow.hear(event),
  })
  const commands: Promise<unknown>[] = [sim.system.start()]
  for (const action of actions) {
    await act(sim, action, services, commands)
    for (const ms of inSteps(action.thenMs)) {
      await sim.clock.advance(ms)
      follow.compare(sim)
    }
  }
  await sim.finish(sim.system.shutdown())
  await sim.finish(Promise.allSettled(commands))
  follow.compare(sim)
}

/** Time that passes, in pieces that fall between the moments at which things happen. */
const inSteps = (ms: number): readonly number[] => {
  const steps = Math.max(1, Math.min(20, Math.floor(ms / 97)))
  return Array.from({ length: steps }, () => ms / steps)
}

it(`tells what ${runs} random systems showed`, { timeout: 60_000 + runs * 60 }, async () => {
  const property = fc.asyncProperty(
    fc.array(serviceArbitrary, { minLength: 1, maxLength: 5 }),
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
  const replay = `SYSG_SIM_SEED=${details.seed} SYSG_SIM_PATH=${details.counterexamplePath ?? ''} npm run test:simulation -- past`
  throw new Error(`${String(details.errorInstance)}\n${JSON.stringify(details.counterexample)}\nReplay: ${replay}`, {
    cause: details.errorInstance,
  })
})
