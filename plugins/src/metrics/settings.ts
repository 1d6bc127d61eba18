/** The top-level key `metrics` as code reads it. */
import type { z } from 'zod'
import type { metricsKey } from './options.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** `undefined` when it is none. */
export const addressOf = (text: string): Address | undefined => {
  const [, bracketed, plain, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

export type MetricsOptions = z.output<typeof metricsKey>

/** Without a word about it in the config. */
const defaults: MetricsOptions = { interval: 5_000, retention: 43_200_000 }

/** Of a config in force; one that an earlier version of systemg resolved may lack some of it. */
export const optionsOf = ({ metrics }: { readonly metrics?: Partial<MetricsOptions> }): MetricsOptions => ({
  ...defaults,
  ...metrics,
})
