/** Connections and requests of a supervisor to what programs serve: who accepts, and what is answered. */
import { HostError, NotAnsweredBy } from '../host.ts'
import type { ConnectOptions, Connection, HttpRequest, HttpResponse, PeerAddress, TreeRef } from '../host.ts'
import type { Acceptor, Addresses } from './addresses.ts'
import type { Network } from './net.ts'
import type { ProcessTable } from './process-table.ts'
import type { SimulatedAnswer } from './program.ts'
import type { Supervisor } from './supervisor.ts'
import type { Timeline } from './timeline.ts'
import { membersOf } from './tree.ts'

export interface PeersWorld {
  readonly addresses: Addresses
  readonly table: ProcessTable
  readonly network: Network
  readonly timeline: Timeline
}

const defaultKeepBytes = 64 * 1024

/** `Net.connect` of one supervisor. */
export const connectTo = (
  world: PeersWorld,
  supervisor: Supervisor,
  to: PeerAddress,
  options: ConnectOptions,
): Promise<Connection> =>
  supervisor.call('net.connect', async () => {
    options.signal.throwIfAborted()
    const address = addressOf(to)
    if ('path' in to && !world.addresses.isBound(address)) return world.network.connect(to.path)
    const acceptor = await accepted(world, address, options, options.answeredBy !== undefined)
    const { near, far } = world.network.pair(supervisor)
    acceptor?.process.onEnd(() => far.close())
    return near
  })

/** `Host.http` of one supervisor. */
export const ask = (world: PeersWorld, supervisor: Supervisor, request: HttpRequest): Promise<HttpResponse> =>
  supervisor.call('http', async () => {
    request.signal.throwIfAborted()
    const { to, path } = targetOf(request.url)
    const acceptor = await accepted(world, addressOf(to), request, true)
    if (acceptor === undefined) throw new Error('nobody has accepted')
    const { method = 'GET', headers = {}, body = '' } = request
    const text = typeof body === 'string' ? body : new TextDecoder().decode(body)
    const answer = acceptor.answer({ method, path, headers: lowerCased(headers), body: text })
    return answered(world, acceptor, answer, request)
  })

/**
 * Who accepts the connection; `undefined` when nobody has and that is not waited for: it is in the backlog.
 *
 * @throws {HostError} `ECONNREFUSED`. @throws {NotAnsweredBy} @throws the signal's reason.
 */
const accepted = async (
  { addresses, table }: PeersWorld,
  address: string,
  { signal, answeredBy }: ConnectOptions,
  isAwaited: boolean,
): Promise<Acceptor | undefined> => {
  for (;;) {
    const found = addresses.acceptor(address)
    if (found === 'refused') throw new HostError('ECONNREFUSED', `connect ECONNREFUSED ${address}`)
    if (found !== 'nobody') {
      if (answeredBy !== undefined) checkAnsweredBy(table, found, address, answeredBy)
      return found
    }
    if (!isAwaited) return undefined
    await settles(signal, (resolve) => addresses.onChange(address, () => resolve(undefined)))
  }
}

const checkAnsweredBy = (table: ProcessTable, { process }: Acceptor, address: string, tree: TreeRef): void => {
  if (address.startsWith('unix:'))
    throw new NotAnsweredBy('unattributable', 'who answers on a unix socket cannot be looked up')
  if (!membersOf(table, tree, new WeakSet()).includes(process))
    throw new NotAnsweredBy('other', `answered by pid ${process.pid}`, process.pid)
}

const answered = (
  { timeline }: PeersWorld,
  { process }: Acceptor,
  answer: SimulatedAnswer,
  { signal, keepBytes = defaultKeepBytes }: HttpRequest,
): Promise<HttpResponse> =>
  settles(signal, (resolve, reject) => {
    const closed = () => reject(new HostError('ECONNRESET', 'socket hang up'))
    process.onEnd(closed)
    if (answer === 'hang') return () => undefined
    if (answer === 'close') {
      closed()
      return () => undefined
    }
    const { status = 200, headers = {}, body = '', afterMs = 0 } = answer
    const bytes = new TextEncoder().encode(body)
    const response = {
      status,
      headers: lowerCased(headers),
      body: new TextDecoder().decode(bytes.subarray(0, keepBytes)),
      isCut: bytes.length > keepBytes,
    }
    if (afterMs === 0) resolve(response)
    return afterMs === 0 ? () => undefined : timeline.after(afterMs, () => resolve(response))
  })

/** A promise that also rejects with the signal's reason. `begin` returns how to stop what it has begun. */
const settles = <T>(
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (error: Error) => void) => () => void,
): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      stop()
      reject(signal.reason as Error)
    }
    const done =
      <V>(settle: (value: V) => void) =>
      (value: V) => {
        signal.removeEventListener('abort', onAbort)
        settle(value)
      }
    signal.addEventListener('abort', onAbort, { once: true })
    const stop = begin(done(resolve), done(reject))
  })

const addressOf = (to: PeerAddress): string => ('path' in to ? `unix://${to.path}` : `tcp://${to.host}:${to.port}`)

const targetOf = (text: string): { to: PeerAddress; path: string } => {
  const url = new URL(text)
  const path = `${url.pathname === '' ? '/' : url.pathname}${url.search}`
  if (url.protocol === 'http+unix:') return { to: { path: decodeURIComponent(url.hostname) }, path }
  const standard = url.protocol === 'https:' ? 443 : 80
  return { to: { host: url.hostname, port: url.port === '' ? standard : Number(url.port) }, path }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
