/** Brings the store's data to the newest version, step by step, and ends. When there is nothing to do it does nothing. */
import { storeClient } from './store-client.js'

const steps = [
  {
    name: 'put products on the shelf',
    run: async () => {
      await store.ask('SET stock:tea 20')
      await store.ask('SET stock:coffee 10')
    },
  },
  { name: 'number the orders', run: () => store.ask('SET last-order 0') },
]

const store = storeClient()
const version = Number(await store.ask('GET version'))
for (const [index, step] of steps.entries()) {
  if (index < version) continue
  await step.run()
  await store.ask(`SET version ${index + 1}`)
  console.log(`step ${index + 1} of ${steps.length}: ${step.name}`)
}
console.log(`the data is at version ${steps.length}`)
await store.close()
