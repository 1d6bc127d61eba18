/** Hands lines to those who follow, as they come. Costs nothing while nobody does. */
import type { LogSource } from './layout.ts'
import type { OnLine } from './live-lines.ts'
import type { LogLine } from './lines.ts'

export interface Follower {
  wants(source: LogSource, instance: string): boolean
  /** Must return soon: the program's next output waits. */
  onLine(line: LogLine): void
}

export class Followers {
  readonly #all = new Set<Follower>()

  /** Returns how to stop. */
  add(follower: Follower): () => void {
    this.#all.add(follower)
    return () => void this.#all.delete(follower)
  }

  /** What to do with lines of this source; `undefined` when nobody wants them. */
  listener(source: LogSource, instance: string): OnLine | undefined {
    if (this.#all.size === 0) return undefined
    const wanting = [...this.#all].filter((follower) => follower.wants(source, instance))
    if (wanting.length === 0) return undefined
    const { service, stream } = source
    return (bytes, timeMs) => {
      for (const follower of wanting) {
        if (this.#all.has(follower)) follower.onLine({ timeMs, service, instance, stream, bytes })
      }
    }
  }
}

/** Lines that wait for their reader. The oldest go when there are too many. */
export class LineQueue {
  /** Lines that went. */
  dropped = 0
  #lines: LogLine[] = []
  #bytes = 0
  readonly #limit: { readonly lines: number; readonly bytes: number }

  constructor(limit: { readonly lines: number; readonly bytes: number }) {
    this.#limit = limit
  }

  push(line: LogLine): void {
    this.#lines.push(line)
    this.#bytes += line.bytes.length
    if (this.#lines.length <= this.#limit.lines && this.#bytes <= this.#limit.bytes) return
    // A quarter at once, since shifting an array one by one costs its length each time.
    const gone = this.#lines.splice(0, Math.max(1, this.#lines.length >> 2))
    this.dropped += gone.length
    for (const { bytes } of gone) this.#bytes -= bytes.length
  }

  /** Everything that waits; it waits no longer. */
  take(): readonly LogLine[] {
    const lines = this.#lines
    this.#lines = []
    this.#bytes = 0
    return lines
  }
}
