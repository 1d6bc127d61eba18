/** Unix sockets for the control protocol: 0600, and only one supervisor on each. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { HostError, type Net } from '@systemg/core'
import { connectionOf } from './connection.ts'
import { errnoOf, hostError } from './host-error.ts'
import { prepareSocket } from './prepare-socket.ts'

export const nodeNet: Net = {
  async serve(wantedPath, accept) {
    const path = prepareSocket(wantedPath)
    await removeStale(path)
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      accept(connectionOf(socket))
    })
    await listen(server, path)
    // Out of descriptors: the caller waits in the backlog until there is one.
    server.on('error', () => undefined)
    return {
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve())
          for (const socket of sockets) socket.destroy()
        }),
    }
  },
}

/** @throws {HostError} `EADDRINUSE` when somebody answers, `ENOTSOCK` when something else is there. */
const removeStale = async (path: string): Promise<void> => {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isSocket()) throw new HostError('ENOTSOCK', `${path} exists and is not a socket`)
  if (await answers(path)) throw new HostError('EADDRINUSE', `somebody listens on ${path}`)
  try {
    unlinkSync(path)
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT') throw hostError(`remove ${path}`, thrown)
  }
}

/** Only a refusal proves that nobody listens: a full backlog (`EAGAIN`) is an answer, too. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error))))
  })

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
