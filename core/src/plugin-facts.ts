/** What a plugin adds to a system, found by setting it up where nothing can happen: no system runs, and nothing is begun. */
import { SysgError, whyOf } from './errors.ts'
import type { Host } from './host.ts'
import { createHooks, type Hooks } from './hooks.ts'
import { createPluginHooks, offeredHooks } from './plugin-hooks.ts'
import type { PluginUse } from './plugin.ts'
import { extensionsOf, keysOf } from './plugin-keys.ts'
import { loadSchemas, schemasOf } from './plugin-schemas.ts'
import { createRegistries } from './registries.ts'
import { setUpPlugins } from './set-up.ts'
import type { SystemApi } from './system-api.ts'

export interface PluginFacts {
  /** Keys that it adds to every service, and to the top level. */
  readonly keys: { readonly service: readonly string[]; readonly system: readonly string[] }
  readonly probes: readonly string[]
  readonly strategies: readonly string[]
  /** Commands of `sysg` that it brings. */
  readonly commands: readonly string[]
  /** Hooks that it offers to other plugins. */
  readonly offers: readonly string[]
  /** Hooks that it taps, in the order in which they are declared; behind them those of plugins. */
  readonly hooks: readonly string[]
  /** Those of `hooks` that no plugin here offers: nobody calls them. */
  readonly unoffered: readonly string[]
  /** Control methods that it answers. */
  readonly methods: readonly string[]
  readonly sinks: readonly string[]
  readonly metrics: readonly string[]
  /** Why it could not be set up, so that hooks, methods and sinks are not known; null when it could. */
  readonly failure: string | null
}

/**
 * @param all - It and the plugins beside it: the form of a key may depend on what they bring.
 * @param host - A simulated one, since a plugin may use it. A plugin that asks the system for anything fails.
 */
export const pluginFacts = async (use: PluginUse, all: readonly PluginUse[], host: Host): Promise<PluginFacts> => {
  await loadSchemas(all)
  const { plugin } = use
  const extensions = extensionsOf(all)
  const registries = createRegistries()
  const taps = { clock: host.clock, owner: () => plugin.name, report: () => undefined }
  const hooks = createHooks(taps)
  const plugins = all.map((one) => one.plugin)
  const { hookOf, tapped } = createPluginHooks(plugins, taps)
  const world = { host, hooks, hookOf, system: noSystem, registries, releases: [], own: () => undefined }
  const failure = failureOf(() => setUpPlugins([use], world))
  return {
    keys: {
      service: Object.keys(keysOf(plugin, 'service', extensions)),
      system: Object.keys(keysOf(plugin, 'system', extensions)),
    },
    probes: Object.keys(schemasOf(plugin).probes ?? {}),
    strategies: Object.keys(schemasOf(plugin).strategies ?? {}),
    commands: Object.keys(plugin.commands ?? {}),
    offers: Object.keys(plugin.hooks ?? {}),
    hooks: [...tappedOf(hooks), ...tapped()],
    unoffered: tapped().filter((name) => !offeredHooks(plugins).has(name)),
    methods: registries.methods.list().map(({ name }) => name),
    sinks: registries.sinks.list().map(({ name }) => name),
    metrics: registries.metrics.list().map(({ name }) => name),
    failure,
  }
}

const tappedOf = (hooks: Hooks): readonly string[] =>
  Object.entries(hooks)
    .filter(([, hook]) => (hook as { readonly taps: readonly unknown[] }).taps.length > 0)
    .map(([name]) => name)

const failureOf = (work: () => void): string | null => {
  try {
    work()
    return null
  } catch (thrown) {
    return whyOf(thrown)
  }
}

const noSystem = new Proxy({} as SystemApi, {
  get: (_, name) => {
    throw new SysgError('SYSG_PLUGIN_FAILED', {
      plugin: 'it',
      hook: 'setup',
      why: `\`system.${String(name)}\` is not there before \`boot\``,
    })
  },
})
