/**
 * One HTTP request over a connection of its own. `node:http` gets the connection from us, so no agent is involved:
 * nothing is kept alive, and no proxy of the environment (`HTTP_PROXY`, `NODE_USE_ENV_PROXY`) has a say.
 */
import { request as send, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { HostError, type HttpRequest, type HttpResponse, type PeerAddress } from '@systemg/core'
import { hostError } from './host-error.ts'
import { openSocket } from './open-socket.ts'
import type { ProcessTrees } from './process-trees.ts'
import { tlsReason } from './tls-reason.ts'

const defaultKeepBytes = 64 * 1024

interface Target {
  readonly to: PeerAddress
  readonly isSecure: boolean
  /** For the `Host` header. */
  readonly host: string
  readonly name: string
  readonly path: string
}

export const ask = async (request: HttpRequest, trees: ProcessTrees): Promise<HttpResponse> => {
  const { signal } = request
  signal.throwIfAborted()
  const target = targetOf(request.url)
  const socket = await openSocket(target.to, request, trees)
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason as Error)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) onAbort()
    return await Promise.race([aborted, exchange(request, target, socket)])
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
}

const exchange = async (request: HttpRequest, target: Target, socket: Socket): Promise<HttpResponse> => {
  try {
    const stream = target.isSecure ? await secured(socket, target) : socket
    return await read(await answerTo(request, target, stream), request.keepBytes ?? defaultKeepBytes)
  } catch (thrown) {
    throw failureOf(thrown, request.url)
  }
}

const answerTo = ({ method = 'GET', headers = {}, body }: HttpRequest, target: Target, stream: Socket) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    const request = send({
      method,
      path: target.path,
      headers: { host: target.host, connection: 'close', ...headers },
      createConnection: () => stream,
    })
    request.once('response', resolve)
    request.on('error', reject)
    request.end(body)
  })

const read = (message: IncomingMessage, keepBytes: number): Promise<HttpResponse> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const finish = (isCut: boolean) => {
      const body = Buffer.concat(chunks).subarray(0, keepBytes).toString()
      resolve({ status: message.statusCode ?? 0, headers: headersOf(message), body, isCut })
    }
    message.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > keepBytes) finish(true)
    })
    message.once('end', () => finish(false))
    message.once('error', reject)
    message.once('close', () => reject(new HostError('ECONNRESET', 'the connection was closed within the answer')))
  })

const headersOf = ({ headersDistinct }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(', ')]))

/** The certificate is checked as usual. */
const secured = async (socket: Socket, { name }: Target): Promise<Socket> => {
  const { connect } = await import('node:tls')
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  // Addresses are no names for SNI.
  const secure = connect({ socket, ...(/^[\d.]+$|:/.test(name) ? { host: name } : { servername: name }) })
  secure.once('secureConnect', () => resolve(secure))
  secure.on('error', reject)
  secure.once('close', () => reject(new HostError('ECONNRESET', 'the connection was closed before TLS was agreed on')))
  return promise
}

const targetOf = (text: string): Target => {
  const url = URL.parse(text)
  if (url === null) throw new HostError('EINVAL', `\`${text}\` is no URL`)
  const path = `${url.pathname === '' ? '/' : url.pathname}${url.search}`
  if (url.protocol === 'http+unix:') {
    const socketPath = decodeURIComponent(url.hostname)
    return { to: { path: socketPath }, isSecure: false, host: 'localhost', name: 'localhost', path }
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new HostError('EINVAL', `\`${text}\` is neither http nor https`)
  const isSecure = url.protocol === 'https:'
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  return { to: { host: name, port }, isSecure, host: url.host, name, path }
}

/** What Node calls by names of its own is a protocol failure: no HTTP, no TLS, a certificate that is not good. */
const failureOf = (thrown: unknown, url: string): HostError => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  if (code.startsWith('HPE_')) return new HostError('EPROTO', 'the answer is not HTTP', { cause: thrown })
  const isTls = /^(ERR_SSL|ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_|EPROTO)/.test(code)
  if (isTls && thrown instanceof Error)
    return new HostError('EPROTO', tlsReason(code, thrown.message), { cause: thrown })
  return hostError(`ask ${url}`, thrown)
}
