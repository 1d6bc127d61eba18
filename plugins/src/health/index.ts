/**
 * Asks whether an instance is ready, and whether it still lives.
 *
 * Owns the service key `health_check`. Brings the probes `url`, `tcp`, `command`, `log` and `notify`; other plugins
 * bring more. Taps `prepare` (the descriptor for `notify`), `started`, `adopted`, `ready` (a gate), `beforeStop`,
 * `exited`, `stopped`, `reload` and `boot`. Registers the control methods `notify` and `health.history`.
 * Readiness apart from liveness, and what they are called, as Kubernetes and Docker Compose have it.
 */
import { definePlugin, once, SysgError, whyOf, type LaunchSpec } from '@systemg/core'
import * as z from 'zod/mini'
import type { InstanceHistory } from './history.ts'
import { checkOf } from './checks.ts'
import { healthDefaults, type HealthOptions } from './defaults.ts'
import type { HealthCheck, HealthTiming } from './options.ts'
import { commandProbe } from './probes/command.ts'
import { LogSearches } from './probes/log.ts'
import { Voices } from './probes/notify.ts'
import type { commandSchema, logSchema, notifySchema, tcpSchema, urlSchema } from './probes/schemas.ts'
import { tcpProbe } from './probes/tcp.ts'
import { urlProbe } from './probes/url.ts'
import { findMistakes } from './rules.ts'
import { Watches } from './watches.ts'

export type { InstanceHistory, TriedOnce } from './history.ts'
export type { HealthCheck } from './options.ts'

export const health = definePlugin<Partial<HealthOptions> | undefined>({
  name: 'health',
  schemas: () => import('./options.ts'),
  live: ['health_check'],
  check: (config) => findMistakes(config),
  setup(api) {
    const { host, hooks, system, registries } = api
    const { pipes } = { ...healthDefaults, ...api.options }
    const watches = new Watches(api)
    const searches = new LogSearches(registries.methods)
    const voices = new Voices(host, pipes)
    const quietly = (work: Promise<unknown>) =>
      work.catch((thrown: unknown) => host.trace('warn', `Health checks: ${whyOf(thrown)}`))

    api.registerProbe('url', urlProbe(host))
    api.registerProbe('tcp', tcpProbe(host))
    api.registerProbe('command', commandProbe(host))
    api.registerProbe('log', searches.probe)
    api.registerProbe('notify', voices.probe)
    api.registerSink('health', searches)

    hooks.boot.tapPromise('health', async (state) => {
      const known = new Set(state.instances.map(({ id }) => id))
      for (const name of await host.files.list(pipes)) if (!known.has(name)) host.files.remove(`${pipes}/${name}`)
      return state
    })
    hooks.prepare.tapPromise({ name: 'health', stage: 90 }, async (spec, { instance }) => {
      const check = checkOf(instance)
      if (check?.probe === 'log') searches.begin(instance.id, String(check.options))
      return check?.probe === 'notify' ? withVoice(spec, await voices.open(instance.id)) : spec
    })
    hooks.started.tap('health', (instance) => watches.add(instance))
    hooks.adopted.tap('health', (instance, { ready }) => {
      watches.add(instance)
      if (instance.launch?.env[notifyVariable] !== undefined) void quietly(voices.open(instance.id))
      if (ready) watches.goOn(instance)
    })
    hooks.ready.tap('health', (gates, { instance }) => {
      if (checkOf(instance) === undefined) return gates
      return [...gates, { name: 'health check', open: ({ signal }) => watches.untilReady(instance, signal) }]
    })
    hooks.beforeStop.tap('health', ({ instance }) => watches.stop(instance))
    hooks.exited.tap('health', (lines, { instance }) => {
      watches.stop(instance)
      return lines
    })
    hooks.stopped.tap('health', (instance) => {
      watches.remove(instance)
      searches.end(instance.id)
      void quietly(voices.end(instance.id))
    })
    hooks.reload.tapPromise('health', async () => {
      watches.history.keepOnly((service) => service in system.config.services)
      await watches.refresh()
    })

    api.registerMethod('notify', (params) => {
      const { token, state } = notifyParams().parse(params)
      const instance = watches.instances.find((one) => one.token === token)
      if (instance === undefined) throw unknownToken()
      voices.say(instance, state)
      return { service: instance.service.name, instance: instance.id, awaited: checkOf(instance)?.probe === 'notify' }
    })
    hooks.inspect.tap('health', (found, { service }) => ({
      ...found,
      health_history: watches.history.list(service.name),
    }))
    api.registerMethod('health.history', (params) => {
      const { service } = historyParams().parse(params ?? {})
      if (service !== undefined && !(service in system.config.services))
        throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: service })
      return watches.history.list(service)
    })
  },
})

declare module '@systemg/core' {
  interface ProbeConfigs {
    /** An HTTP request that must be answered with a good status. From the `health` plugin. */
    url?: z.input<typeof urlSchema>
    /** A connection that must be accepted: `host:port`. From the `health` plugin. */
    tcp?: z.input<typeof tcpSchema>
    /** A command that must exit 0. From the `health` plugin. */
    command?: z.input<typeof commandSchema>
    /** A line of its output: `/regex/` or text. From the `health` plugin. */
    log?: z.input<typeof logSchema>
    /** It says so itself. From the `health` plugin. */
    notify?: z.input<typeof notifySchema>
  }
  interface ServiceConfig {
    /** How it is known that the service is ready, and that it still lives: one probe, and when to ask. From the `health` plugin. */
    health_check?: ProbeConfigs & HealthTiming
  }
  interface Inspection {
    /** The last tries of each instance, and of the one that ended last. From the `health` plugin. */
    readonly health_history?: readonly InstanceHistory[]
  }
  interface ResolvedService {
    readonly health_check?: HealthCheck | undefined
  }
}

const notifyVariable = 'SYSG_NOTIFY_FD'

/** The number is that of the first descriptor behind those that others have added. */
const withVoice = (spec: LaunchSpec, writer: LaunchSpec['inherit'][number] | undefined): LaunchSpec => {
  if (writer === undefined) return spec
  const number = 3 + spec.inherit.length
  return { ...spec, inherit: [...spec.inherit, writer], env: { ...spec.env, [notifyVariable]: String(number) } }
}

const notifyParams = once(() => z.strictObject({ token: z.string(), state: z.string().check(z.maxLength(4096)) }))
const historyParams = once(() => z.strictObject({ service: z.optional(z.string()) }))

const unknownToken = (): SysgError =>
  SysgError.of('SYSG_NOTIFY_UNKNOWN', {
    message: 'The `SYSG_TOKEN` of this environment belongs to no instance that runs.',
    hint: 'Only a program that a service has started can notify, as long as that service runs.',
  })
