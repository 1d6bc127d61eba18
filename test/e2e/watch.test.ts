/** Restarts after changes of real files. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

const changesOf = async (box: Sandbox) =>
  (await box.run('events', '--json', '--type', 'watch.*')).stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { service: string; data: { paths: string[]; more: number } })

const untilReplaced = (box: Sandbox, name: string, pid: number | null) =>
  until(
    () => box.service(name),
    (service) => service.pid !== pid && service.state === 'running',
  )

it('an edit gives a new process, an ignored file does not, and a burst gives one restart', async () => {
  await using box = new Sandbox()
  mkdirSync(join(box.folder, 'src/generated'), { recursive: true })
  box.file('src/server.js', 'old')
  box.config(`
services:
  api:
    command: sleep 1000
    restart_policy: always
    watch: { paths: [src], ignore: [src/generated], debounce: 300ms }
  other: { command: sleep 1000 }
`)
  await box.run('start', '-d')
  const [first, other] = [await box.service('api'), await box.service('other')]

  box.file('src/server.js', 'new')
  const second = await untilReplaced(box, 'api', first.pid)
  expect(second.restarts).toBe(0)

  // The later change shows that the watcher was past the ignored one.
  box.file('src/generated/x.js', 'ignored')
  box.file('src/node.js', 'seen')
  const third = await untilReplaced(box, 'api', second.pid)
  const changes = await changesOf(box)
  expect(changes.map(({ data }) => data.paths)).toEqual([['src/server.js'], ['src/node.js']])

  for (let n = 0; n < 50; n += 1) box.file(`src/${n}.js`, 'burst')
  const fourth = await untilReplaced(box, 'api', third.pid)
  box.file('src/last.js', 'after the burst')
  await untilReplaced(box, 'api', fourth.pid)
  const [, , burst, last, ...more] = await changesOf(box)
  expect((burst?.data.paths.length ?? 0) + (burst?.data.more ?? 0)).toBe(50)
  expect([last?.data.paths, more]).toEqual([['src/last.js'], []])
  expect((await box.service('other')).pid).toBe(other.pid)
})

it('a change repairs what had failed, and starts nothing that was stopped', async () => {
  await using box = new Sandbox()
  const program = box.file('server.sh', '#!/bin/sh\nexit 1\n')
  box.config(`
services:
  api: { command: "${program}", watch: [server.sh] }
  off: { command: sleep 1000, watch: [server.sh] }
`)
  expect((await box.run('start', '-d')).code).toBe(1)
  await box.run('stop', 'off')
  box.file('server.sh', '#!/bin/sh\nexec sleep 1000\n')
  await until(
    () => box.service('api'),
    ({ state }) => state === 'running',
  )
  expect((await box.service('off')).state).toBe('stopped')
  expect((await changesOf(box)).map(({ service }) => service)).toEqual(['api'])
  expect((await box.run('events', '--type', 'watch.*')).stdout).toContain('api is restarted: server.sh changed')
})
