/** The plugin of a suite among those it needs, and what a broken promise throws. */
import type { Plugin, PluginUse } from '../../plugin.ts'
import type { PluginUnderTest } from '../plugin-contract.ts'

/** The plugin with its options as its own schema makes them, behind those it needs. */
export const usesOf = (plugin: Plugin, { options = {}, beside = [] }: PluginUnderTest): readonly PluginUse[] => [
  ...beside.map((other) => ('plugin' in other ? other : { plugin: other })),
  plugin.options === undefined ? { plugin } : { plugin, options: plugin.options.parse(options) },
]

/** @throws {Error} unless it holds. */
export function promised(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}
