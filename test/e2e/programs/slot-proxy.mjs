// Passes connections on to the port that a file names: `slot-proxy.mjs <port> <file>`.
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [port, file] = process.argv.slice(2)
const server = createServer((client) => {
  const target = connect(Number(readFileSync(file, 'utf8')), '127.0.0.1')
  client.pipe(target).pipe(client)
  client.on('error', () => target.destroy())
  target.on('error', () => client.destroy())
})
server.listen(Number(port), '127.0.0.1', () => console.log('ready'))
