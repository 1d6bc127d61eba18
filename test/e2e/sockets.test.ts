/** Services whose sockets stay open: clients that connect while the program is dead wait, and are answered by the next one. */
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { Sandbox, until } from './sysg.ts'

const nodeServer = `
const server = require('http').createServer((request, response) => response.end('node ' + process.pid))
if (Number(process.env.LISTEN_PID) !== process.pid) throw new Error('these sockets are not for us')
server.listen({ fd: 3 })
`

const pythonServer = `
import os, socket
assert int(os.environ['LISTEN_PID']) == os.getpid() and os.environ['LISTEN_FDNAMES'] == 'web'
server = socket.socket(fileno=3)
server.setblocking(True)
while True:
    connection, _ = server.accept()
    connection.recv(1024)
    body = f'python {os.getpid()}'
    connection.sendall(f'HTTP/1.0 200 OK\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n{body}'.encode())
    connection.close()
`

type Answer = { readonly body: string } | { readonly error: string }

/** One connection, one request. What goes wrong is an answer, too. */
const ask = async (port: number): Promise<Answer> => {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    socket.end('GET / HTTP/1.0\r\n\r\n')
    const answer = await text(socket)
    const body = answer.split('\r\n\r\n')[1] ?? ''
    return body === '' ? { error: 'ended without an answer' } : { body }
  } catch (thrown) {
    return { error: thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown) }
  }
}

/** Clients that connect one after the other, several at a time, until they are told to stop. */
const clients = (port: number, count: number) => {
  const answers: Answer[] = []
  let isOver = false
  const client = async () => {
    while (!isOver) answers.push(await ask(port))
  }
  const running = Promise.all(Array.from({ length: count }, client))
  return {
    answers,
    async stop() {
      isOver = true
      await running
    },
  }
}

for (const [language, program, source, command] of [
  ['node', 'server.cjs', nodeServer, 'node server.cjs'],
  ['python', 'server.py', pythonServer, 'python3 server.py'],
] as const) {
  it(`${language}: no connection is refused while the service is killed again and again`, async () => {
    await using box = new Sandbox()
    const port = await freePort()
    box.file(program, source)
    box.config(`
services:
  web:
    command: ${command}
    sockets: [{ name: web, listen: "tcp://127.0.0.1:${port}" }]
    restart_policy: always
    backoff: 100ms
`)
    expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
    const visitors = clients(port, 4)
    const pids = new Set<number>()
    for (let round = 0; round < 3; round++) {
      const seen = visitors.answers.length
      await until(
        () => visitors.answers.length,
        (count) => count > seen + 20,
      )
      const { pid } = await until(
        () => box.service('web'),
        ({ pid: one }) => one !== null && !pids.has(one),
      )
      pids.add(pid ?? 0)
      process.kill(pid ?? 0, 'SIGKILL')
    }
    await until(
      () => visitors.answers.filter((answer) => 'body' in answer).at(-1),
      (last) => last !== undefined && 'body' in last && !pids.has(Number(last.body.split(' ')[1])),
    )
    await visitors.stop()
    const errors = visitors.answers.flatMap((answer) => ('error' in answer ? [answer.error] : []))
    // Who was being served by a process that is killed is cut off; nobody is turned away.
    expect(errors.filter((error) => error === 'ECONNREFUSED')).toEqual([])
    expect(errors.length).toBeLessThanOrEqual(3 * 4)
  })
}

it('keeps a socket over a stop, gives it back with --release, and leaves no unix socket behind', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  const path = join(box.folder, 'run/web.sock')
  box.file('server.cjs', nodeServer)
  box.config(`
services:
  web:
    command: node server.cjs
    sockets: ["tcp://localhost:${port}", { listen: "unix://${path}", mode: 0600 }]
`)
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect(await ask(port)).toHaveProperty('body')
  await box.run('stop', '-s', 'web')
  const waiting = ask(port)
  await box.run('start', '-s', 'web')
  expect(await waiting).toHaveProperty('body')
  expect(await box.run('stop', '-s', 'web', '--release')).toMatchObject({ code: 0 })
  expect(await ask(port)).toEqual({ error: 'ECONNREFUSED' })
  expect(existsSync(path)).toBe(false)
  await box.run('start', '-s', 'web')
  expect(await ask(port)).toHaveProperty('body')
  expect(existsSync(path)).toBe(true)
  await box.run('stop')
  expect(await ask(port)).toEqual({ error: 'ECONNREFUSED' })
  expect(existsSync(path)).toBe(false)
})

it('says who has an address, in `start` and in `status`', async () => {
  await using box = new Sandbox()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  box.config(`services: { web: { command: sleep 1000, sockets: ["tcp://127.0.0.1:${port}"] } }`)
  const { code, stderr } = await box.run('start', '-d')
  expect(code).toBe(1)
  expect(stderr).toMatch(
    new RegExp(`\`web\` can't listen on tcp://127\\.0\\.0\\.1:${port}: pid ${process.pid} \\(.+\\) has it`),
  )
  expect(stderr).toContain('SYSG_SOCKETS_TAKEN')
  expect((await box.service('web')).reason).toContain(`pid ${process.pid}`)
  server.close()
})

it('says that a program is missing, as without sockets', async () => {
  await using box = new Sandbox()
  box.config(`services: { web: { exec: [/no/such/server], sockets: ["tcp://127.0.0.1:${await freePort()}"] } }`)
  const { code, stderr } = await box.run('start', '-d')
  expect(code).toBe(1)
  expect(stderr).toContain('/no/such/server does not exist')
  expect(stderr).toContain('SYSG_SPAWN_FAILED')
})

it('hands the service nothing but its sockets, and the supervisor’s environment without those of others', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.config(`
services:
  web: { command: "ls /proc/self/fd > fds; env > env; touch web-wrote; exec sleep 1000", sockets: ["tcp://127.0.0.1:${port}"] }
  other: { command: "env > other-env; touch other-wrote; exec sleep 1000" }
`)
  const start = box.spawn(['start', '-d'], { LISTEN_FDS: '7', LISTEN_PID: '1', LISTEN_FDNAMES: 'x' })
  await once(start, 'exit')
  await until(
    () => readdirSync(box.folder),
    (names) => names.includes('web-wrote') && names.includes('other-wrote'),
  )
  const read = (name: string) => readFileSync(join(box.folder, name), 'utf8').trim().split('\n')
  // `ls` itself has one on the folder. High ones are of whoever runs the tests.
  expect(read('fds').filter((fd) => Number(fd) < 32)).toEqual(['0', '1', '2', '3', '4'])
  const { pid } = await box.service('web')
  expect(
    read('env')
      .filter((line) => line.startsWith('LISTEN_'))
      .sort(),
  ).toEqual(['LISTEN_FDNAMES=unknown', 'LISTEN_FDS=1', `LISTEN_PID=${pid ?? 0}`])
  expect(read('other-env').filter((line) => line.startsWith('LISTEN_'))).toEqual([])
})
