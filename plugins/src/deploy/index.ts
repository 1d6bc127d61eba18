/**
 * Replaces what runs: `immediate` or `rolling`, with commands before it and slots that alternate.
 *
 * Owns the service key `deployment`; strategies of other plugins have their options below it. Registers the strategies
 * `immediate` and `rolling`. Taps `replace` (chooses), `beforeStart` (`pre_start`), `prepare` (slots), `exited` (who has
 * the port), `boot` (ends commands that were left behind), `event` (leads users to what serves) and `beforeStop` (what they
 * may still be led to waits for that).
 * Steps and their order are those of blue-green deploys behind a proxy, as Kamal and Capistrano do them.
 */
import { definePlugin, immediate, SysgError, type LaunchSpec, type ResolvedService, type Strategy } from '@systemg/core'
import { Commands } from './commands.ts'
import { deploymentOf, type Deployment, type DeploymentConfig } from './deployment.ts'
import { fillIn, type Places } from './placeholders.ts'
import { sayWhoHolds, wantedPorts } from './port-holder.ts'
import { hasPreStart, PreStart } from './pre-start.ts'
import { rolling } from './rolling.ts'
import { checkDeployments } from './rules.ts'
import { Slots, slotVariables } from './slots.ts'
import { Switch } from './switch.ts'

/** `pre_start` and `switch_command` have limits of their own. */
const longestMs = 2 ** 31 - 1

export const deploy = definePlugin({
  name: 'deploy',
  schemas: () => import('./options.ts'),
  live: [
    ...['strategy', 'pre_start', 'pre_start_timeout', 'grace_period', 'health_check'].map((key) => `deployment.${key}`),
    ...['switch_command', 'switch_verify', 'switch_timeout', 'candidate_health_check'].map(
      (key) => `deployment.blue_green.${key}`,
    ),
  ],
  check: checkDeployments,
  setup(api) {
    const { host, hooks, system, registries } = api
    const slots = new Slots(host.store.table('slots'))
    const commands = new Commands(api)
    const preStart = new PreStart(api, commands, slots)
    const users = new Switch(api, commands, slots)
    api.onDispose(async () => {
      await preStart.close()
      await users.close()
    })

    const isStopping = (name: string) => system.view([name])[0]?.state === 'stopping'
    const isRunning = (name: string, instance: string) =>
      system.view([name])[0]?.instances.some(({ id, state }) => id === instance && state !== 'stopping') === true
    const world = { clock: host.clock, slots, users, isStopping, isRunning }
    api.registerStrategy('immediate', ({ service }) => watched(service))
    api.registerStrategy('rolling', ({ service }) => rolling(world, service))
    hooks.replace.tap('deploy', ({ service, running }) => {
      const deployment = deploymentOf(service)
      const { strategy: name } = deployment
      const factory = registries.strategies.get(name)
      if (factory === undefined) throw notRegistered(name)
      const options: unknown = (deployment as unknown as Readonly<Record<string, unknown>>)[name]
      const strategy = factory({ service, running, options })
      if (!hasPreStart(service)) return strategy
      return begunWith(strategy, (signal) => preStart.run(service, slots.next(service), signal))
    })
    hooks.beforeStart.tapPromise({ name: 'deploy', limitMs: longestMs }, (at) => {
      const work = preStart.beforeStart(at)
      at.hold(work)
      return work
    })
    hooks.prepare.tap({ name: 'deploy', stage: 10 }, (spec, { service, instance }) => {
      if (deploymentOf(service).blue_green?.slots === undefined) return spec
      const places = slots.places(service, slots.slotFor(service, instance))
      return placed(spec, places, slotVariables(service, places), host.env)
    })
    hooks.exited.tapPromise({ name: 'deploy', stage: 100 }, async (lines, { instance, exit }) => {
      const ports = exit.code === 0 ? [] : wantedPorts(lines, instance.launch?.env ?? {})
      const holder = await sayWhoHolds(ports, instance, host, system)
      return holder === undefined ? lines : [...lines, holder]
    })
    hooks.event.tap('deploy', users.onEvent)
    hooks.beforeStop.tapPromise({ name: 'deploy', limitMs: longestMs }, users.beforeStop)

    let cutOff: readonly string[] = []
    hooks.boot.tapPromise('deploy', async (state, { signal }) => {
      const left = await commands.endLeft(signal)
      const told = new Set(
        state.instances.filter(({ role }) => role === 'candidate').map(({ service }) => service.name),
      )
      const serving = new Set(state.instances.map(({ service }) => service.name))
      cutOff = left.map(({ service }) => service).filter((service) => !told.has(service) && serving.has(service))
      return state
    })
    hooks.event.tap('deploy', ({ type }) => {
      if (type !== 'system.started') return
      const reason = 'the supervisor ended before the new instance was started'
      for (const service of cutOff) system.emit('deploy.rolled_back', { service }, { step: 'supervisor', reason })
    })
  },
})

declare module '@systemg/core' {
  interface ServiceConfig {
    /** How a running instance is replaced, and what is done before. From the `deploy` plugin. */
    deployment?: DeploymentConfig
  }
  interface ResolvedService {
    /** Missing only in what was stored by a systemg that did not know it. */
    readonly deployment?: Deployment
  }
  interface EventData {
    /** `pre_start` runs before a start. Before a deploy it is a step of the deploy. */
    'service.pre_start': { command: string }
    /** What serves was not known to be where users are led: `switch_command` has been run for it. */
    'deploy.switch_repeated': { slot: string }
    /** … and it failed: users may be led to a slot where nothing is. */
    'deploy.switch_failed': { slot: string; reason: string }
  }
}

/** Stop, then start; then the new one has to hold for `grace_period`, if there is one. */
const watched = (service: ResolvedService): Strategy => ({
  name: immediate.name,
  async run(replacement) {
    const { grace_period: graceMs } = deploymentOf(service)
    await immediate.run(replacement)
    if (graceMs !== undefined) await replacement.step('grace_period', () => replacement.pause(graceMs))
  },
})

/** `strategy`, with `pre_start` before everything. */
const begunWith = (strategy: Strategy, preStart: (signal: AbortSignal) => Promise<void>): Strategy => {
  const { name, undoLimitMs } = strategy
  return {
    name,
    async prepare(begin) {
      await begin.step('pre_start', () => preStart(begin.signal))
      await strategy.prepare?.(begin)
    },
    run: (replacement) => strategy.run(replacement),
    undo: async (undoing) => strategy.undo?.(undoing),
    ...(undoLimitMs === undefined ? {} : { undoLimitMs }),
  }
}

/** Names filled in where the service itself says them: in its arguments, and in variables that are not inherited. */
const placed = (
  spec: LaunchSpec,
  places: Places,
  variables: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string>>,
): LaunchSpec => {
  const [program, ...args] = spec.argv
  const own = Object.entries(spec.env).map(([name, value]) => [
    name,
    value === inherited[name] ? value : fillIn(value, places),
  ])
  return {
    ...spec,
    argv: [fillIn(program, places), ...args.map((arg) => fillIn(arg, places))],
    env: { ...(Object.fromEntries(own) as Record<string, string>), ...variables },
  }
}

const notRegistered = (name: string): SysgError =>
  SysgError.of('SYSG_DEPLOY_STRATEGY_UNKNOWN', {
    message: `The running supervisor knows no deploy strategy \`${name}\`.`,
    hint: 'Plugins are loaded when the supervisor starts: `sysg stop`, then `sysg start`.',
  })
