/**
 * The lines of some streams, for one reader that may be slow.
 *
 *   lines wait ──── more than may wait ────► behind: nothing is kept
 *     ▲                                        │ those that wait have been taken
 *     └──── what was missed is read from files ┘
 *
 * Each line comes once and, within a stream, in order. Only what is rotated away before it was read is lost; then it is
 * said how many lines that were.
 */
import type { Files } from '@systemg/core'
import type { FollowedStream, Follower } from './followers.ts'
import type { LogSource } from './layout.ts'
import { countNewlines, linesOf, type LogLine, type LogRun } from './lines.ts'
import { readRuns } from './reader.ts'
import type { Position } from './stream-log.ts'

export interface Wanted {
  readonly isWanted: (source: LogSource, instance: string) => boolean
  /** Alone of this instance. */
  readonly instance?: string | undefined
}

/** Lines that were lost. */
export interface Lost {
  readonly lost: number
}

/** Lines that come together, and where those that follow them begin: who stops here goes on there, and misses none. */
export interface Batch {
  readonly lines: readonly (LogLine | Lost)[]
  /** Of each stream that has lines here, by `base`. */
  readonly ends: ReadonlyMap<string, Position>
}

/** What was not taken of a stream. */
interface Missed {
  readonly stream: FollowedStream
  /** Where it begins. */
  from: Position
  /** Newlines in it. */
  lines: number
}

/** More than this does not wait in memory (but for what one chunk of a program holds), bytes. */
const mostWaiting = 512 * 1024

/** What a line takes in memory besides its bytes, about. */
const lineBytes = 256

export class Following implements Follower {
  readonly #files: Files
  readonly #wanted: Wanted
  #waiting: LogLine[] = []
  #waitingBytes = 0
  /** Streams whose lines wait. */
  readonly #waitingOf = new Set<FollowedStream>()
  readonly #missed = new Map<string, Missed>()
  /** Until the one who reads asks for the first line. */
  #isBehind = true
  #isOver = false
  #wake: () => void = () => undefined

  constructor(files: Files, wanted: Wanted) {
    this.#files = files
    this.#wanted = wanted
  }

  wants(source: LogSource, instance: string): boolean {
    return this.#wanted.isWanted(source, instance) && (this.#wanted.instance ?? instance) === instance
  }

  take(stream: FollowedStream, bytes: Uint8Array): ((line: LogLine) => void) | undefined {
    if (!this.#isBehind && this.#waitingBytes <= mostWaiting) return (line) => this.#push(stream, line)
    this.#isBehind = true
    const { base } = stream.source
    const missed = this.#missed.get(base) ?? { stream, from: stream.lineEnd, lines: 0 }
    missed.lines += countNewlines(bytes)
    this.#missed.set(base, missed)
    this.#wake()
    return undefined
  }

  /** Where a stream began to be missed; `undefined` when nothing of it was. */
  missedFrom({ base }: LogSource): Position | undefined {
    return this.#missed.get(base)?.from
  }

  /** No more lines than have come so far. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** Everything from the moment on at which this became a follower, many lines at a time. */
  async *batches(): AsyncGenerator<Batch> {
    for (;;) {
      if (this.#waiting.length > 0) {
        const lines = this.#waiting
        yield { lines, ends: this.#takeWaiting() }
        for (const { bytes } of lines) this.#waitingBytes -= bytes.length + lineBytes
      } else if (this.#missed.size > 0) yield* this.#readMissed()
      else if (this.#isOver) return
      else {
        this.#isBehind = false
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }

  #push(stream: FollowedStream, line: LogLine): void {
    this.#waiting.push(line)
    this.#waitingOf.add(stream)
    this.#waitingBytes += line.bytes.length + lineBytes
    this.#wake()
  }

  /** Returns where what follows begins. */
  #takeWaiting(): Batch['ends'] {
    const ends = [...this.#waitingOf].map((stream) => {
      const { base } = stream.source
      return [base, this.#missed.get(base)?.from ?? stream.lineEnd] as const
    })
    this.#waiting = []
    this.#waitingOf.clear()
    return new Map(ends)
  }

  /** Up to what the files hold now. What comes meanwhile waits, or is missed anew. */
  async *#readMissed(): AsyncGenerator<Batch> {
    const missed = [...this.#missed.values()]
    const starts = new Map(missed.map(({ stream, from }) => [stream.source.base, from]))
    const ends = new Map(missed.map(({ stream }) => [stream.source.base, stream.lineEnd]))
    let expected = missed.reduce((sum, { lines }) => sum + lines, 0)
    this.#missed.clear()
    this.#isBehind = false
    const query = {
      instance: this.#wanted.instance,
      start: ({ base }: LogSource) => starts.get(base),
      end: ({ base }: LogSource) => ends.get(base),
    }
    const sources = missed.map(({ stream }) => stream.source)
    for await (const runs of readRuns(this.#files, sources, query)) {
      for (const { bytes } of runs) expected -= countNewlines(bytes)
      yield batchOf(runs)
    }
    if (expected > 0) yield { lines: [{ lost: expected }], ends }
  }
}

/** Runs of a stream come in order: the last one ends where the next will begin. */
export const batchOf = (
  runs: readonly LogRun[],
): { readonly lines: readonly LogLine[]; readonly ends: Batch['ends'] } => ({
  lines: runs.flatMap(linesOf),
  ends: new Map(runs.map(({ source, end }) => [source.base, end])),
})
