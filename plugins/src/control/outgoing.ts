/** What waits to be sent on one connection. Frames that are waiting go out together; what may wait is bounded. */
import type { Connection } from '@systemg/core'

/** At most so much text is put into one write, UTF-16 units. With more waiting there is no room. */
const writeLength = 256 * 1024

export class Outgoing {
  readonly #connection: Connection
  #frames: string[] = []
  #waitingLength = 0
  #sending: Promise<void> | undefined
  #isClosed = false
  #onRoom: (() => void)[] = []

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** How much waits, UTF-16 units (about bytes). */
  get waitingLength(): number {
    return this.#waitingLength
  }

  push(frame: string): void {
    if (this.#isClosed) return
    this.#frames.push(frame)
    this.#waitingLength += frame.length
    this.#sending ??= this.#send()
  }

  /** No more waits than one write takes. */
  get hasRoom(): boolean {
    return this.#waitingLength <= writeLength
  }

  /** Resolves when there is room, or the connection is closed. */
  room(): Promise<void> {
    return this.hasRoom ? Promise.resolve() : new Promise((resolve) => void this.#onRoom.push(resolve))
  }

  /** Resolves when nothing waits, or the connection is closed. */
  async flushed(): Promise<void> {
    await this.#sending
  }

  /** Drop what waits. */
  close(): void {
    this.#isClosed = true
    this.#frames = []
    this.#waitingLength = 0
    this.#tellRoom()
  }

  async #send(): Promise<void> {
    // One turn later: replies to frames that came together leave together.
    await Promise.resolve()
    const encoder = new TextEncoder()
    while (this.#frames.length > 0) {
      const text = this.#take()
      try {
        await this.#connection.write(encoder.encode(text))
      } catch {
        this.close()
      }
      this.#waitingLength = Math.max(0, this.#waitingLength - text.length)
      this.#tellRoom()
    }
    this.#sending = undefined
  }

  #tellRoom(): void {
    if (!this.hasRoom) return
    for (const resolve of this.#onRoom.splice(0)) resolve()
  }

  #take(): string {
    let count = 0
    for (let length = 0; count < this.#frames.length && length < writeLength; count++) {
      length += this.#frames[count]?.length ?? 0
    }
    return this.#frames.splice(0, Math.max(1, count)).join('')
  }
}
