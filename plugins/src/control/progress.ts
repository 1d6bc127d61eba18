/** Tells clients what happens while their request runs. */
import type { ControlMethod, SysgEvent } from '@systemg/core'

type Call = Parameters<ControlMethod>[1]

export class Progress {
  readonly #calls = new Set<Call>()

  /** Hand an event to every request that runs. */
  tell(event: SysgEvent): void {
    for (const call of [...this.#calls]) call.notify('event', event)
  }

  /** Do `body`, and meanwhile tell `call` of every event. */
  async during<T>(call: Call, body: () => Promise<T>): Promise<T> {
    this.#calls.add(call)
    try {
      return await body()
    } finally {
      this.#calls.delete(call)
    }
  }
}
