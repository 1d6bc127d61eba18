/** One end of a stream socket, as the control protocol sees it. */
import type { Socket } from 'node:net'
import type { Connection } from '@systemg/core'

/** How long a closed connection may take nothing of what was written before. */
const lingerMs = 5000

/** The connection over a socket that is connected. Bytes wait in it until there is a listener. */
export const connectionOf = (socket: Socket): Connection => {
  let hasRoom: Promise<void> | undefined
  // The end is told by `close`, which follows every error.
  socket.on('error', () => undefined)
  const room = (): Promise<void> =>
    (hasRoom ??= new Promise((resolve) => {
      const done = (): void => {
        hasRoom = undefined
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    }))

  return {
    async write(data) {
      if (!socket.writable || socket.write(data)) return
      await room()
    },
    onData: (listener) => void socket.on('data', listener),
    onClose(listener) {
      if (socket.closed) queueMicrotask(listener)
      else socket.once('close', () => listener())
    },
    close() {
      // Nothing more is heard: who goes on sending must not keep it open.
      socket.pause()
      socket.end(() => socket.destroy())
      // Who never reads would hold what was written for ever.
      const timer = setTimeout(() => socket.destroy(), lingerMs)
      timer.unref()
      socket.once('close', () => clearTimeout(timer))
    },
  }
}
