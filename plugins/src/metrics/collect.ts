/** Asks every registered metric for its samples. One that fails or takes too long is left out. */
import { limited, orAborted, whyOf, type Host, type Metric, type Registry } from '@systemg/core'
import { exposition, type Collected } from './exposition.ts'

const limitMs = 2_000

export class Collector {
  readonly #host: Pick<Host, 'clock' | 'trace'>
  readonly #metrics: Registry<Metric>
  /** Those whose failure has been told. */
  readonly #failing = new Set<string>()

  constructor(host: Pick<Host, 'clock' | 'trace'>, metrics: Registry<Metric>) {
    this.#host = host
    this.#metrics = metrics
  }

  /** In Prometheus' text format. */
  async text(signal: AbortSignal): Promise<string> {
    const all = await Promise.all(this.#metrics.list().map((one) => this.#collect(one, signal)))
    return exposition(all.filter((one) => one !== undefined))
  }

  async #collect(
    { name, plugin, value: metric }: ReturnType<Registry<Metric>['list']>[number],
    signal: AbortSignal,
  ): Promise<Collected | undefined> {
    const { help, type } = metric
    try {
      const samples = await this.#limited(async (limit) => metric.collect(limit), signal)
      this.#failing.delete(name)
      return { name, help, type, samples } as Collected
    } catch (thrown) {
      if (!this.#failing.has(name) && !signal.aborted)
        this.#host.trace('warn', `The metric \`${name}\` of plugin \`${plugin}\` is left out: ${whyOf(thrown)}`)
      this.#failing.add(name)
      return undefined
    }
  }

  async #limited<T>(ask: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const tooLong = new Error(`it took longer than ${limitMs / 1_000} s`)
    const { signal: limit, end } = limited(this.#host.clock, limitMs, tooLong, signal)
    try {
      return await orAborted(ask(limit), limit)
    } finally {
      end()
    }
  }
}
