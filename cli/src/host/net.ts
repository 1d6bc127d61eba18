/** Unix sockets for the control protocol: 0600, and only one supervisor on each. */
import { chmodSync } from 'node:fs'
import type { Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import type { Net } from '@systemg/core'
import { connectionOf } from './connection.ts'
import { attempt } from './host-error.ts'
import { keepThere } from './keep-there.ts'
import { acceptingUnix, type AcceptingHandle } from './listening-handle.ts'
import { prepareSocket } from './prepare-socket.ts'
import type { SpareDescriptors } from './spare-descriptors.ts'
import { removeStale } from './stale-socket.ts'

export const createNet = (spare: SpareDescriptors): Pick<Net, 'serve'> => ({
  async serve(wantedPath, accept) {
    const path = prepareSocket(wantedPath)
    await removeStale(path)
    const sockets = new Set<Socket>()
    const onSocket = (socket: Socket): void => {
      spare.opened()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      accept(connectionOf(socket))
    }
    let door: AcceptingHandle | undefined = opened(path, onSocket)
    spare.guard({ accept: () => door?.accept(), pause: () => door?.pause() })
    // Without it nobody finds the way any more, to stop this supervisor neither.
    const leave = keepThere(path, () => {
      door?.close()
      door = undefined
      door = opened(prepareSocket(wantedPath), onSocket)
    })
    return {
      async close() {
        leave()
        spare.close()
        door?.close()
        await Promise.all(Array.from(sockets, ended))
      },
    }
  },
})

/** @throws {HostError} */
const opened = (path: string, onSocket: (socket: Socket) => void): AcceptingHandle =>
  attempt(`listen on ${path}`, () => {
    const handle = withPrivateMask(() => acceptingUnix(path, onSocket))
    try {
      chmodSync(path, 0o600)
      handle.accept()
      return handle
    } catch (thrown) {
      handle.close()
      throw thrown
    }
  })

const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('close', () => resolve())
    socket.destroy()
  })

/** The socket is made at once, inside the call, so that it is never open to others. */
const withPrivateMask = <T>(body: () => T): T => {
  if (!isMainThread) return body()
  const mask = process.umask(0o177)
  try {
    return body()
  } finally {
    process.umask(mask)
  }
}
