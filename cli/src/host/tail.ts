/** Keeps the last bytes of a stream. */
export class Tail {
  readonly #keepBytes: number
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes
  }

  /** Add a chunk. It is kept as it is: don't use its memory again. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    for (let first = this.#chunks[0]; first !== undefined; first = this.#chunks[0]) {
      if (this.#bytes - first.length < this.#keepBytes) break
      this.#chunks.shift()
      this.#bytes -= first.length
    }
  }

  /** The last bytes as text, beginning with a whole character. */
  toString(): string {
    const all = Buffer.concat(this.#chunks)
    let start = Math.max(0, all.length - this.#keepBytes)
    if (start > 0) while (start < all.length && isInsideCharacter(all[start])) start++
    return all.toString('utf8', start)
  }
}

/** Bytes 10xxxxxx go on with a UTF-8 character that began before. */
const isInsideCharacter = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80
