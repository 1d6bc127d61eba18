/** What services have used altogether, with what has ended. */
import type { Meter } from './meter.ts'
import type { Metered } from './sampler.ts'

export class Totals {
  /** CPU time of instances that have ended, ms, by service. */
  readonly #ended = new Map<string, number>()

  end(service: string, meter: Meter | undefined): void {
    if (meter !== undefined) this.#ended.set(service, (this.#ended.get(service) ?? 0) + meter.cpuMs)
  }

  /** Forget services that are no more. */
  keepOnly(isKnown: (service: string) => boolean): void {
    for (const service of this.#ended.keys()) if (!isKnown(service)) this.#ended.delete(service)
  }

  /** CPU time by service, ms: of what lives and of what has ended. */
  cpuMs(living: Iterable<Metered>): ReadonlyMap<string, number> {
    const sums = sumByService(living, ({ cpuMs }) => cpuMs)
    for (const [service, ms] of this.#ended) sums.set(service, (sums.get(service) ?? 0) + ms)
    return sums
  }
}

export const sumByService = (living: Iterable<Metered>, of: (meter: Meter) => number): Map<string, number> => {
  const sums = new Map<string, number>()
  for (const { instance, meter } of living) {
    const { name } = instance.service
    sums.set(name, (sums.get(name) ?? 0) + of(meter))
  }
  return sums
}
