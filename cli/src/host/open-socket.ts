/** Connects to whoever listens, and makes sure that it is the one that was asked, where that matters. */
import { connect, type Socket } from 'node:net'
import type { ConnectOptions, PeerAddress } from '@systemg/core'
import { requireAnsweredBy } from './attribution.ts'
import { hostError } from './host-error.ts'
import type { ProcessTrees } from './process-trees.ts'

/**
 * A connected socket that nothing was written to.
 *
 * @throws {HostError} @throws {NotAnsweredBy} @throws the signal's reason.
 */
export const openSocket = async (
  to: PeerAddress,
  { signal, answeredBy }: ConnectOptions,
  trees: ProcessTrees,
): Promise<Socket> => {
  const socket = await connected(to, signal)
  try {
    if (answeredBy !== undefined) await requireAnsweredBy(socket, answeredBy, trees, signal)
    return socket
  } catch (thrown) {
    socket.destroy()
    throw thrown
  }
}

const connected = (to: PeerAddress, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = 'path' in to ? connect(to.path) : connect({ ...to, noDelay: true })
    const onAbort = () => {
      socket.destroy()
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', (error) => {
      signal.removeEventListener('abort', onAbort)
      reject(hostError(`connect to ${nameOf(to)}`, error))
    })
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort)
      // Whoever uses it listens for itself; until then an error must not end the process.
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })

const nameOf = (to: PeerAddress): string => ('path' in to ? to.path : `${to.host}:${to.port}`)
