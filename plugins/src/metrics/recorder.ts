/** Puts what the sampler measures by itself into the history, as one row for all services. */
import type { Clock } from '@systemg/core'
import type { History } from './history.ts'
import type { Metered } from './sampler.ts'
import type { Usage } from './rows.ts'

/** A row is about no longer time than that: before, nothing ran. */
const longestSpanMs = 600_000

export class Recorder {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #history: History
  #lastAt: number

  constructor(clock: Pick<Clock, 'monotonic'>, history: History) {
    this.#clock = clock
    this.#history = history
    this.#lastAt = clock.monotonic()
  }

  record(all: Iterable<Metered>): void {
    const at = this.#clock.monotonic()
    const services = new Map<string, Usage>()
    for (const { instance, meter } of all) {
      const cpuPercent = meter.percentSinceRow(at)
      if (meter.memoryBytes === undefined) continue
      const { name } = instance.service
      services.set(name, plus(services.get(name), cpuPercent ?? meter.cpuPercent ?? 0, meter.memoryBytes))
    }
    const spanMs = Math.min(longestSpanMs, at - this.#lastAt)
    this.#lastAt = at
    if (services.size > 0) this.#history.append(spanMs, services)
  }
}

const plus = (before: Usage | undefined, percent: number, bytes: number): Usage => {
  const cpuPercent = (before?.cpuPercent ?? 0) + percent
  const memoryBytes = (before?.memoryBytes ?? 0) + bytes
  return { cpuPercent, cpuPercentMax: cpuPercent, memoryBytes, memoryBytesMax: memoryBytes }
}
