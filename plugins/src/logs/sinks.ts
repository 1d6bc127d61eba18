/** Hands what programs write to the sinks that other plugins registered. Costs nothing where there are none. */
import { whyOf, type OutputSink, type Registry, type Trace, type WrittenOutput } from '@systemg/core'

export class Sinks {
  readonly #registry: Registry<OutputSink>
  readonly #trace: Trace
  /** Sinks are registered in `setup`, and output comes later. */
  #sinks: { readonly plugin: string; readonly value: OutputSink }[] | undefined

  constructor(registry: Registry<OutputSink>, trace: Trace) {
    this.#registry = registry
    this.#trace = trace
  }

  /** Whether any sink wants what this instance writes now. */
  want(of: { readonly service: string; readonly instance: string }): boolean {
    this.#sinks ??= [...this.#registry.list()]
    // One that throws is found out when it is given something.
    return this.#sinks.some(({ value }) => {
      try {
        return value.wants(of)
      } catch {
        return true
      }
    })
  }

  /** @param output - Made only when a sink wants it. */
  give(of: { readonly service: string; readonly instance: string }, output: () => WrittenOutput): void {
    this.#sinks ??= [...this.#registry.list()]
    for (const sink of this.#sinks) {
      try {
        if (sink.value.wants(of)) sink.value.write(output())
      } catch (thrown) {
        // One that throws would do so with every chunk.
        this.#sinks = this.#sinks.filter((other) => other !== sink)
        this.#trace('error', `Plugin ${sink.plugin} gets no more output: ${whyOf(thrown)}`, { thrown })
      }
    }
  }
}
