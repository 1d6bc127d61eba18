// A supervisor that has room for one connection that waits, and answers every request as `ping`.
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    const { id } = JSON.parse(line)
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: { pid: process.pid, version: '0.1.0' } })}\n`)
  })
}).listen({ path: process.argv[2], backlog: 1 }, () => process.stdout.write('ready\n'))
