/** One JSON object per line: from chunks to lines, and from an object to its frame. Pure; used by both sides. */

/** Said by `FrameReader.push` when a frame is longer than its limit. */
export class FrameTooLong extends Error {
  override readonly name = 'FrameTooLong'
}

const newline = 10

/** Collects chunks until a line is whole; only then are its bytes decoded, so no character is ever cut. */
export class FrameReader {
  readonly #longest: number
  #parts: Uint8Array[] = []
  #length = 0

  constructor(longest: number) {
    this.#longest = longest
  }

  /** Whether a frame has begun that is not whole yet. */
  get isInside(): boolean {
    return this.#length > 0
  }

  /**
   * The frames that `chunk` completes, without their newline. Empty lines are none.
   *
   * @throws {FrameTooLong} and forgets what it had: nothing behind can be trusted to be a frame.
   */
  push(chunk: Uint8Array): readonly string[] {
    const frames: string[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end))
      const text = this.#take().trim()
      if (text !== '') frames.push(text)
      start = end + 1
    }
    // The rest is copied: the chunk is only valid during the call.
    if (start < chunk.length) this.#keep(chunk.slice(start))
    return frames
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length > this.#longest) {
      this.#parts = []
      this.#length = 0
      throw new FrameTooLong(`a frame is longer than ${this.#longest} bytes`)
    }
    if (part.length > 0) this.#parts.push(part)
  }

  #take(): string {
    const decoder = new TextDecoder()
    const text = this.#parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode()
    this.#parts = []
    this.#length = 0
    return text
  }
}

/** The text of a frame. JSON holds no raw newline, so a frame never breaks another. */
export const frame = (message: unknown): string => `${JSON.stringify(message)}\n`
