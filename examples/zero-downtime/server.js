// A web server that can be restarted, and replaced, without refusing or cutting anybody off.
import { writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { Server } from 'node:net'

const version = process.env.VERSION ?? '1'
let isDraining = false

const server = createServer((request, response) => {
  // From here on this client asks somebody else.
  if (isDraining) response.setHeader('Connection', 'close')
  response.end(`version ${version}, pid ${process.pid}\n`)
})

// The supervisor listens already: what it opened is descriptor 3. Without it, the server listens by itself.
const isActivated = Number(process.env.LISTEN_PID) === process.pid && Number(process.env.LISTEN_FDS) > 0
server.listen(isActivated ? { fd: 3 } : { port: Number(process.env.PORT ?? 8080), host: '127.0.0.1' }, () => {
  console.log(`version ${version} accepts connections`)
  // Whoever waits for it is told on this descriptor.
  if (process.env.SYSG_NOTIFY_FD !== undefined) writeSync(Number(process.env.SYSG_NOTIFY_FD), 'ready\n')
})

process.on('SIGTERM', () => {
  isDraining = true
  // Accept nobody any more; those who wait are accepted by the next one. `server.close()` would also cut connections that
  // are idle at the moment, even if a request is on its way: they may ask once more.
  Server.prototype.close.call(server, () => {
    console.log(`version ${version} has answered everybody`)
    process.exit(0)
  })
  setTimeout(() => server.closeIdleConnections(), 1_000)
})
