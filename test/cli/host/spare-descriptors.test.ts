import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { SpareDescriptors } from '../../../cli/src/host/spare-descriptors.ts'

/** Descriptors of this process that lead nowhere. */
const openOnNull = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === '/dev/null'
    } catch {
      return false
    }
  }).length

const setUp = () => {
  const before = openOnNull()
  const spare = new SpareDescriptors()
  onTestFinished(() => spare.close())
  return { spare, kept: () => openOnNull() - before }
}

it('keeps four aside, gives them up one by one, and takes them again', () => {
  const { spare, kept } = setUp()
  expect([kept(), spare.isEmpty]).toEqual([4, false])
  spare.giveOne()
  expect([kept(), spare.isEmpty]).toEqual([3, false])
  spare.refill()
  expect(kept()).toBe(4)
  for (let n = 0; n < 4; n++) spare.giveOne()
  expect([kept(), spare.isEmpty]).toEqual([0, true])
  spare.refill()
  expect([kept(), spare.isEmpty]).toEqual([4, false])
})

it('waits a moment when there is none to give, so that nobody tries again without a pause', () => {
  const { spare } = setUp()
  for (let n = 0; n < 4; n++) spare.giveOne()
  const startMs = performance.now()
  spare.giveOne()
  expect(performance.now() - startMs).toBeGreaterThan(15)
  expect(spare.isEmpty).toBe(true)
})

it('gives all back in the end', () => {
  const { spare, kept } = setUp()
  spare.close()
  expect([kept(), spare.isEmpty]).toEqual([0, true])
})

it('takes what there is when the process has no descriptors left, and the rest when some are closed', () => {
  const source = fileURLToPath(new URL('../../../cli/src/host/spare-descriptors.ts', import.meta.url))
  const script = `
import { closeSync, openSync } from 'node:fs'
import { SpareDescriptors } from ${JSON.stringify(source)}
const all = []
try { for (;;) all.push(openSync('/dev/null')) } catch (error) { if (error.code !== 'EMFILE') throw error }
const said = []
const spare = new SpareDescriptors()
said.push(spare.isEmpty)
closeSync(all.pop())
spare.refill()
said.push(spare.isEmpty)
spare.giveOne()
said.push(spare.isEmpty)
for (let n = 0; n < 5; n++) closeSync(all.pop())
console.log(JSON.stringify(said))`
  const args = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script]
  expect(JSON.parse(execFileSync('/bin/sh', args, { encoding: 'utf8' }))).toEqual([true, false, true])
})
