/** Unix sockets for the control protocol: 0600, and only one supervisor on each. */
import { chmodSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import type { Net } from '@systemg/core'
import { connectionOf } from './connection.ts'
import { hostError } from './host-error.ts'
import { prepareSocket } from './prepare-socket.ts'
import { SpareDescriptors } from './spare-descriptors.ts'
import { removeStale } from './stale-socket.ts'

export const nodeNet: Pick<Net, 'serve'> = {
  async serve(wantedPath, accept) {
    const path = prepareSocket(wantedPath)
    await removeStale(path)
    const sockets = new Set<Socket>()
    const spare = new SpareDescriptors()
    const server = createServer((socket) => {
      if (spare.isEmpty) {
        socket.destroy()
        spare.refill()
        return
      }
      sockets.add(socket)
      socket.once('close', () => {
        sockets.delete(socket)
        spare.refill()
      })
      accept(connectionOf(socket))
    })
    await listen(server, path).catch((thrown: unknown) => {
      spare.close()
      throw thrown
    })
    // Out of descriptors. Accepting is tried again at once.
    server.on('error', () => spare.giveOne())
    return {
      close: () =>
        new Promise((resolve) => {
          spare.close()
          server.close(() => resolve())
          for (const socket of sockets) socket.destroy()
        }),
    }
  },
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) => reject(hostError(`listen on ${path}`, error)))
    server.once('listening', () => {
      try {
        chmodSync(path, 0o600)
        resolve()
      } catch (thrown) {
        server.close()
        reject(hostError(`listen on ${path}`, thrown))
      }
    })
    withPrivateMask(() => server.listen(path))
  })

/** The socket is made at once, inside the call, so that it is never open to others. */
const withPrivateMask = (body: () => void): void => {
  if (!isMainThread) {
    body()
    return
  }
  const mask = process.umask(0o177)
  try {
    body()
  } finally {
    process.umask(mask)
  }
}
