// Passes connections on to the first port in a file, and one on which nothing is answered to the second:
// `slot-proxy.mjs <port> <file>`. So do proxies that have a backup.
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const [port, file] = process.argv.slice(2)

const server = createServer((client) => {
  const asked = []
  let isAnswered = false
  let target
  const lead = ([first, ...others]) => {
    target = connect(Number(first), '127.0.0.1')
    for (const chunk of asked) target.write(chunk)
    target.on('data', (chunk) => {
      isAnswered = true
      client.write(chunk)
    })
    target.on('error', () => undefined)
    target.on('close', () => {
      if (isAnswered || others.length === 0) client.end()
      else lead(others)
    })
  }
  client.on('data', (chunk) => {
    if (!isAnswered) asked.push(chunk)
    target.write(chunk)
  })
  client.on('error', () => undefined)
  client.on('close', () => target.destroy())
  lead(readFileSync(file, 'utf8').trim().split(' '))
})
server.listen(Number(port), '127.0.0.1', () => console.log('ready'))
