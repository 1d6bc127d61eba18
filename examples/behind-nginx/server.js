// Says which slot answers. On SIGTERM it takes no new connections, finishes what it has, and ends.
import { createServer } from 'node:http'

const slot = process.env.PORT
const server = createServer((request, response) => {
  response.end(request.url === '/slot' ? slot : `Hello from port ${slot}, pid ${process.pid}\n`)
})
server.listen(Number(slot), '127.0.0.1', () => console.log(`listening on ${slot}`))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
