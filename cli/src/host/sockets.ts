/**
 * Listening sockets: bound here, or taken up from whoever had them before, and never accepted on. One address is one socket,
 * however often it is listened on.
 */
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { HostError, type ListenOptions, type Sockets, type Trace } from '@systemg/core'
import { FdDescriptor } from './descriptor.ts'
import { keepsNothing, type HeldSocket, type Keeper } from './held.ts'
import { attempt, errnoOf, hostError } from './host-error.ts'
import { bindTcp, bindUnix, takeUp, type ListeningHandle } from './listening-handle.ts'
import { listeners } from './listeners.ts'
import { removeSocketFile } from './other-holders.ts'
import type { PassedSocket } from './passed-sockets.ts'
import { commandLine } from './process-info.ts'
import { holdersOf } from './socket-holders.ts'
import { removeStale } from './stale-socket.ts'

const defaultBacklog = 4096

export interface SocketsOptions {
  readonly trace: Trace
  /** What whoever started this process has opened for it. */
  readonly passed: readonly PassedSocket[]
  /** Where they are kept beyond this process. */
  readonly keeper?: Keeper
  /** What the supervisor before this one had open. */
  readonly inherited?: readonly HeldSocket[]
}

/** A socket that is open here. */
interface Held {
  readonly handle: ListeningHandle
  /** Descriptors that stand for it. */
  references: number
  /** How many may wait; undefined when that is not for us to say. */
  backlog: number | undefined
  /** When the last is closed. */
  release(): void
}

export interface NodeSockets extends Sockets {
  /** Close everything that is open. */
  dispose(): void
}

export const createSockets = (options: SocketsOptions): NodeSockets => {
  const { trace, passed, keeper = keepsNothing, inherited = [] } = options
  const held = new Map<string, Promise<Held>>()
  const left = new Map(inherited.map((socket) => [socket.label, { socket, forget: keeper.keep(socket) }]))

  /** From here on it is kept open, until it is released. */
  const kept = (address: string, handle: ListeningHandle, backlog: number, inode?: number): Held => {
    const known = inode === undefined ? {} : { inode }
    const forget = keeper.keep({ kind: 'socket', label: address, fd: handle.fd, backlog, ...known })
    const release = () => {
      forget()
      handle.close()
      removeSocketFile(address, inode)
    }
    return { handle, references: 0, backlog, release }
  }

  const inherit = (address: string): Held | undefined => {
    const found = left.get(address)
    if (found === undefined) return undefined
    left.delete(address)
    const { fd, backlog, inode } = found.socket
    const socket = kept(address, takeUp(fd), backlog, inode)
    found.forget()
    return socket
  }

  const find = async (address: string, how: ListenOptions): Promise<Held> => {
    const before = inherit(address)
    if (before !== undefined) return adjust(before, address, how)
    const given = passed.find((socket) => socket.address === address) ?? byName(passed, address, how, trace)
    if (given !== undefined) return fromOutside(takeUp(given.fd))
    const handle = await bind(address, how)
    return kept(address, handle, how.backlog ?? defaultBacklog, inodeOf(address))
  }

  const share = (address: string, how: ListenOptions): Promise<Held> => {
    const known = held.get(address)
    if (known !== undefined) return known.then((socket) => adjust(socket, address, how))
    const made = find(address, how)
    held.set(address, made)
    made.catch(() => held.delete(address))
    return made
  }

  return {
    async listen(address, how) {
      const socket = await share(address, how)
      socket.references += 1
      return new FdDescriptor('socket', address, socket.handle.fd, () => {
        socket.references -= 1
        if (socket.references > 0) return
        held.delete(address)
        socket.release()
      })
    },
    inherited: () => [...left.keys()],
    settled: () => keeper.settled(),
    dispose() {
      for (const socket of held.values()) void socket.then((one) => one.release()).catch(() => undefined)
      held.clear()
    },
  }
}

/** Whoever opened it keeps it, and says how it is. */
const fromOutside = (handle: ListeningHandle): Held => ({
  handle,
  references: 0,
  backlog: undefined,
  release: () => undefined,
})

const inodeOf = (address: string): number | undefined =>
  address.startsWith(unixPrefix) ? lstatSync(pathOf(address), { throwIfNoEntry: false })?.ino : undefined

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
  if (socket.backlog === undefined) return socket
  if (socket.backlog !== backlog) socket.handle.listen(backlog)
  socket.backlog = backlog
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
  const pids = holdersOf(new Set(inodes.map(({ inode }) => inode)))
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
