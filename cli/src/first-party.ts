/** The plugins that every system has. They use the same public API as those of third parties. */
import type { PluginUse } from '@systemg/core'
import {
  children,
  control,
  cron,
  deploy,
  dotenv,
  health,
  lifecycleCommands,
  logs,
  metrics,
  restart,
  sockets,
  store,
  watch,
  webhooks,
} from '@systemg/plugins'

/** What the supervisor tells its plugins: where things are, and who it is. Commands that only check a config need none. */
export interface FirstPartyOptions {
  readonly control?: Readonly<Record<string, unknown>>
  readonly health?: Readonly<Record<string, unknown>>
  readonly logs?: Readonly<Record<string, unknown>>
  readonly watch?: Readonly<Record<string, unknown>>
}

export const firstPartyPlugins = (options: FirstPartyOptions = {}): readonly PluginUse[] => [
  { plugin: store },
  { plugin: dotenv },
  { plugin: logs, options: options.logs ?? {} },
  { plugin: health, options: options.health ?? {} },
  { plugin: restart },
  { plugin: sockets },
  { plugin: deploy },
  { plugin: cron },
  { plugin: metrics },
  { plugin: children },
  { plugin: lifecycleCommands },
  { plugin: webhooks },
  { plugin: watch, options: options.watch ?? {} },
  { plugin: control, options: options.control ?? {} },
]
