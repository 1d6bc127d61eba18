/** A connection to a project's supervisor. Loaded by every client command: no core, no zod, no yaml. */
import type { Socket } from 'node:net'
import { rpcClient, type RpcClient } from '@systemg/plugins/control/client'
import { net } from '../builtin.ts'
import { connectionOf } from '../host/connection.ts'
import { findSocket } from '../host/socket-path.ts'
import { Failure, isCoded } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'

/** How long a supervisor may say nothing before a command gives it up, ms. */
const silenceLimitMs = 10_000

export interface Supervisor extends RpcClient {
  readonly pid: number
  readonly version: string
  /** It was asked to end everything, and takes nothing else. */
  readonly isStopping: boolean
  /** Ask from time to time whether it is still there, for what may take long. Returns how to stop that. */
  watch(onSilent: (failure: Failure) => void): () => void
}

/** @throws {Failure} `SYSG_NO_SUPERVISOR`, `SYSG_SUPERVISOR_SILENT`. */
export const connect = async (paths: ProjectPaths): Promise<Supervisor> => {
  const supervisor = (await tryConnect(paths)) ?? (await comingBack(paths))
  if (supervisor === undefined) throw new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
  return supervisor
}

/** One that was killed a moment ago and comes back by itself. */
export const comingBack = async (paths: ProjectPaths): Promise<Supervisor | undefined> => {
  const { waitForComeback } = await import('../supervisor/wake.ts')
  return waitForComeback(paths)
}

/** As `comingBack`, for as long as somebody wants to wait. */
export const comingBackUnless = (paths: ProjectPaths, signal: AbortSignal): Promise<Supervisor | undefined> =>
  new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
    comingBack(paths).then(resolve, reject)
  })

/** As `connect`, but `undefined` when nobody listens. */
export const tryConnect = async (paths: ProjectPaths): Promise<Supervisor | undefined> => {
  for (const until = Date.now() + silenceLimitMs; ;) {
    const socket = await open(paths)
    if (socket === undefined) return undefined
    const client = rpcClient(connectionOf(socket), clock)
    try {
      const { pid, version, stopping } = (await client.call('ping', {}, { timeoutMs: silenceLimitMs })) as Ping
      return Object.assign(client, { pid, version, isStopping: stopping === true, watch: watchOf(client, paths) })
    } catch (thrown) {
      client.close()
      const code = isCoded(thrown) ? thrown.code : undefined
      // It ends, or has no descriptor for this connection.
      const isTurnedAway = code === 'SYSG_CONTROL_LOST'
      if (code !== 'SYSG_CONTROL_TIMEOUT' && !isTurnedAway) throw thrown
      if (!isTurnedAway || Date.now() >= until) throw await silent(paths, silenceLimitMs)
    }
    await roomPause()
  }
}

const watchOf =
  (client: RpcClient, paths: ProjectPaths): Supervisor['watch'] =>
  (onSilent) => {
    const ask = async () => {
      try {
        await client.call('ping', {}, { timeoutMs: silenceLimitMs })
      } catch (thrown) {
        if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_TIMEOUT') onSilent(await silent(paths, silenceLimitMs))
      }
    }
    const timer = setInterval(() => void ask(), silenceLimitMs)
    return () => clearInterval(timer)
  }

/** `SYSG_SUPERVISOR_SILENT`, with all that is to be seen of the cause. */
export const silent = async (paths: ProjectPaths, limitMs: number): Promise<Failure> => {
  const { whySilent } = await import('../supervisor/why-silent.ts')
  return new Failure('SYSG_SUPERVISOR_SILENT', { pid: undefined, limitMs, ...whySilent(paths) })
}

interface Ping {
  readonly pid: number
  readonly version: string
  readonly stopping?: boolean
}

/** Keeps the client's time limits; never keeps the command alive. */
const clock = {
  timer: (delayMs: number, fire: () => void): (() => void) => {
    const timer = setTimeout(fire, delayMs)
    return () => clearTimeout(timer)
  },
}

/** How long to wait for room among the connections that nobody has accepted yet, before the next try, ms. */
const roomPauseMs = 50
const roomPause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, roomPauseMs))

/**
 * A supervisor that is frozen, or flooded with connections, has no room for another one. It may have some soon.
 *
 * @throws {Failure} `SYSG_SUPERVISOR_SILENT`, `SYSG_SUPERVISOR_UNREACHABLE`.
 */
const open = async (paths: ProjectPaths): Promise<Socket | undefined> => {
  const until = Date.now() + silenceLimitMs
  for (;;) {
    const socket = await openOnce(findSocket(paths.socket))
    if (socket !== 'full') return socket
    if (Date.now() >= until) throw await silent(paths, silenceLimitMs)
    await roomPause()
  }
}

const openOnce = (path: string): Promise<Socket | 'full' | undefined> =>
  new Promise((resolve, reject) => {
    const socket = net().createConnection(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Reset: the supervisor died with this connection among those that it had not accepted yet.
      if (['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'ENOTDIR'].includes(error.code ?? '')) resolve(undefined)
      else if (error.code === 'EAGAIN') resolve('full')
      else reject(new Failure('SYSG_SUPERVISOR_UNREACHABLE', { socket: path, why: error.message }))
    })
  })
