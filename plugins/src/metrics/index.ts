/**
 * Measures CPU and memory of every instance with all its processes.
 *
 * Owns the top-level key `metrics`. Taps `boot` and `reload` (follows the config), `started`, `adopted` and `stopped`
 * (whom to measure), `beforeView` (measures for whoever looks) and `view` (`cpu_percent` and `memory_bytes` of `status`).
 */
import { definePlugin } from '@systemg/core'
import type { z } from 'zod'
import { metricsKey, optionsOf, type MetricsOptions } from './options.ts'
import { Sampler } from './sampler.ts'
import { withUsage } from './view.ts'

export type { MetricsOptions } from './options.ts'

export const metrics = definePlugin({
  name: 'metrics',
  system: { metrics: metricsKey },
  setup({ hooks, host, system, onDispose }) {
    const sampler = new Sampler(host)
    onDispose(() => sampler.close())

    hooks.boot.tap({ name: 'metrics', stage: 100 }, (state) => {
      sampler.configure(optionsOf(system.config).interval)
      return state
    })
    hooks.reload.tap('metrics', ({ after }) => sampler.configure(optionsOf(after).interval))
    hooks.started.tap('metrics', (instance) => sampler.add(instance, { isNew: true }))
    hooks.adopted.tap('metrics', (instance) => sampler.add(instance, { isNew: false }))
    hooks.stopped.tap('metrics', (instance) => void sampler.remove(instance))
    hooks.beforeView.tapPromise('metrics', () => {
      sampler.looked()
      return sampler.fresh()
    })
    hooks.view.tap('metrics', (view) => withUsage(view, (instance) => sampler.of(instance)))
  },
})

declare module '@systemg/core' {
  interface SystemConfig {
    /** How CPU and memory of services are measured, kept and published. From the `metrics` plugin. */
    metrics?: z.input<typeof metricsKey>
  }
  interface ResolvedSystem {
    readonly metrics: MetricsOptions
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
