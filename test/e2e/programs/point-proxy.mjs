// Points `slot-proxy.mjs` to a port, once something answers there: `point-proxy.mjs <file> <port> [<port if that refuses>]`.
import { renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'

const [file, port, other = port] = process.argv.slice(2)
const answers = () =>
  new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
while (!(await answers())) await new Promise((again) => setTimeout(again, 10))
writeFileSync(`${file}.new`, `${port} ${other}`)
renameSync(`${file}.new`, file)
