/** Half a minute of what `npm run test:soak` does for ten: the supervisor's memory and descriptors do not grow. */
import { expect, it } from 'vitest'
import { growth, lineOf, soak } from '../soak/soak.ts'
import { Sandbox } from './sysg.ts'

it('restarts, output, requests and clients that vanish leave memory and descriptors as they are', async () => {
  await using box = new Sandbox()
  const curve = await soak(box, { forMs: 36_000, samples: 36 })
  const shown = curve.map(lineOf).join('\n')
  process.stdout.write(`${shown}\n`)
  const last = curve.at(-1)
  expect(last?.calls, shown).toBeGreaterThan(1_000)
  expect(last?.clients, shown).toBeGreaterThan(100)
  expect(growth(curve), shown).toBeLessThan(8 * 1024 * 1024)
  const middle = Math.max(...curve.slice(12, 24).map(({ descriptors }) => descriptors))
  expect(Math.max(...curve.slice(24).map(({ descriptors }) => descriptors)), shown).toBeLessThan(middle + 10)
  expect((await box.states())['calm']).toBe('running')
})
