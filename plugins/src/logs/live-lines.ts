/** Cuts a stream that arrives in chunks into lines, for those who follow it. Keeps at most one line that is not finished. */
import { characterBorder, longestLine, newline } from './lines.ts'

/** Receives a line with its newline, if it has one, and when its first byte came. The bytes are its own to keep. */
export type OnLine = (bytes: Uint8Array, timeMs: number) => void

export class LiveLines {
  #buffer = new Uint8Array(256)
  #length = 0
  #timeMs = 0

  /** Bytes of the line that is not finished. */
  get pendingBytes(): number {
    return this.#length
  }

  /** Go on with a line whose beginning others have seen. */
  restore(unfinished: Uint8Array, timeMs: number): void {
    this.#length = 0
    this.#append(unfinished)
    this.#timeMs = timeMs
  }

  /** @param onLine - `undefined` when nobody follows: then only the unfinished line is kept. */
  push(chunk: Uint8Array, timeMs: number, onLine: OnLine | undefined): void {
    let at = 0
    if (onLine === undefined) {
      at = chunk.lastIndexOf(newline) + 1
      if (at > 0) this.#length = 0
    }
    while (at < chunk.length) {
      const found = chunk.indexOf(newline, at)
      const room = longestLine + 1 - this.#length
      const end = Math.min(found === -1 ? chunk.length : found + 1, at + room)
      const isWhole = found !== -1 && end === found + 1
      if (this.#length === 0) this.#timeMs = timeMs
      this.#append(chunk.subarray(at, end))
      if (isWhole) this.flush(onLine)
      else if (this.#length > longestLine) this.#split(timeMs, onLine)
      at = end
    }
  }

  /** Give the unfinished line as it is: nothing more of it will come. */
  flush(onLine: OnLine | undefined): void {
    if (this.#length > 0) onLine?.(this.#buffer.slice(0, this.#length), this.#timeMs)
    this.#length = 0
    if (this.#buffer.length > 4096) this.#buffer = new Uint8Array(256)
  }

  #split(timeMs: number, onLine: OnLine | undefined): void {
    const end = characterBorder(this.#buffer, 0, longestLine)
    onLine?.(this.#buffer.slice(0, end), this.#timeMs)
    this.#buffer.copyWithin(0, end, this.#length)
    this.#length -= end
    this.#timeMs = timeMs
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#length)
    this.#length = needed
  }
}
