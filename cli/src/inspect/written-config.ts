/** Durations and sizes of a resolved config as people write them: what a config may say is known where plugins are. */
import { composeSchema, writtenValues, type Inspection, type PluginUse } from '@systemg/core'

declare module '@systemg/core' {
  interface Inspection {
    /** Durations and sizes of `config` as people write them, by path: `{ 'backoff.initial': '1s' }`. */
    readonly written?: Readonly<Record<string, string>>
  }
}

export const writtenOf = async (
  config: Inspection['config'],
  uses: readonly PluginUse[],
): Promise<NonNullable<Inspection['written']>> => {
  const { service } = await composeSchema(uses)
  return writtenValues(config, (key) => service.get(key)?.schema)
}
