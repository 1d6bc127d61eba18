/** Health checks with real programs: each probe, dependents that wait, and what people see. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Sandbox, until } from './sysg.ts'

const bin = fileURLToPath(new URL('../../cli/bin/sysg.mjs', import.meta.url))
const node = process.execPath

/** Answers with the status in a file beside it, and listens only once the file `open` is there. */
const server = `
const { createServer } = require('node:http'), { existsSync, readFileSync } = require('node:fs')
const server = createServer((request, response) => {
  response.statusCode = Number(readFileSync('status', 'utf8'))
  response.end('as it is')
})
const listen = () => (existsSync('open') ? server.listen(process.argv[2], '127.0.0.1') : setTimeout(listen, 20))
listen()
`

it('`start -d` waits for what is asked by url, tcp, command, log and notify, and dependents wait for `ready`', async () => {
  await using box = new Sandbox()
  const [web, db] = [await freePort(), await freePort()]
  box.file('server.cjs', server)
  box.file('status', '200')
  box.file(
    'says-so.sh',
    `#!/bin/sh\necho STATUS=warming up >&$SYSG_NOTIFY_FD\necho ready >&$SYSG_NOTIFY_FD\nexec sleep 1000\n`,
  )
  box.file('tells.sh', `#!/bin/sh\n"${node}" "${bin}" notify ready\nexec sleep 1000\n`)
  // Closes the descriptor, as runtimes do that start programs: then the supervisor is told.
  box.file('tells-otherwise.sh', `#!/bin/sh\nexec 3>&-\n"${node}" "${bin}" notify ready\nexec sleep 1000\n`)
  box.config(`

services:
  web: { command: "${node} server.cjs ${web}", health_check: { url: "http://localhost:${web}/", expect_body: as it is } }
  db: { command: "${node} server.cjs ${db}", health_check: { tcp: "127.0.0.1:${db}" } }
  job: { command: "sleep 1000", health_check: { command: "test -e open || { echo not open; exit 3; }" } }
  log: { command: "sh -c 'while ! test -e open; do sleep 0.02; done; echo now ready; exec sleep 1000'", health_check: { log: "/^now ready$/" } }
  fd: { command: ./says-so.sh, health_check: { notify: true } }
  cli: { command: ./tells.sh, health_check: { notify: true } }
  closed: { command: ./tells-otherwise.sh, env: { inherit: false }, health_check: { notify: true } }
  last: { command: "sleep 1000", depends_on: [web, db, job, log, fd, cli, closed] }
`)
  const started = box.run('start', '-d')
  const waiting = await until(
    () => box.status().catch(() => undefined),
    (status) => {
      const reasons = Object.fromEntries(status?.services.map(({ name, reason }) => [name, reason]) ?? [])
      return (
        reasons['web'] === 'not ready yet: connection refused' &&
        reasons['job'] === 'not ready yet: exit code 3, `not open`'
      )
    },
  )
  const of = (name: string) => waiting?.services.find((service) => service.name === name)
  expect(of('web')).toMatchObject({ state: 'starting', health: 'starting' })
  expect(of('db')).toMatchObject({ state: 'starting', reason: 'not ready yet: connection refused' })
  expect(of('last')).toMatchObject({ state: 'waiting' })
  box.file('open', '')
  expect(await started).toMatchObject({ code: 0 })
  expect(new Set((await box.status()).services.map(({ state, health }) => `${state} ${health}`))).toEqual(
    new Set(['running healthy', 'running none']),
  )
})

it('shows an unhealthy service with the reason, and exits 1', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.file('open', '')
  box.file('status', '200')
  const check = `{ url: "http://localhost:${port}/", interval: 100ms, retries: 2 }`
  box.config(`services: { web: { command: "${node} server.cjs ${port}", health_check: ${check} } }`)
  expect((await box.run('start', '-d')).code).toBe(0)
  const { pid } = await box.service('web')
  writeFileSync(join(box.folder, 'status'), '503')
  await until(
    () => box.service('web'),
    ({ state, reason }) => state === 'unhealthy' && reason === 'status 503',
  )
  const status = await box.run('status')
  expect(status.code).toBe(1)
  expect(status.stdout).toMatch(/unhealthy\s+unhealthy/)
  expect(status.stdout).toContain('status 503')
  writeFileSync(join(box.folder, 'status'), '200')
  await until(
    () => box.service('web'),
    ({ state, health }) => state === 'running' && health === 'healthy',
  )
  expect((await box.service('web')).pid).toBe(pid)
})

it('`start -d` fails with the last reason when it never becomes ready', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.config(`services: { web: { command: "sleep 1000", health_check: { tcp: ${port}, timeout: 1s } } }`)
  const { code, stderr } = await box.run('start', '-d')
  expect(code).toBe(1)
  expect(stderr).toContain('not ready within 1s: connection refused')
})

it('goes on after the supervisor was killed: what was ready stays so and is looked after, what was starting is asked again', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.file('open', '')
  box.file('status', '200')
  const says = `sh -c 'while ! test -e go; do sleep 0.02; done; echo ready >&$SYSG_NOTIFY_FD; exec sleep 1000'`
  box.config(`
services:
  web: { command: "${node} server.cjs ${port}", health_check: { url: "http://localhost:${port}/", interval: 100ms } }
  slow: { command: ${JSON.stringify(says)}, health_check: { notify: true } }
`)
  const first = box.run('start', '-d')
  const before = await until(
    () => box.status().catch(() => undefined),
    (status) => status?.services.some(({ name, state }) => name === 'web' && state === 'running') === true,
  )
  process.kill(before?.supervisor.pid ?? 0, 'SIGKILL')
  await first
  box.file('go', '')
  expect((await box.run('start', '-d')).code).toBe(0)
  const after = await box.status()
  expect(after.services.map(({ name, pid, state, health }) => ({ name, pid, state, health }))).toEqual(
    before?.services.map(({ name, pid }) => ({ name, pid, state: 'running', health: 'healthy' })),
  )
  writeFileSync(join(box.folder, 'status'), '500')
  await until(
    () => box.service('web'),
    ({ reason }) => reason === 'status 500',
  )
})

it('`notify ready` outside of a service, or with a token of nobody, fails and says so', async () => {
  await using box = new Sandbox()
  const outside = await box.run('notify', 'ready')
  expect(outside.code).toBe(1)
  expect(outside.stderr).toContain('not inside of a service')
  expect((await box.run('notify', 'steady')).code).toBe(2)
  box.file(
    'steals.sh',
    `#!/bin/sh\nSYSG_TOKEN=0123 "${node}" "${bin}" notify ready 2> said\necho $? > code\nexec sleep 1000\n`,
  )
  box.file(
    'needless.sh',
    `#!/bin/sh\n"${node}" "${bin}" notify ready 2> needless\necho $? > needless-code\nexec sleep 1000\n`,
  )
  box.config('services: { thief: { command: ./steals.sh }, eager: { command: ./needless.sh } }')
  expect((await box.run('start', '-d')).code).toBe(0)
  const read = (name: string) => {
    const path = join(box.folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }
  await until(
    () => [read('code'), read('needless-code')],
    (codes) => codes.every((code) => code !== ''),
  )
  expect([read('code'), read('needless-code')]).toEqual(['1\n', '0\n'])
  expect(read('said')).toContain('belongs to no instance that runs')
  expect(read('needless')).toContain('Nothing waits for this')
})

it('does not take the answer of the old instance for one of the candidate', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  // The new one waits for the address until it gets it, which it does when the old one gives it up.
  box.file(
    'server.cjs',
    `const server = require('node:http').createServer((_, response) => response.end())
server.on('error', () => setTimeout(listen, 20))
const listen = () => server.listen(${port}, '127.0.0.1')
listen()
process.on('SIGUSR1', () => server.close())
`,
  )
  const config = (more: string) => `
services:
  web: { command: "${node} server.cjs ${more}", deployment: { strategy: rolling }, health_check: { url: "http://localhost:${port}/", attempt_timeout: 500ms, ${more} } }
`
  box.config(config('timeout: 5s'))
  expect((await box.run('start', '-d')).code).toBe(0)
  const old = await box.service('web')
  box.config(config('timeout: 2s'))
  const failed = await box.run('restart')
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain(`answered by pid ${old.pid ?? 0}, not by web-2`)
  expect((await box.service('web')).pid).toBe(old.pid)
  // With the address free, the next one is ready, and it is the one that answers.
  box.config(config('timeout: 20s'))
  const restarting = box.run('restart')
  await until(
    () => box.service('web'),
    ({ instances }) => instances.length === 2 && instances.every(({ pid }) => pid !== null),
  )
  process.kill(old.pid ?? 0, 'SIGUSR1')
  expect(await restarting).toMatchObject({ code: 0 })
  const now = await box.service('web')
  expect(now.state).toBe('running')
  expect(now.pid).not.toBe(old.pid)
})
