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
import { countNewlines, newline, type LogLine } from './lines.ts'
import { readBatches } from './reader.ts'
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
    if (!this.#isBehind && this.#waitingBytes <= mostWaiting) return this.#push
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
  async *lines(): AsyncGenerator<readonly (LogLine | Lost)[]> {
    for (;;) {
      if (this.#waiting.length > 0) {
        const waiting = this.#waiting
        this.#waiting = []
        yield waiting
        for (const { bytes } of waiting) this.#waitingBytes -= bytes.length + lineBytes
      } else if (this.#missed.size > 0) yield* this.#readMissed()
      else if (this.#isOver) return
      else {
        this.#isBehind = false
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }

  readonly #push = (line: LogLine): void => {
    this.#waiting.push(line)
    this.#waitingBytes += line.bytes.length + lineBytes
    this.#wake()
  }

  /** Up to what the files hold now. What comes meanwhile waits, or is missed anew. */
  async *#readMissed(): AsyncGenerator<readonly (LogLine | Lost)[]> {
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
    for await (const lines of readBatches(this.#files, sources, query)) {
      expected -= lines.filter(({ bytes }) => bytes[bytes.length - 1] === newline).length
      yield lines
    }
    if (expected > 0) yield [{ lost: expected }]
  }
}
