/** Hands lines to those who follow, as they come. Costs nothing while nobody does. */
import type { LogSource } from './layout.ts'
import type { LogLine } from './lines.ts'
import type { OnLine } from './live-lines.ts'
import type { Position } from './stream-log.ts'

/** A stream, as those who follow it see it. */
export interface FollowedStream {
  readonly source: LogSource
  /** Who writes at present. */
  readonly instance: string
  /** Where the last finished line ends: the line that is handed over next begins there. */
  readonly lineEnd: Position
}

export interface Follower {
  wants(source: LogSource, instance: string): boolean
  /**
   * Bytes have come that are not in the files yet. Who has no room for the lines in them answers `undefined`, and reads
   * them from the files later: from `stream.lineEnd` of this moment on. The program's next output waits until then.
   */
  take(stream: FollowedStream, bytes: Uint8Array): ((line: LogLine) => void) | undefined
}

const nothing = new Uint8Array(0)

export class Followers {
  readonly #all = new Set<Follower>()

  /** Returns how to stop. */
  add(follower: Follower): () => void {
    this.#all.add(follower)
    return () => void this.#all.delete(follower)
  }

  /** Whether somebody wants what this stream carries now. */
  want({ source, instance }: FollowedStream): boolean {
    for (const follower of this.#all) if (follower.wants(source, instance)) return true
    return false
  }

  /**
   * What to do with the lines in `bytes`, and one they finish; `undefined` when nobody takes them. To be asked before the
   * bytes are written to the files.
   */
  listener(stream: FollowedStream, bytes: Uint8Array = nothing): OnLine | undefined {
    if (this.#all.size === 0) return undefined
    const { source, instance } = stream
    const takers = [...this.#all]
      .filter((follower) => follower.wants(source, instance))
      .map((follower) => follower.take(stream, bytes))
      .filter((taker) => taker !== undefined)
    if (takers.length === 0) return undefined
    const { service, stream: name } = source
    return (line, timeMs) => {
      for (const take of takers) take({ timeMs, service, instance, stream: name, bytes: line })
    }
  }
}
