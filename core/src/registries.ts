/** What plugins register under a name, for others to look up: probes, strategies, sinks of output, metrics, control methods. */
import type { ResolvedService } from './config/types.ts'
import { ControlMethods, type ControlMethod } from './control-methods.ts'
import { SysgError } from './errors.ts'
import type { TreeRef } from './host.ts'
import { checkMetricName, type Metric } from './metric.ts'
import type { InstanceInfo } from './instance-info.ts'
import { knownSchemas } from './plugin-schemas.ts'
import type { Plugin } from './plugin.ts'
import { Registry } from './registry.ts'
import type { Strategy } from './strategy.ts'

/**
 * Answers whether an instance is ready or alive. Rejects with the reason when it is not.
 *
 * `answeredBy`: an answer of another process does not count (another instance of the service may have the same
 * address); `undefined` when whoever answers will do.
 */
export type Probe = (at: {
  readonly instance: InstanceInfo
  readonly options: unknown
  readonly signal: AbortSignal
  readonly answeredBy: TreeRef | undefined
}) => Promise<void>

/**
 * Makes the strategy by which `running` is replaced by `service`, anew for each deploy; also asked when only its name is
 * wanted, so it acts in `run` alone. `options`: what stands below `deployment.<name>`, checked by the declared schema.
 */
export type StrategyFactory = (at: {
  readonly service: ResolvedService
  readonly running: ResolvedService
  readonly options: unknown
}) => Strategy

/** What a program has written. `chunk` is valid during the call only: copy what you keep. */
export interface WrittenOutput {
  readonly service: string
  readonly instance: string
  readonly stream: 'stdout' | 'stderr'
  /** Wall clock, ms, of reading. */
  readonly timeMs: number
  readonly chunk: Uint8Array
}

/** Gets what programs write, besides the log files. Must return soon: the program's next output waits. */
export interface OutputSink {
  /** Whether it wants what this instance writes now. Asked for each chunk, so it must be cheap. */
  wants(of: { readonly service: string; readonly instance: string }): boolean
  write(output: WrittenOutput): void
}

export interface Registries {
  readonly probes: Registry<Probe>
  readonly strategies: Registry<StrategyFactory>
  readonly sinks: Registry<OutputSink>
  readonly metrics: Registry<Metric>
  readonly methods: ControlMethods
}

/** How a plugin adds to the registries, under its own name. */
export interface RegistryAccess {
  /** Must be declared by the plugin's `probes`. @throws {SysgError} `SYSG_PLUGIN_UNDECLARED`. */
  readonly registerProbe: (name: string, probe: Probe) => void
  /** Must be declared by the plugin's `strategies`. @throws {SysgError} `SYSG_PLUGIN_UNDECLARED`. */
  readonly registerStrategy: (name: string, strategy: StrategyFactory) => void
  readonly registerSink: (name: string, sink: OutputSink) => void
  /** @throws {SysgError} `SYSG_METRIC_NAME`. */
  readonly registerMetric: (name: string, metric: Metric) => void
  readonly registerMethod: (name: string, method: ControlMethod) => void
}

export const createRegistries = (): Registries => ({
  probes: new Registry('probe'),
  strategies: new Registry('deploy strategy'),
  sinks: new Registry('sink'),
  metrics: new Registry('metric'),
  methods: new ControlMethods(),
})

export const accessFor = (plugin: Plugin, registries: Registries): RegistryAccess => ({
  registerProbe: (name, probe) => {
    checkDeclared(plugin, 'probes', name)
    registries.probes.register(name, probe, plugin.name)
  },
  registerStrategy: (name, strategy) => {
    checkDeclared(plugin, 'strategies', name)
    registries.strategies.register(name, strategy, plugin.name)
  },
  registerSink: (name, sink) => registries.sinks.register(name, sink, plugin.name),
  registerMetric: (name, metric) => {
    checkMetricName(name, metric, plugin.name)
    registries.metrics.register(name, metric, plugin.name)
  },
  registerMethod: (name, method) => registries.methods.register(name, method, plugin.name),
})

/** A config can name only what is declared, since it is checked before any `setup`. */
const checkDeclared = (plugin: Plugin, kind: 'probes' | 'strategies', name: string): void => {
  const schemas = knownSchemas(plugin)
  if (schemas !== undefined && !Object.hasOwn(schemas[kind] ?? {}, name))
    throw new SysgError('SYSG_PLUGIN_UNDECLARED', { plugin: plugin.name, kind, name })
}

/** @throws {SysgError} `SYSG_PLUGIN_UNREGISTERED` for what `setup` of the plugin should have registered. */
export const checkRegistered = (plugin: Plugin, registries: Registries): void => {
  for (const kind of ['probes', 'strategies'] as const) {
    for (const name of Object.keys(knownSchemas(plugin)?.[kind] ?? {})) {
      if (registries[kind].get(name) === undefined)
        throw new SysgError('SYSG_PLUGIN_UNREGISTERED', { plugin: plugin.name, kind, name })
    }
  }
}
