/**
 * Listening sockets that this process never accepts on. Node's own `listen` also polls the socket, and so takes connections
 * that are meant for services. libuv decides at the end of a turn what it polls: a handle that begins to read, listens and
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

/** What Node has and does not document. Each returns 0 or a negative errno. */
interface RawHandle {
  readonly fd: number
  open(fd: number): number
  readStart(): number
  readStop(): number
  listen(backlog: number): number
  close(): void
}

const internals = net as unknown as {
  _createServerHandle(address?: string, port?: number, addressType?: number, fd?: number): RawHandle | number
}

const handleOf = (made: RawHandle | number): ListeningHandle => {
  if (typeof made === 'number') throw failure(made)
  const { fd } = made
  return {
    fd,
    listen(backlog) {
      // Only a handle that was opened may read.
      const results = [made.open(fd), made.readStart(), made.listen(backlog), made.readStop()]
      const failed = results.find((result) => result !== 0)
      if (failed !== undefined) throw failure(failed)
    },
    close: () => made.close(),
  }
}

const failure = (number: number): HostError => {
  const [errno, message] = getSystemErrorMap().get(number) ?? ['EIO', `error ${number}`]
  return new HostError(errno, message)
}
