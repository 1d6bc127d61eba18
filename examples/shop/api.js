/**
 * The HTTP API:
 *
 *   GET  /stock/tea             how many are left
 *   POST /orders?product=tea    take an order
 *   GET  /orders/1              what became of it
 *   GET  /health                200 while the store answers
 */
import { createServer } from 'node:http'
import { storeClient } from './store-client.js'

const store = storeClient()
let lastOrder = Number(await store.ask('GET last-order'))

const routes = {
  'GET /health': async () => [200, { version: Number(await store.ask('GET version')) }],

  'GET /stock': async ({ id }) => {
    const left = await store.ask(`GET stock:${id}`)
    return left === '' ? [404, { error: 'there is no such product' }] : [200, { product: id, left: Number(left) }]
  },

  'GET /orders': async ({ id }) => {
    const order = await store.ask(`GET order:${id}`)
    return order === '' ? [404, { error: 'there is no such order' }] : [200, JSON.parse(order)]
  },

  'POST /orders': async ({ product }) => {
    if (!/^\w+$/.test(product) || (await store.ask(`GET stock:${product}`)) === '')
      return [404, { error: 'there is no such product' }]
    const order = { id: ++lastOrder, product, state: 'taken' }
    await store.ask(`SET last-order ${order.id}`)
    await store.ask(`SET order:${order.id} ${JSON.stringify(order)}`)
    await store.ask(`PUSH orders ${order.id}`)
    console.log(`took order ${order.id}: ${product}`)
    return [201, order]
  },
}

const answer = async ({ method, url }) => {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const [, collection, id = ''] = /^\/(\w+)(?:\/(\w+))?$/.exec(pathname) ?? []
  const route = routes[`${method} /${collection}`]
  if (route === undefined) return [404, { error: 'not found' }]
  return route({ id, product: searchParams.get('product') ?? '' })
}

const server = createServer(async (request, response) => {
  const [status, body] = await answer(request).catch((error) => [503, { error: error.message }])
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
})
server.listen(process.env.API_PORT, '127.0.0.1', () => console.log(`listening on port ${process.env.API_PORT}`))

process.on('SIGTERM', () => {
  console.log('stopping')
  server.close(() => store.close().catch(() => {}))
})
