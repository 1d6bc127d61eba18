/** What services write, and how it is read. */
import type { Descriptor } from './descriptor.ts'
import type { AppendFile } from './files.ts'

/** Receives what a process wrote. The chunk is only valid during the call: copy what you keep. */
export type OnChunk = (chunk: Uint8Array) => void

/**
 * Moves bytes of a pipe to the end of a file that this host has opened, at most so many, without anybody seeing them.
 * Returns how many; 0 when that is not possible. Throws nothing.
 */
export type MoveUnseen = (file: AppendFile, most: number) => number

/** Asked before bytes are read, by hosts that can move them unseen. `false`: they are to be seen, by `OnChunk`. */
export type TakeUnseen = (move: MoveUnseen) => boolean

/** The reading side of a service's output. */
export interface OutputPipe {
  /** Hand this to the process as stdout or stderr. */
  readonly writer: Descriptor
  /** Read everything that is there now; resolves when nothing is left. */
  drain(): Promise<void>
  /** Stop and start reading: what is not read waits in the pipe, and then the writer waits. */
  pause(): void
  resume(): void
  close(): Promise<void>
}
