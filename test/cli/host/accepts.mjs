// Accepts on descriptor 3, answers each connection with its pid, and says `ready` before.
import { createServer } from 'node:net'

createServer((socket) => socket.end(`${process.pid}`)).listen({ fd: 3 }, () => process.stdout.write('ready\n'))
