/** Serves metrics over HTTP, to few clients at once, none of which may be slow. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ServeMetrics } from './port.ts'

const connections = 32
const limits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1024,
}
/** A client that does not read for so long is gone, ms. */
const silenceMs = 30_000

export const serveMetrics: ServeMetrics = (at, answer) =>
  new Promise((resolve, reject) => {
    const server = createServer(limits, (request, response) => void respond(request, response, answer))
    server.maxConnections = connections
    server.timeout = silenceMs
    server.once('error', reject)
    server.listen({ host: at.host, port: at.port }, () => {
      server.off('error', reject)
      // What fails later is a connection's own failure.
      server.on('error', () => undefined)
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            server.closeAllConnections()
          }),
      })
    })
  })

const respond = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Parameters<ServeMetrics>[1],
): Promise<void> => {
  const [path] = (request.url ?? '').split('?', 1)
  // A body is of no interest.
  request.resume()
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    end(response, 405, 'Only GET and HEAD.\n')
    return
  }
  if (path !== '/metrics') {
    end(response, path === '/' ? 200 : 404, 'Metrics are at /metrics.\n')
    return
  }
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  try {
    const { type, body } = await answer(gone.signal)
    response.setHeader('Content-Type', type)
    end(response, 200, body)
  } catch {
    end(response, 503, 'Metrics are not to be had at the moment.\n')
  }
}

const end = (response: ServerResponse, status: number, body: string): void => {
  if (response.destroyed) return
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Content-Length', Buffer.byteLength(body))
  response.statusCode = status
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
