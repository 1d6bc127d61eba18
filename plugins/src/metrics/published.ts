/**
 * What systemg publishes itself, registered as any plugin would: of every service, and of the supervisor's process under
 * the names that Prometheus' own clients use.
 */
import {
  eventOfState,
  type Host,
  type Metric,
  type MetricSample,
  type ServiceView,
  type SystemApi,
} from '@systemg/core'
import type { Sampler } from './sampler.ts'
import { sumByService, type Totals } from './totals.ts'

export interface PublishedWorld {
  readonly host: Host
  readonly system: SystemApi
  readonly sampler: Sampler
  readonly totals: Totals
  readonly version: () => string
}

export const publishedMetrics = (world: PublishedWorld): Readonly<Record<string, Metric>> => {
  const { host, system, sampler, totals } = world
  const services = viewsOnce(world)
  const ofServices = (of: (view: ServiceView) => number | null | undefined) => (): readonly MetricSample[] =>
    services().flatMap((view) => {
      const value = of(view)
      return value === null || value === undefined ? [] : [{ labels: { service: view.name }, value }]
    })
  const measured = (of: () => ReadonlyMap<string, number>) => async () => {
    await sampler.fresh()
    const values = of()
    return services().map(({ name }) => ({ labels: { service: name }, value: values.get(name) ?? 0 }))
  }
  const gauge = (help: string, collect: Gauge['collect']): Metric => ({ type: 'gauge', help, collect })
  const counter = (help: string, collect: Gauge['collect']): Metric => ({ type: 'counter', help, collect })
  const own = (of: (usage: ReturnType<Host['processes']['own']>) => number | undefined) => () => {
    const value = of(host.processes.own())
    return value === undefined ? [] : [{ value }]
  }
  return {
    systemg_build_info: gauge('The version of systemg and the project that it supervises.', () => [
      { labels: { version: world.version(), project: system.config.project.id }, value: 1 },
    ]),
    systemg_service_up: gauge(
      'Whether the service is running, as its health check says.',
      ofServices(({ state }) => (state === 'running' ? 1 : 0)),
    ),
    systemg_service_state: gauge('1 for the state that the service is in, 0 for all others.', () =>
      services().flatMap(({ name, state }) =>
        Object.keys(eventOfState).map((one) => ({
          labels: { service: name, state: one },
          value: one === state ? 1 : 0,
        })),
      ),
    ),
    systemg_service_replicas: gauge(
      'How many instances the service should have.',
      ofServices(({ replicas }) => replicas),
    ),
    systemg_service_replicas_ready: gauge(
      'How many instances of the service are ready.',
      ofServices(
        ({ instances }) => instances.filter(({ state, role }) => state === 'ready' && role === 'active').length,
      ),
    ),
    systemg_service_restarts_total: counter(
      'Automatic restarts of the service since the supervisor started.',
      ofServices(({ restarts }) => restarts),
    ),
    systemg_service_start_time_seconds: gauge(
      'When the instance that serves was started, in seconds since 1970.',
      ofServices(({ uptime_ms: ms }) => (ms === null ? null : (host.clock.now() - ms) / 1_000)),
    ),
    systemg_service_cpu_seconds_total: counter(
      'CPU time of all processes of the service, since the supervisor started.',
      measured(() => new Map([...totals.cpuMs(sampler.all)].map(([name, ms]) => [name, ms / 1_000]))),
    ),
    systemg_service_memory_bytes: gauge(
      'Resident memory of all processes of the service.',
      measured(() => sumByService(sampler.all, ({ memoryBytes = 0 }) => memoryBytes)),
    ),
    systemg_service_processes: gauge(
      'Living processes of the service.',
      measured(() => sumByService(sampler.all, ({ processes }) => processes)),
    ),
    process_cpu_seconds_total: counter(
      'CPU time of the supervisor.',
      own(({ cpuMs }) => cpuMs / 1_000),
    ),
    process_resident_memory_bytes: gauge(
      'Resident memory of the supervisor.',
      own(({ memoryBytes }) => memoryBytes),
    ),
    process_start_time_seconds: gauge(
      'When the supervisor started, in seconds since 1970.',
      own(({ startedAt }) => startedAt / 1_000),
    ),
    process_open_fds: gauge(
      'Descriptors that the supervisor has open.',
      own(({ openFiles }) => openFiles),
    ),
    process_max_fds: gauge(
      'How many descriptors it may have open.',
      own(({ mostOpenFiles }) => mostOpenFiles),
    ),
  }
}

type Gauge = Extract<Metric, { type: 'counter' | 'gauge' }>

const onceMs = 50

/** Several metrics of one answer ask at the same moment. */
const viewsOnce = ({ host, system }: PublishedWorld): (() => readonly ServiceView[]) => {
  let known: readonly ServiceView[] = []
  let at = Number.NEGATIVE_INFINITY
  return () => {
    const now = host.clock.monotonic()
    if (now - at < onceMs) return known
    at = now
    return (known = system.view())
  }
}
