/**
 * Named pipes, which carry what services write. They belong to the world, as a holder keeps them open over a
 * supervisor's death; a supervisor only reads.
 */
import type { Descriptor, OnChunk, OutputPipe } from '../host.ts'
import type { SimulatedProcess } from './process.ts'
import type { Supervisor } from './supervisor.ts'
import type { Timeline } from './timeline.ts'

/** What a pipe holds before its writer waits, as on Linux. */
const pipeBytes = 64 * 1024

export class NamedPipe {
  /** Called when there is something to read. One reader at a time: the latest. */
  onReadable: (() => void) | undefined
  readonly #content: Uint8Array[] = []
  /** What did not fit. Its writers wait, and it is lost when they are killed. */
  readonly #waiting: { readonly bytes: Uint8Array; readonly writer: SimulatedProcess }[] = []
  #size = 0

  /** Bytes that can be read. */
  get size(): number {
    return this.#size
  }

  /** Bytes whose writers wait for room. */
  get blockedBytes(): number {
    return this.#waiting.reduce((sum, { bytes, writer }) => sum + (writer.isAlive ? bytes.length : 0), 0)
  }

  write(bytes: Uint8Array, writer: SimulatedProcess): void {
    if (bytes.length === 0) return
    writer.blockWrite()
    this.#waiting.push({ bytes, writer })
    this.#fill()
    this.onReadable?.()
  }

  /** Remove and return everything that can be read, at most `pipeBytes`. Writers that wait get the room. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.#size)
    let offset = 0
    for (const bytes of this.#content) {
      taken.set(bytes, offset)
      offset += bytes.length
    }
    this.clear()
    this.#fill()
    return taken
  }

  clear(): void {
    this.#content.length = 0
    this.#size = 0
  }

  #fill(): void {
    let room = pipeBytes - this.#size
    while (room > 0) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      if (!next.writer.isAlive) continue
      const fits = next.bytes.subarray(0, room)
      this.#content.push(fits)
      this.#size += fits.length
      room -= fits.length
      if (fits.length === next.bytes.length) next.writer.unblockWrite()
      else this.#waiting.unshift({ ...next, bytes: next.bytes.subarray(fits.length) })
    }
  }
}

/** Read a pipe until it is closed or the supervisor dies. Bytes arrive a moment after they were written. */
export const readPipe = (
  timeline: Timeline,
  supervisor: Supervisor,
  pipe: NamedPipe,
  writer: Descriptor,
  onChunk: OnChunk,
): OutputPipe => {
  let isOpen = true
  let isPaused = false
  let isScheduled = false
  const isReading = () => isOpen && supervisor.isAlive && pipe.onReadable === wake
  const readOnce = () => {
    const chunk = pipe.take()
    onChunk(chunk)
    // Only valid during the call: whoever keeps it finds zeros.
    chunk.fill(0)
  }
  const wake = () => {
    if (isScheduled || isPaused || pipe.size === 0 || !isReading()) return
    isScheduled = true
    timeline.after(0, () => {
      isScheduled = false
      if (isPaused || pipe.size === 0 || !isReading()) return
      readOnce()
      wake()
    })
  }
  pipe.onReadable = wake
  wake()
  return {
    writer,
    drain: () =>
      supervisor.call('output.drain', () => {
        while (pipe.size > 0 && isReading()) readOnce()
      }),
    pause: () => void (isPaused = true),
    resume: () => {
      isPaused = false
      wake()
    },
    close: () =>
      supervisor.call('output.close', () => {
        isOpen = false
        if (pipe.onReadable === wake) pipe.onReadable = undefined
        writer.close()
      }),
  }
}
