/** Takes webhooks: believes those that are signed with the secret, and each of them once. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

const seen = new Set()

const isSigned = (body, signature = '') => {
  const expected = Buffer.from(`sha256=${createHmac('sha256', process.env.SECRET).update(body).digest('hex')}`)
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

const server = createServer(async (request, response) => {
  const body = await text(request)
  const { 'x-sysg-delivery': delivery, 'x-sysg-event': type, 'x-sysg-signature': signature } = request.headers
  if (!isSigned(body, signature)) {
    response.writeHead(401).end('who are you?\n')
    return
  }
  if (!seen.has(delivery)) {
    seen.add(delivery)
    const { service = 'the system' } = JSON.parse(body)
    console.log(`${type} of ${service}`)
  }
  response.end('thank you\n')
})
server.listen(process.env.PORT, '127.0.0.1')

process.on('SIGTERM', () => server.close())
