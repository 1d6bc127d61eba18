/** `sysg restart` with an edited config, on real processes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

const base = (api: string, more = '') => `
services:
  db: { command: sleep 1000 }
  api: { command: ${api}, depends_on: [db] }
  web: { command: sleep 1001, depends_on: [api] }
${more}`

it('restart takes up an edit: removed stop, added start, the others are restarted in order; a failure goes no further', async () => {
  await using box = new Sandbox()
  box.config(base('sleep 1002', '  old: { command: sleep 1003 }'))
  await box.run('start', '-d')
  const before = await box.status()
  const oldPid = before.services.find(({ name }) => name === 'old')?.pid ?? 0

  box.config(base('sleep 1002', '  added: { command: sleep 1004, depends_on: [web] }'))
  expect(await box.run('restart')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  const after = await box.status()
  expect(after.services.map(({ name, state }) => [name, state])).toEqual(
    ['db', 'api', 'web', 'added'].map((name) => [name, 'running']),
  )
  expect(isAlive(oldPid)).toBe(false)
  for (const { name, pid } of after.services)
    expect(pid).not.toBe(before.services.find((one) => one.name === name)?.pid)

  box.config(base('sh -c "echo broken; exit 3"', '  added: { command: sleep 1004 }'))
  const failed = await box.run('restart')
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('The deploy of `api` failed in step `start`: exit code 3, `broken`.')
  expect(await box.states()).toEqual({ db: 'running', api: 'failed', web: 'blocked', added: 'running' })

  box.config(base('sleep 1005', '  added: { command: sleep 1004 }'))
  expect((await box.run('restart')).code).toBe(0)
  expect(await box.states()).toEqual({ db: 'running', api: 'running', web: 'running', added: 'running' })
})

it('a service under another name gets the port that the old one had', async () => {
  await using box = new Sandbox()
  // Holds a lock for as long as it lives, and takes its time to end.
  const server = box.file(
    'server.sh',
    `#!/bin/sh
mkdir lock || exit 1
trap 'sleep 0.5; rmdir lock; exit 0' TERM
while :; do sleep 0.05; done
`,
  )
  box.config(`services: { db: { command: "${server}" } }`)
  expect((await box.run('start', '-d')).code).toBe(0)
  box.config(`services: { database: { command: "${server}" } }`)
  expect(await box.run('start', '-d')).toMatchObject({ code: 0, stderr: '' })
  expect(await box.states()).toEqual({ database: 'running' })
})

it('Ctrl-C during a restart ends the waiting and says so; the restart goes on', async () => {
  await using box = new Sandbox()
  const slow = box.file(
    'slow.sh',
    `#!/bin/sh
echo "$SYSG_SERVICE" >> started
trap 'while [ ! -e go ]; do sleep 0.05; done; exit 0' TERM
while :; do sleep 0.05; done
`,
  )
  box.config(`services: { db: { command: "${slow}" }, api: { command: "${slow}", depends_on: [db] } }`)
  await box.run('start', '-d')
  const child = box.spawn(['restart'])
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  await until(
    () => box.service('db'),
    ({ instances }) => instances.some(({ state }) => state === 'stopping'),
  )
  child.kill('SIGINT')
  expect(await new Promise((done) => child.once('close', done))).toBe(130)
  expect(stderr).toContain('`restart` goes on in the background')
  box.file('go', '')
  await until(
    () => readFileSync(join(box.folder, 'started'), 'utf8'),
    (text) => text === 'db\napi\ndb\napi\n',
  )
})
