/**
 * Listening sockets: bound here, or taken up from whoever had them before, and never accepted on. One address is one socket,
 * however often it is listened on.
 */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { HostError, type ListenOptions, type Sockets, type Trace } from '@systemg/core'
import { FdDescriptor } from './descriptor.ts'
import { attempt, errnoOf, hostError } from './host-error.ts'
import { bindTcp, bindUnix, takeUp, type ListeningHandle } from './listening-handle.ts'
import { listeners, ownersOf } from './listeners.ts'
import type { PassedSocket } from './passed-sockets.ts'
import { commandLine } from './process-info.ts'
import { removeStale } from './stale-socket.ts'

const defaultBacklog = 4096

export interface SocketsOptions {
  readonly trace: Trace
  /** What whoever started this process has opened for it. */
  readonly passed: readonly PassedSocket[]
}

/** A socket that is open here. */
interface Held {
  readonly handle: ListeningHandle
  /** Descriptors that stand for it. */
  references: number
  /** When the last is closed. */
  release(): void
}

export interface NodeSockets extends Sockets {
  /** Close everything that is open. */
  dispose(): void
}

export const createSockets = ({ trace, passed }: SocketsOptions): NodeSockets => {
  const held = new Map<string, Promise<Held>>()

  const find = async (address: string, options: ListenOptions): Promise<Held> => {
    const given = passed.find((socket) => socket.address === address) ?? byName(passed, address, options, trace)
    if (given !== undefined) return { handle: takeUp(given.fd), references: 0, release: () => undefined }
    const handle = await bind(address, options)
    return { handle, references: 0, release: () => handle.close() }
  }

  const share = (address: string, options: ListenOptions): Promise<Held> => {
    const known = held.get(address)
    if (known !== undefined) return known.then((socket) => adjust(socket, address, options))
    const made = find(address, options)
    held.set(address, made)
    made.catch(() => held.delete(address))
    return made
  }

  return {
    async listen(address, options) {
      const socket = await share(address, options)
      socket.references += 1
      return new FdDescriptor('socket', address, socket.handle.fd, () => {
        socket.references -= 1
        if (socket.references > 0) return
        held.delete(address)
        socket.release()
      })
    },
    inherited: () => [],
    settled: () => Promise.resolve(),
    dispose() {
      for (const socket of held.values()) void socket.then((one) => one.release()).catch(() => undefined)
      held.clear()
    },
  }
}

/** The name is how systemd and a config speak of one socket; where it is, systemd says. */
const byName = (
  passed: readonly PassedSocket[],
  address: string,
  { name }: ListenOptions,
  trace: Trace,
): PassedSocket | undefined => {
  const found = name === undefined ? undefined : passed.find((socket) => socket.name === name)
  if (found !== undefined)
    trace('warn', `The socket \`${name ?? ''}\` was passed on listening on ${found.address}, not on ${address}`)
  return found
}

const adjust = (socket: Held, address: string, { backlog = defaultBacklog, mode }: ListenOptions): Held => {
  socket.handle.listen(backlog)
  if (mode !== undefined && address.startsWith(unixPrefix))
    attempt(`change the permissions of ${address}`, () => chmodSync(pathOf(address), mode))
  return socket
}

const unixPrefix = 'unix://'
const pathOf = (address: string): string => address.slice(unixPrefix.length)

const bind = async (address: string, options: ListenOptions): Promise<ListeningHandle> => {
  try {
    return address.startsWith(unixPrefix) ? await listenUnix(pathOf(address), options) : listenTcp(address, options)
  } catch (thrown) {
    throw errnoOf(thrown) === 'EADDRINUSE' ? inUse(address, thrown) : hostError(`listen on ${address}`, thrown)
  }
}

const listenTcp = (address: string, { backlog = defaultBacklog }: ListenOptions): ListeningHandle => {
  const [, host, port] = /^tcp:\/\/(.+):(\d+)$/.exec(address) ?? []
  if (host === undefined) throw new HostError('EINVAL', `${address} is no address`)
  return listening(bindTcp(host.replace(/^\[(.*)\]$/, '$1'), Number(port)), backlog)
}

const listenUnix = async (
  path: string,
  { backlog = defaultBacklog, mode }: ListenOptions,
): Promise<ListeningHandle> => {
  await removeStale(path)
  // As systemd does; the folder stays.
  attempt(`make the folder of ${path}`, () => mkdirSync(dirname(path), { recursive: true, mode: 0o755 }))
  const handle = listening(
    withMask(mode, () => bindUnix(path)),
    backlog,
  )
  if (mode !== undefined) chmodSync(path, mode)
  return handle
}

const listening = (handle: ListeningHandle, backlog: number): ListeningHandle => {
  try {
    handle.listen(backlog)
    return handle
  } catch (thrown) {
    handle.close()
    throw thrown
  }
}

/** Made with the permissions it is to have, so that it is never open to more. The mask belongs to the whole process. */
const withMask = <T>(mode: number | undefined, body: () => T): T => {
  if (mode === undefined || !isMainThread) return body()
  const mask = process.umask(~mode & 0o777)
  try {
    return body()
  } finally {
    process.umask(mask)
  }
}

/** Says who has it. */
const inUse = (address: string, thrown: unknown): HostError => {
  const inodes = listeners().filter((one) => isInTheWay(one.address, address))
  const pids = ownersOf(new Set(inodes.map(({ inode }) => inode)))
  const names = pids.slice(0, 3).map((pid) => `pid ${pid} (${shorten(commandLine(pid) ?? '?')})`)
  const more = pids.length > 3 ? ` and ${pids.length - 3} more` : ''
  const who = names.length > 0 ? `${names.join(', ')}${more}` : 'another program'
  return new HostError('EADDRINUSE', `${who} has it`, { cause: thrown, pids })
}

const isInTheWay = (one: string, other: string): boolean => {
  if (one === other) return true
  const [a, b] = [one, other].map((address) => /^tcp:\/\/(.+):(\d+)$/.exec(address))
  if (a?.[2] === undefined || a[2] !== b?.[2]) return false
  return [a[1], b[1]].some((host) => host === '0.0.0.0' || host === '[::]')
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)
