/** Greets visitors by their number, which the database knows. */
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

const nextVisitor = () => text(connect(process.env.DATABASE_PORT, '127.0.0.1'))

await nextVisitor()
const server = createServer(async (request, response) => {
  const visitor = await nextVisitor().catch(() => 'of an unknown number')
  response.end(`Welcome, visitor ${visitor}\n`)
})
server.listen(process.env.PORT, '127.0.0.1', () => console.log(`web listens on http://127.0.0.1:${process.env.PORT}`))

process.on('SIGTERM', () => server.close())
