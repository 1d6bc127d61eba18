/** Random services: what they need, what they run, how they are brought back and replaced. */
import { definePlugin, type Plugin, type ServiceConfig } from '@systemg/core'
import {
  daemonizes,
  exitsAfter,
  crashesAt,
  forks,
  all,
  ignoresSigterm,
  serve,
  stopsAfter,
  type Program,
} from '@systemg/core/simulated'
import fc from 'fast-check'

const programKinds = [
  'serve',
  'exits',
  'fails',
  'crashes',
  'ignoresSigterm',
  'stopsSlowly',
  'escapes',
  'daemonizes',
] as const

export const serviceArbitrary = fc.record({
  program: fc.constantFrom(...programKinds, 'serve', 'serve', 'serve'),
  afterMs: fc.integer({ min: 0, max: 20_000 }),
  /** Each bit: depends on the service that many places before it. */
  needs: fc.nat(15),
  condition: fc.constantFrom('ready', 'ready', 'started', 'completed'),
  on_failure: fc.constantFrom('stop', 'stop', 'ignore'),
  replicas: fc.constantFrom(1, 1, 1, 2, 4),
  policy: fc.constantFrom('never', 'on-failure', 'always'),
  strategy: fc.constantFrom('immediate', 'rolling'),
  /** How long until its probe says yes; 0: no probe; above 30 s: never. */
  readyAfterMs: fc.constantFrom(0, 0, 500, 3_000, 60_000),
  skip: fc.constantFrom(false, false, false, false, true),
})

export type RandomService = typeof serviceArbitrary extends fc.Arbitrary<infer T> ? T : never

/** The config of random services; `version` makes every command another one. */
export const servicesOf = (services: readonly RandomService[], version: number): Record<string, ServiceConfig> =>
  Object.fromEntries(
    services.map((service, index): [string, ServiceConfig] => {
      const needs = [1, 2, 3, 4].filter((back) => (service.needs >> (back - 1)) & 1 && index - back >= 0)
      const { condition, on_failure, replicas, skip } = service
      // A one-shot that others wait for can't have several replicas.
      const conditionOn = (index: number) =>
        condition === 'completed' && services[index]?.replicas !== 1 ? 'ready' : condition
      const edges = needs.map(
        (back) => [`s${index - back}`, { condition: conditionOn(index - back), on_failure }] as const,
      )
      const depends_on = Object.fromEntries(edges)
      return [`s${index}`, { command: `x${version}`, depends_on, replicas, skip, stop_timeout: '2s' }]
    }),
  )

export const programOf = ({ program, afterMs }: RandomService): Program => {
  const programs: Record<(typeof programKinds)[number], Program> = {
    serve: serve(),
    exits: exitsAfter(afterMs, 0),
    fails: exitsAfter(afterMs, 3),
    crashes: crashesAt(Math.max(afterMs, 1)),
    ignoresSigterm: ignoresSigterm(),
    stopsSlowly: stopsAfter(afterMs % 4_000),
    escapes: all(forks(ignoresSigterm(), { setsid: true, reparent: true }), exitsAfter(Math.max(afterMs, 1_000), 1)),
    daemonizes: daemonizes(),
  }
  return programs[program]
}

/** Restart policy, rolling strategy and readiness of random services, at most three restarts in a row. */
export const behaviours = (services: readonly RandomService[]): Plugin =>
  definePlugin({
    name: 'behaviours',
    setup: ({ hooks, host }) => {
      const of = (name: string) => services[Number(name.slice(1))]
      hooks.retry.tap('behaviours', ({ service, success, restarts, wasReady }) => {
        const policy = of(service.name)?.policy ?? 'never'
        if (policy === 'never' || (policy === 'on-failure' && success)) return undefined
        return restarts >= 3
          ? { giveUp: 'max_restarts' }
          : { delayMs: 1_000 * (restarts + 1), forget: wasReady && restarts > 8 }
      })
      hooks.ready.tap('behaviours', (gates, { instance, signal }) => {
        const readyAfterMs = of(instance.service.name)?.readyAfterMs ?? 0
        if (readyAfterMs === 0) return gates
        const open = () =>
          new Promise<void>((resolve, reject) => {
            const cancel = host.clock.timer(Math.min(readyAfterMs, 30_000), () =>
              readyAfterMs > 30_000 ? reject(new Error('never healthy')) : resolve(),
            )
            signal.addEventListener('abort', () => {
              cancel()
              reject(signal.reason as Error)
            })
          })
        return [...gates, { name: 'probe', open }]
      })
      hooks.replace.tap('behaviours', ({ service }) => {
        if (of(service.name)?.strategy !== 'rolling') return undefined
        return {
          name: 'rolling',
          run: async (replacement) => {
            await replacement.launch()
            await replacement.ready()
            replacement.promote()
            await replacement.pause(1_000)
            await replacement.retire()
          },
        }
      })
    },
  })
