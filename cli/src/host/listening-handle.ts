/**
 * Listening sockets that this process never accepts on, or only when it wants to. Node's own `listen` also polls the socket, and so takes connections
 * that are meant for services, and goes on trying when there is no descriptor for another one. libuv decides at the end of a turn what it polls: a handle that begins to read, listens and
 * stops reading within one turn has had its listen(2) and is not polled. Checked with strace on Node 22.18, 24.21 and 26.10;
 * `test/cli/host/sockets.test.ts` fails if that ever changes.
 */
import net from 'node:net'
import { getSystemErrorMap } from 'node:util'
import { HostError } from '@systemg/core'

/** A bound socket, or one that listens, and its descriptor. Sockets are non-blocking. */
export interface ListeningHandle {
  readonly fd: number
  /** Listen, or change how many connections may wait. @throws {HostError} `EADDRINUSE`, … */
  listen(backlog: number): void
  /** Closes the descriptor; a unix socket that was bound here loses its path. */
  close(): void
}

/** @param host - Numeric, IPv6 without brackets. `::` takes IPv4, too. @throws {HostError} */
export const bindTcp = (host: string, port: number): ListeningHandle =>
  handleOf(internals._createServerHandle(host, port, host.includes(':') ? 6 : 4))

/** @throws {HostError} */
export const bindUnix = (path: string): ListeningHandle => handleOf(internals._createServerHandle(path, -1, -1))

/** A socket that somebody else has bound and this process has open. @throws {HostError} When it is none. */
export const takeUp = (fd: number): ListeningHandle =>
  handleOf(internals._createServerHandle(undefined, undefined, undefined, fd))

/** A unix socket that is private to its owner. */
export interface AcceptingHandle {
  /** Accept who waits and who comes, until `pause`. @throws {HostError} */
  accept(): void
  /** Whoever comes waits. */
  pause(): void
  /** The socket loses its path; who is connected stays so. */
  close(): void
}

/** Nobody is accepted yet. @throws {HostError} */
export const acceptingUnix = (path: string, onSocket: (socket: net.Socket) => void): AcceptingHandle => {
  const raw = bound(internals._createServerHandle(path, -1, -1))
  raw.onconnection = (error, handle) => {
    if (error === 0) onSocket(new internals.Socket({ handle }))
  }
  // Only a handle that was opened before it listens can begin to read, and so be stopped.
  requireDone(raw.open(raw.fd))
  return {
    accept: () => requireDone(raw.listen(acceptBacklog)),
    pause: () => requireDone(raw.readStart(), raw.readStop()),
    close: () => raw.close(),
  }
}

/** As Node's own. */
const acceptBacklog = 511

/** What Node has and does not document. Each returns 0 or a negative errno. */
interface RawHandle {
  readonly fd: number
  open(fd: number): number
  readStart(): number
  readStop(): number
  listen(backlog: number): number
  close(): void
  onconnection?: (error: number, handle: object) => void
}

const internals = net as unknown as {
  _createServerHandle(address?: string, port?: number, addressType?: number, fd?: number): RawHandle | number
  readonly Socket: new (options: { readonly handle: object }) => net.Socket
}

const handleOf = (made: RawHandle | number): ListeningHandle => {
  const raw = bound(made)
  const { fd } = raw
  return {
    fd,
    // Only a handle that was opened may read.
    listen: (backlog) => requireDone(raw.open(fd), raw.readStart(), raw.listen(backlog), raw.readStop()),
    close: () => raw.close(),
  }
}

const bound = (made: RawHandle | number): RawHandle => {
  if (typeof made === 'number') throw failure(made)
  return made
}

const requireDone = (...results: readonly number[]): void => {
  const failed = results.find((result) => result !== 0)
  if (failed !== undefined) throw failure(failed)
}

const failure = (number: number): HostError => {
  const [errno, message] = getSystemErrorMap().get(number) ?? ['EIO', `error ${number}`]
  return new HostError(errno, message)
}
