/** `sysg logs -f` into something that reads slowly, of a service that floods. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

const lineBytes = 1_000
const lines = 200_000

const flood = `mkfifo go; echo waits; read x < go; exec seq -f %09.0f${'.'.repeat(lineBytes - 10)} 0 ${lines - 1}`

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

it('gives every line once and in order; meanwhile the service does not wait and the memory does not grow', async () => {
  await using box = new Sandbox()
  box.config(`logs: { max_bytes: 1G }\nservices: { flood: { command: "${flood}" }, calm: { command: "sleep 1000" } }`)
  expect((await box.run('start', '-d')).code).toBe(0)
  const { pid } = (await box.status()).supervisor
  const follower = box.spawn(['logs', '-f', 'flood'])
  const { stdout } = follower
  if (stdout === null) throw new Error('no stdout')
  const shown = createInterface(stdout)
  await once(shown, 'line')
  shown.pause()
  stdout.pause()

  writeFileSync(join(box.folder, 'go'), '')
  await until(
    () => box.states(),
    ({ flood }) => flood === 'completed',
    50_000,
  )
  expect(residentBytes(pid)).toBeLessThan(200 * 1024 * 1024)
  expect(stdout.readableLength).toBeLessThan(1024 * 1024)

  let next = 0
  const wrong: string[] = []
  shown.on('line', (line) => {
    if (line.length !== lineBytes - 1 || Number(line.slice(0, 9)) !== next) wrong.push(line.slice(0, 40))
    next += 1
  })
  shown.resume()
  await until(
    () => next,
    (count) => count >= lines,
    50_000,
  )
  expect(wrong).toEqual([])
  expect(residentBytes(pid)).toBeLessThan(200 * 1024 * 1024)
  follower.kill('SIGINT')
  expect(await once(follower, 'exit')).toEqual([0, null])
  expect(next).toBe(lines)
}, 120_000)
