import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished, vi } from 'vitest'
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

const neverMoved = {
  accept: () => expect.fail('it accepts already'),
  pause: () => expect.fail('there are descriptors'),
}

it('keeps four aside as long as there are others, and gives all back in the end', () => {
  const before = openOnNull()
  const spare = new SpareDescriptors()
  spare.guard(neverMoved)
  onTestFinished(() => spare.close())
  for (let look = 0; look < 3; look++) {
    expect(openOnNull() - before).toBe(4)
    spare.look()
  }
  spare.close()
  expect(openOnNull() - before).toBe(0)
})

/** What a process says that may have 64 descriptors, and takes as many as it can with `take()`. */
const inSmallProcess = (body: string): unknown => {
  const source = fileURLToPath(new URL('../../../cli/src/host/spare-descriptors.ts', import.meta.url))
  const script = `
import { closeSync, openSync, readdirSync } from 'node:fs'
import { SpareDescriptors } from ${JSON.stringify(source)}
const all = []
const take = () => { try { for (;;) all.push(openSync('/dev/null')) } catch (error) { if (error.code !== 'EMFILE') throw error } }
const give = (count) => { for (let n = 0; n < count; n++) closeSync(all.pop()) }
const free = () => { const before = all.length; take(); const count = all.length - before; give(count); return count }
const said = []
const door = { accept: () => said.push('accepts'), pause: () => said.push('paused') }
${body}
console.log(JSON.stringify(said))`
  const args = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--conditions=systemg-source']
  return JSON.parse(execFileSync('/bin/sh', [...args, '--input-type=module', '-e', script], { encoding: 'utf8' }))
}

it('gives them up when there are no others, and takes them again when there are enough', () => {
  const said = inSmallProcess(`
const spare = new SpareDescriptors()
spare.guard(door)
take()
spare.look()
said.push(free())
spare.look()
said.push(free())
give(1)
spare.look()
said.push(free())
`)
  expect(said).toEqual([4, 4, 1])
})

it('pauses when nothing is left to give up, until there is something', () => {
  const said = inSmallProcess(`
take()
const spare = new SpareDescriptors()
spare.guard(door)
spare.look()
spare.look()
give(1)
spare.look()
take()
spare.look()
give(10)
spare.look()
spare.look()
said.push(free())
`)
  expect(said).toEqual(['paused', 'accepts', 'paused', 'accepts', 6])
})

it('looks after something was opened, and has no timer at rest', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const spare = new SpareDescriptors()
  onTestFinished(() => spare.close())
  spare.guard(neverMoved)
  spare.opened()
  expect(vi.getTimerCount()).toBe(1)
  vi.runOnlyPendingTimers()
  expect(vi.getTimerCount()).toBe(0)
})

it('goes on looking while there are few left', () => {
  const said = inSmallProcess(`
const { mock } = await import('node:test')
mock.timers.enable({ apis: ['setTimeout'] })
const spare = new SpareDescriptors()
spare.guard(door)
mock.timers.tick(5000)
take()
mock.timers.tick(5000)
take()
mock.timers.tick(5000)
give(8)
mock.timers.tick(5000)
`)
  expect(said).toEqual(['paused', 'accepts'])
})
