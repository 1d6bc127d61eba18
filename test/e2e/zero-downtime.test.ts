/** Deploys under full load: no request fails, whether a client keeps its connections or not. `npm run load` does more of it. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deployUnderLoad } from '../load/deploy-under-load.ts'
import { hasWrk } from '../load/wrk.ts'
import { freePort } from '../ports.ts'
import { Sandbox } from './sysg.ts'

const isThere = hasWrk()
if (!isThere) console.warn('skipped: deploys under load need wrk (apt-get install wrk), which is not installed')

const restart = ['restart', '-s', 'web']

describe.skipIf(!isThere)('a service with a socket', () => {
  it.each([
    { client: 'keeps its connections', keepAlive: true },
    { client: 'opens one for each request', keepAlive: false },
  ])('is deployed and scaled without a failed request for who $client', async ({ keepAlive }) => {
    await using box = new Sandbox()
    cpSync(join(import.meta.dirname, '../../examples/zero-downtime'), box.folder, { recursive: true })
    const port = await freePort()
    box.environment = { PORT: String(port) }
    expect((await box.run('start', '-d')).code).toBe(0)
    const { before, during, failed, answeredByBoth } = await deployUnderLoad({
      url: `http://127.0.0.1:${port}/`,
      service: 'web',
      sysg: (...args) => box.run(...args),
      steps: [restart, restart, restart, ['scale', 'web=3'], restart, ['scale', 'web=1']],
      connections: 16,
      keepAlive,
    })
    expect({ failed, before: { ...before, answers: [] }, during: { ...during, answers: [] } }).toMatchObject({
      failed: 0,
    })
    expect(during.requests).toBeGreaterThan(0)
    expect(answeredByBoth).toBeGreaterThan(0)
  })
})
