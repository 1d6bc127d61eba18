/** Answers every connection with the number of visitors so far. */
import { createServer } from 'node:net'

let visitors = 0
const server = createServer((connection) => {
  connection.on('error', () => {})
  connection.end(String(++visitors))
})
server.listen(process.env.PORT, '127.0.0.1', () => console.log(`database listens on port ${process.env.PORT}`))

process.on('SIGTERM', () => server.close())
