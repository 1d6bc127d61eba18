// Serves on $PORT, or on the socket that it was given, and says who it is: `v1 by 4711`. On SIGTERM it accepts nobody any
// more, answers everybody it has, and ends. $BEHAVES says what is wrong with it.
import { writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { Server } from 'node:net'

const { PORT, SAYS = 'hello', BEHAVES = 'well', LISTEN_FDS, SYSG_NOTIFY_FD } = process.env
const crashesAfterMs = 4_000
/** Somebody is being served at every moment. */
const workMs = 5

let isLeaving = false
const server = createServer((request, response) => {
  const isAsking = request.url === '/health'
  if (isAsking && BEHAVES === 'unhealthy') response.statusCode = 500
  const answer = () => {
    if (isLeaving) response.setHeader('connection', 'close')
    response.end(request.url === '/slot' ? PORT : `${SAYS} by ${process.pid}`)
  }
  setTimeout(answer, isAsking ? 0 : workMs)
})
server.keepAliveTimeout = 0

/** Connections that are idle may ask once more: `server.close()` would cut them, even with a request on its way. */
const leave = (code) => {
  isLeaving = true
  Server.prototype.close.call(server, () => process.exit(code))
}
process.on('SIGTERM', () => leave(0))

const isReady = () => {
  if (SYSG_NOTIFY_FD !== undefined) writeSync(Number(SYSG_NOTIFY_FD), 'ready\n')
  if (BEHAVES === 'crashes' || BEHAVES === 'dies') setTimeout(crash, crashesAfterMs)
}
const crash = () => {
  console.error('out of memory')
  // The one who `dies` takes with him those he serves.
  if (BEHAVES === 'dies') process.exit(7)
  leave(7)
}

console.log(`${SAYS} starts`)
const where = LISTEN_FDS === undefined ? { port: Number(PORT), host: '127.0.0.1' } : { fd: 3 }
if (BEHAVES === 'never accepts') setInterval(() => undefined, 60_000)
else server.listen(where, isReady)
