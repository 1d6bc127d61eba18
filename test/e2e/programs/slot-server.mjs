// Serves on $PORT and answers with what it is told to say; ends what is under way before it ends.
import { createServer } from 'node:http'

const { PORT, SAYS = 'hello', CRASH_AFTER_MS } = process.env
const server = createServer((_, response) => {
  response.setHeader('connection', 'close')
  response.end(`${SAYS} from ${PORT} by ${process.pid}`)
})
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`listening on ${PORT}`)
  if (CRASH_AFTER_MS !== undefined) setTimeout(() => process.exit(7), Number(CRASH_AFTER_MS))
})
process.on('SIGTERM', () => server.close(() => process.exit(0)))
