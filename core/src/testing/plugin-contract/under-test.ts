/** The plugin of a suite among those it needs, and what a broken promise throws. */
import { loadSchemas, schemasOf } from '../../plugin-schemas.ts'
import type { Plugin, PluginUse } from '../../plugin.ts'
import type { PluginUnderTest } from '../plugin-contract.ts'

/** The plugin with its options as its own schema makes them, behind those it needs. */
export const usesOf = async (
  plugin: Plugin,
  { options = {}, beside = [] }: PluginUnderTest,
): Promise<readonly PluginUse[]> => {
  const others = beside.map((other) => ('plugin' in other ? other : { plugin: other }))
  await loadSchemas([...others, { plugin }])
  const schema = schemasOf(plugin).options
  return [...others, schema === undefined ? { plugin } : { plugin, options: schema.parse(options) }]
}

/** @throws {Error} unless it holds. */
export function promised(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise)
}
