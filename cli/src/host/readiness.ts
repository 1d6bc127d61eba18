/**
 * Tells when something can be read, and reads nothing itself. Node has no call for that: its streams read.
 *
 * A handle without room in its buffer is told that it cannot take what is there (`UV_ENOBUFS`), each time the event loop
 * finds it readable. Inner parts of Node's sockets, the same on 22, 24 and 26; a test notices when they change.
 */
import { Socket } from 'node:net'

export interface Readiness {
  start(): void
  stop(): void
  /** Closes the descriptor. */
  close(): Promise<void>
}

interface ReadHandle {
  onread: () => void
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  readStop(): number
}

/** Watch a pipe from `start` on. `onReadable` must empty it, or is called again at once. */
export const watchReadable = (fd: number, onReadable: () => void): Readiness => {
  const socket = new Socket({ fd, readable: true, writable: false })
  socket.pause()
  const handle = (socket as unknown as { readonly _handle: ReadHandle })._handle
  handle.readStop()
  handle.useUserBuffer(new Uint8Array(0))
  handle.onread = onReadable
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  return {
    start: () => void handle.readStart(),
    stop: () => void handle.readStop(),
    async close() {
      socket.destroy()
      await closed
    },
  }
}
