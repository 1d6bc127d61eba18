/**
 * Measures CPU and memory of every instance with all its processes, keeps them for a while, and publishes metrics.
 *
 * Owns the top-level key `metrics`. Taps `boot`, `reload` and `event` (follows the config), `settled` (says that nothing is served), `started`, `adopted` and
 * `stopped` (whom to measure), `beforeView` (measures for whoever looks), `view` (`cpu_percent` and `memory_bytes` of
 * `status`) and `inspect`. Registers the control methods `metrics.read` and `metrics.text`, and metrics of services and
 * of the supervisor. What all plugins have registered is served over HTTP (`node.ts`), loaded when the config asks for it.
 */
import { definePlugin, once, SysgError, type ResolvedSystem, type SysgEvent } from '@systemg/core'
import * as z from 'zod/mini'
import { Collector } from './collect.ts'
import { History } from './history.ts'
import { Listener } from './listener.ts'
import type { metricsKey } from './options.ts'
import type { ServeMetrics } from './port.ts'
import { optionsOf, type MetricsOptions } from './settings.ts'
import { publishedMetrics } from './published.ts'
import { Recorder } from './recorder.ts'
import { pointsOf, reportOf, type MetricsReport } from './report.ts'
import { Sampler } from './sampler.ts'
import { Totals } from './totals.ts'
import { withUsage } from './view.ts'

export type { MetricsOptions } from './settings.ts'
export type { MetricPoint, MetricsReport } from './report.ts'

export const metrics = definePlugin<{ readonly serve?: ServeMetrics | undefined } | undefined>({
  name: 'metrics',
  schemas: () => import('./options.ts'),
  setup(api) {
    const { hooks, host, system, onDispose, registerMethod, registries } = api
    const { serve } = api.options ?? {}
    const history = new History(host)
    const recorder = new Recorder(host.clock, history)
    const sampler: Sampler = new Sampler(host, () => recorder.record(sampler.all))
    const totals = new Totals()
    const collector = new Collector(host, registries.metrics)
    const listener = new Listener({
      host,
      emit: (...args) => system.emit(...args),
      text: (signal) => collector.text(signal),
      serve: async () => serve ?? (await import('./node.ts')).serveMetrics,
    })
    let version = ''
    const published = publishedMetrics({ host, system, sampler, totals, version: () => version })
    for (const [name, metric] of Object.entries(published)) api.registerMetric(name, metric)

    const follow = (config: ResolvedSystem) => {
      const { interval, retention } = optionsOf(config)
      sampler.configure(interval)
      history.configure(retention)
    }
    onDispose(() => sampler.close())
    onDispose(() => listener.close())

    hooks.boot.tap({ name: 'metrics', stage: 100 }, (state) => {
      follow(system.config)
      return state
    })
    hooks.event.tap('metrics', (event) => {
      if (event.type !== 'system.started') return
      version = (event as SysgEvent<'system.started'>).data.version
      listener.follow(optionsOf(system.config).listen)
    })
    hooks.reload.tap('metrics', ({ after }) => {
      follow(after)
      listener.follow(optionsOf(after).listen)
      totals.keepOnly((service) => Object.hasOwn(after.services, service))
    })
    hooks.settled.tapPromise('metrics', async (warnings) => {
      const warning = await listener.warning()
      return warning === undefined ? warnings : [...warnings, warning]
    })
    hooks.started.tap('metrics', (instance) => sampler.add(instance, { isNew: true }))
    hooks.adopted.tap('metrics', (instance) => sampler.add(instance, { isNew: false }))
    hooks.stopped.tap('metrics', (instance) => totals.end(instance.service.name, sampler.remove(instance)))
    hooks.beforeView.tapPromise('metrics', () => {
      sampler.looked()
      return sampler.fresh()
    })
    hooks.view.tap('metrics', (view) => withUsage(view, (instance) => sampler.of(instance)))
    hooks.inspect.tap('metrics', (found, { service, instances, windowMs }) => {
      const nowMs = host.clock.now()
      const meters = instances.flatMap(({ id }) => sampler.of(id) ?? [])
      // What is kept is of whole services: of one replica among several it would be a false past.
      const isKept = found.instance === null || found.replicas === 1
      const points = isKept ? pointsOf(service.name, history.read(nowMs - windowMs), windowMs) : []
      return { ...found, metrics: reportOf(meters, nowMs, windowMs, points) }
    })
    registerMethod('metrics.text', (_, { signal }) => collector.text(signal))
    registerMethod('metrics.read', (params) => {
      const { service, window_ms: windowMs } = readParams().parse(params)
      if (!Object.hasOwn(system.config.services, service))
        throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: service })
      sampler.looked()
      return pointsOf(service, history.read(host.clock.now() - windowMs), windowMs)
    })
  },
})

const readParams = once(() =>
  z.strictObject({
    service: z.string(),
    window_ms: z._default(z.number().check(z.minimum(1)), 600_000),
  }),
)

declare module '@systemg/core' {
  interface SystemConfig {
    /** How CPU and memory of services are measured, kept and published. From the `metrics` plugin. */
    metrics?: z.input<typeof metricsKey>
  }
  interface ResolvedSystem {
    readonly metrics: MetricsOptions
  }
  interface EventData {
    /** Metrics are not served, as the address cannot be had. It is tried again. */
    'metrics.listen_failed': { address: string; reason: string }
  }
  interface Inspection {
    /** CPU and memory now, and over the window. From the `metrics` plugin. */
    readonly metrics?: MetricsReport
  }
  interface ServiceView {
    /** Of one core, with all its processes, since the look before; null when it is not known. From the `metrics` plugin. */
    readonly cpu_percent?: number | null
    /** Resident memory of all its processes; null when it is not known. From the `metrics` plugin. */
    readonly memory_bytes?: number | null
  }
  interface InstanceView {
    readonly cpu_percent?: number | null
    readonly memory_bytes?: number | null
  }
}
