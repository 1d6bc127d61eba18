/** What the last tries of each instance came to. Bounded. */
import type { Clock, InstanceInfo } from '@systemg/core'
import type { Result } from './checker.ts'

/** One try, as the control method `health.history` tells it. */
export interface TriedOnce extends Result {
  /** ISO 8601, when it was over. */
  readonly time: string
  readonly duration_ms: number
}

export interface InstanceHistory {
  readonly service: string
  readonly instance: string
  /** The earliest first. */
  readonly results: readonly TriedOnce[]
}

const keep = 20

export class History {
  readonly #clock: Pick<Clock, 'now'>
  readonly #living = new Map<string, { readonly service: string; readonly results: TriedOnce[] }>()
  /** Of each service the instance that ended last: it says why that was restarted. */
  readonly #ended = new Map<string, InstanceHistory>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  add({ id, service }: InstanceInfo, { healthy, reason }: Result, durationMs: number): void {
    const known = this.#living.get(id) ?? { service: service.name, results: [] }
    this.#living.set(id, known)
    const time = new Date(this.#clock.now()).toISOString()
    known.results.push({ time, healthy, reason, duration_ms: durationMs })
    if (known.results.length > keep) known.results.shift()
  }

  end({ id }: InstanceInfo): void {
    const known = this.#living.get(id)
    this.#living.delete(id)
    if (known !== undefined) this.#ended.set(known.service, { ...known, instance: id })
  }

  /** Forget services that are no more. */
  keepOnly(isKnown: (service: string) => boolean): void {
    for (const service of this.#ended.keys()) if (!isKnown(service)) this.#ended.delete(service)
  }

  /** Of one service or all. */
  list(service?: string): readonly InstanceHistory[] {
    const living = [...this.#living].map(([instance, known]) => ({ ...known, instance }))
    return [...this.#ended.values(), ...living].filter((one) => service === undefined || one.service === service)
  }
}
