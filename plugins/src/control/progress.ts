/** Tells clients what happens while their request runs. */
import type { ControlCall, SysgEvent } from '@systemg/core'

export class Progress {
  readonly #calls = new Set<ControlCall>()

  /** Hand an event to every request that runs. */
  tell(event: SysgEvent): void {
    for (const call of [...this.#calls]) void call.notify('event', event)
  }

  /** Do `body`, and meanwhile tell `call` of every event. */
  async during<T>(call: ControlCall, body: () => Promise<T>): Promise<T> {
    this.#calls.add(call)
    try {
      return await body()
    } finally {
      this.#calls.delete(call)
    }
  }
}
