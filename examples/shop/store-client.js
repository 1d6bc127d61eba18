/** Talks to the store: `ask` sends a line and resolves with the line that comes back. Connects when it has to. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

export const storeClient = () => {
  let connection
  const waiting = []

  const open = async () => {
    const socket = connect(Number(process.env.STORE_PORT), '127.0.0.1')
    await once(socket, 'connect')
    createInterface({ input: socket }).on('line', (line) => waiting.shift()?.resolve(line))
    socket.on('error', () => {}).on('close', forget)
    return socket
  }

  const forget = () => {
    connection = undefined
    for (const { reject } of waiting.splice(0)) reject(new Error('the store is gone'))
  }

  const ask = async (line) => {
    connection ??= open().catch((error) => {
      forget()
      throw new Error(`the store does not answer: ${error.message}`)
    })
    const socket = await connection
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      socket.write(`${line}\n`)
    })
  }

  const close = async () => (await connection)?.end()

  return { ask, close }
}
