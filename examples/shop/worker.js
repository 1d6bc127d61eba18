/** Packs orders, one at a time. Asked to stop, it finishes the one in hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import { storeClient } from './store-client.js'

const packingMs = Number(process.env.PACKING_MS)
const store = storeClient()
const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())

/** An order leaves the queue only when it is packed. Resolves with false when there is none. */
const packNext = async () => {
  const id = await store.ask('FIRST orders')
  if (id === '') return false
  const order = JSON.parse(await store.ask(`GET order:${id}`))
  console.log(`packing order ${id}: ${order.product}`)
  await sleep(packingMs)
  const left = Number(await store.ask(`GET stock:${order.product}`)) - 1
  await store.ask(`SET stock:${order.product} ${left}`)
  await store.ask(`SET order:${id} ${JSON.stringify({ ...order, state: 'packed' })}`)
  await store.ask('DROP orders')
  console.log(`packed order ${id}: ${order.product}, ${left} left`)
  return true
}

const complain = (error) => {
  console.error(`could not pack: ${error.message}`)
  return false
}

console.log('waiting for orders')
while (!stopping.signal.aborted) {
  const packed = await packNext().catch(complain)
  if (!packed) await sleep(200, undefined, { signal: stopping.signal }).catch(() => {})
}
console.log('stopping')
await store.close().catch(() => {})
