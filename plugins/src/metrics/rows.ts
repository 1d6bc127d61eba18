/** What was measured at one time, as it is stored: one record for all services. Pure. */
import { once, type Durable } from '@systemg/core'
import * as z from 'zod/mini'

/** Of one service over a while. */
export interface Usage {
  /** Of one core. */
  readonly cpuPercent: number
  readonly cpuPercentMax: number
  readonly memoryBytes: number
  readonly memoryBytesMax: number
}

export interface Row {
  /** Wall clock, ms: the end of the time that it is about. */
  readonly timeMs: number
  readonly spanMs: number
  readonly services: ReadonlyMap<string, Usage>
}

const record = once(() => {
  const amount = z.number().check(z.minimum(0))
  return z.object({
    ms: amount,
    /** By service: CPU and memory; or CPU, the highest CPU, memory and the highest memory. */
    services: z.record(z.string(), z.union([z.tuple([amount, amount]), z.tuple([amount, amount, amount, amount])])),
  })
})

/** `undefined` when it is damaged. */
export const rowOf = (timeMs: number, value: Durable): Row | undefined => {
  const { data } = record().safeParse(value)
  if (data === undefined) return undefined
  const services = new Map(
    Object.entries(data.services).map(([name, numbers]): [string, Usage] => {
      const [cpu, cpuMax, memory, memoryMax] =
        numbers.length === 4 ? numbers : [numbers[0], numbers[0], numbers[1], numbers[1]]
      return [name, { cpuPercent: cpu, cpuPercentMax: cpuMax, memoryBytes: memory, memoryBytesMax: memoryMax }]
    }),
  )
  return { timeMs, spanMs: data.ms, services }
}

export const recordOf = ({ spanMs, services }: Row): Durable => ({
  ms: Math.round(spanMs),
  services: Object.fromEntries([...services].map(([name, usage]) => [name, numbersOf(usage)])),
})

const numbersOf = ({ cpuPercent, cpuPercentMax, memoryBytes, memoryBytesMax }: Usage): readonly number[] =>
  cpuPercent === cpuPercentMax && memoryBytes === memoryBytesMax
    ? [short(cpuPercent), memoryBytes]
    : [short(cpuPercent), short(cpuPercentMax), Math.round(memoryBytes), memoryBytesMax]

const short = (percent: number): number => Math.round(percent * 100) / 100

/** Several usages of one service as one: means by the time that each is about, and the highest of all. */
const together = (parts: readonly { readonly spanMs: number; readonly usage: Usage }[]): Usage => {
  const totalMs = parts.reduce((sum, { spanMs }) => sum + Math.max(1, spanMs), 0)
  const mean = (of: (usage: Usage) => number) =>
    parts.reduce((sum, { spanMs, usage }) => sum + of(usage) * Math.max(1, spanMs), 0) / totalMs
  return {
    cpuPercent: mean(({ cpuPercent }) => cpuPercent),
    cpuPercentMax: Math.max(...parts.map(({ usage }) => usage.cpuPercentMax)),
    memoryBytes: Math.round(mean(({ memoryBytes }) => memoryBytes)),
    memoryBytesMax: Math.max(...parts.map(({ usage }) => usage.memoryBytesMax)),
  }
}

/** Rows as fewer, one for each bucket of this length that has any. A row ends in its bucket, or with it. */
export const condensed = (rows: readonly Row[], bucketMs: number): readonly Row[] => {
  const buckets = new Map<number, Row[]>()
  for (const row of rows) {
    const bucket = Math.floor((row.timeMs - 1) / bucketMs)
    const known = buckets.get(bucket)
    if (known === undefined) buckets.set(bucket, [row])
    else known.push(row)
  }
  return [...buckets].map(([bucket, parts]) => ({
    timeMs: (bucket + 1) * bucketMs,
    spanMs: bucketMs,
    services: servicesOf(parts),
  }))
}

const servicesOf = (rows: readonly Row[]): ReadonlyMap<string, Usage> => {
  const names = new Set(rows.flatMap(({ services }) => [...services.keys()]))
  return new Map(
    [...names].map((name) => {
      const parts = rows.flatMap(({ spanMs, services }) => {
        const usage = services.get(name)
        return usage === undefined ? [] : [{ spanMs, usage }]
      })
      return [name, together(parts)] as const
    }),
  )
}
