/** Who answers, as the node host finds out, and what has no say in it. */
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { HostError, NotAnsweredBy, type TreeRef } from '@systemg/core'
import { describe, expect, it, vi } from 'vitest'
import { findPeer, type Ends } from '../../../cli/src/host/peer-socket.ts'
import { bytesOf } from '../../../cli/src/host/socket-tables.ts'
import { freePort } from '../../ports.ts'
import { testHost, until, type TestHost } from './node-host-for-tests.ts'

const never = () => new AbortController().signal

const listening = async (server: Server, to?: string): Promise<AsyncDisposable & { port: number }> => {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => {
    if (to === undefined) server.listen({ port: 0, host: '127.0.0.1' }, resolve)
    else server.listen(to, resolve)
  })
  const address = server.address() as AddressInfo | string
  return {
    port: typeof address === 'string' ? 0 : address.port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Answers with its own pid, on a socket that it may have been given. */
const answersWithPid = `const server = require('node:http').createServer((_, response) => response.end(String(process.pid)))
server.listen(process.argv[1] === 'fd' ? { fd: 3 } : +process.argv[1], process.argv[1] === 'fd' ? undefined : '127.0.0.1', () => console.log('ready', process.env.SYSG_TOKEN, process.pid))`

const startReady = async (test: TestHost, argv: readonly [string, ...string[]], name: string): Promise<TreeRef> => {
  let text = ''
  const pipe = await test.host.output(
    join(test.folder, `${name}.fifo`),
    (chunk) => (text += Buffer.from(chunk).toString()),
  )
  const { tree } = await test.start(argv, { stdout: pipe.writer })
  await until(() => text.includes('ready'))
  await pipe.close()
  return tree
}

describe('the other end of a connection', () => {
  const ends: Ends = { localAddress: '127.0.0.1', localPort: 0xd2a4, remoteAddress: '127.0.0.1', remotePort: 0x1f90 }
  const row = (entry: string, state: string, inode: string) =>
    `  sl  local_address rem_address   st\n   0: ${entry} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000 20 4 30 10 -1\n`
  const v4 = '0100007F:1F90 0100007F:D2A4'
  const v6 = '0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:D2A4'

  it.each([
    { what: 'has been accepted', tcp: row(v4, '01', '4711'), tcp6: '', is: { inode: '4711' } },
    {
      what: 'was accepted by a server that listens on ::',
      tcp: '',
      tcp6: row(v6, '01', '4712'),
      is: { inode: '4712' },
    },
    { what: 'waits in the backlog', tcp: row(v4, '01', '0'), tcp6: '', is: 'waiting' },
    { what: 'waits behind a full backlog', tcp: row(v4, '03', '0'), tcp6: '', is: 'waiting' },
    { what: 'was closed at once', tcp: row(v4, '05', '0'), tcp6: '', is: 'closed' },
    { what: 'is not listed here', tcp: row('0100007F:1F90 0100007F:D2A5', '01', '1'), tcp6: '', is: 'elsewhere' },
  ])('$what', ({ tcp, tcp6, is }) => {
    expect(findPeer(ends, (table) => (table === 'tcp' ? tcp : tcp6))).toEqual(is)
  })

  it.each([
    { address: '10.0.0.7', bytes: [10, 0, 0, 7] },
    { address: '::ffff:10.0.0.7', bytes: [10, 0, 0, 7] },
    { address: '::1', bytes: [...Array<number>(15).fill(0), 1] },
    { address: 'fe80::1%eth0', bytes: [0xfe, 0x80, ...Array<number>(13).fill(0), 1] },
  ])('reads $address', ({ address, bytes }) => {
    expect(bytesOf(address)).toEqual(bytes)
  })
})

describe('an answer', () => {
  it('counts from the process that was asked alone, of two that share one listening socket', async () => {
    await using test = testHost()
    const port = await freePort()
    // The first has the socket and hands it on, as a supervisor does.
    const script = `const net = require('node:net'), { spawn } = require('node:child_process')
      const server = net.createServer().listen(${port}, '127.0.0.1', () => {
        const fd = server._handle.fd
        for (const token of ['one', 'two'])
          spawn(process.execPath, ['-e', process.argv[1], 'fd'], { detached: true, stdio: ['ignore', 'inherit', 'inherit', fd], env: { ...process.env, SYSG_TOKEN: token } })
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      })`
    let text = ''
    const pipe = await test.host.output(
      join(test.folder, 'both.fifo'),
      (chunk) => (text += Buffer.from(chunk).toString()),
    )
    const { tree: holder } = await test.start([process.execPath, '-e', script, answersWithPid], {
      stdout: pipe.writer,
    })
    await until(() => text.split('ready').length === 3)
    const living = await test.host.processes.members(holder)
    for (const token of ['one', 'two']) {
      const pid = Number(new RegExp(`ready ${token} (\\d+)`).exec(text)?.[1])
      const startTime = living.find((one) => one.pid === pid)?.startTime ?? 0
      const tree: TreeRef = { pid, startTime, token, bootId: holder.bootId }
      const others = new Set<number | undefined>()
      let answers = 0
      for (let tries = 0; tries < 400 && (answers < 20 || others.size === 0); tries++) {
        const asked = test.host.http({ url: `http://127.0.0.1:${port}/`, signal: never(), answeredBy: tree })
        const answer = await asked.catch((thrown: unknown) => thrown)
        if (answer instanceof NotAnsweredBy) others.add(answer.pid)
        else {
          expect((answer as { body: string }).body).toBe(String(tree.pid))
          answers++
        }
      }
      expect(answers).toBeGreaterThanOrEqual(1)
      expect([...others]).not.toContain(tree.pid)
    }
    await pipe.close()
  })

  it('of a child counts as one of its service', async () => {
    await using test = testHost()
    const port = await freePort()
    const script = `require('node:child_process').spawn(process.execPath, ['-e', process.argv[1], '${port}'], { stdio: ['ignore', 'inherit', 'inherit'] })`
    const tree = await startReady(test, [process.execPath, '-e', script, answersWithPid], 'child')
    const { body } = await test.host.http({ url: `http://127.0.0.1:${port}/`, signal: never(), answeredBy: tree })
    expect(Number(body)).not.toBe(tree.pid)
  })

  it('from a unix socket is an answer, but nobody knows whose', async () => {
    await using test = testHost()
    const path = join(test.folder, 'http.sock')
    await using server = await listening(
      createHttpServer((request, response) => response.end(request.url)),
      path,
    )
    expect(server.port).toBe(0)
    const url = `http+unix://${encodeURIComponent(path)}/health?deep=1`
    expect((await test.host.http({ url, signal: never() })).body).toBe('/health?deep=1')
    const { tree } = await test.start(['sleep', '100'])
    const failure = await test.host.http({ url, signal: never(), answeredBy: tree }).catch((thrown: unknown) => thrown)
    expect(failure).toBeInstanceOf(NotAnsweredBy)
    expect((failure as NotAnsweredBy).why).toBe('unattributable')
  })

  it('that is no HTTP is said to be none', async () => {
    await using test = testHost()
    await using server = await listening(createServer((socket) => void socket.end('220 smtp ready\r\n')))
    const failure = await test.host
      .http({ url: `http://127.0.0.1:${server.port}/`, signal: never() })
      .catch((e: unknown) => e)
    expect(failure).toMatchObject({ errno: 'EPROTO', message: 'the answer is not HTTP' })
  })

  it('that breaks off is none', async () => {
    await using test = testHost()
    const begin = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of'
    await using server = await listening(createServer((socket) => void socket.end(begin)))
    const failure = await test.host
      .http({ url: `http://127.0.0.1:${server.port}/`, signal: never() })
      .catch((e: unknown) => e)
    expect(failure).toBeInstanceOf(HostError)
    expect(failure).toMatchObject({ errno: 'ECONNRESET' })
  })

  it('without TLS is none for https', async () => {
    await using test = testHost()
    await using server = await listening(createHttpServer((_, response) => response.end()))
    const failure = await test.host
      .http({ url: `https://127.0.0.1:${server.port}/`, signal: never() })
      .catch((e: unknown) => e)
    expect(failure).toMatchObject({ errno: 'EPROTO', message: 'the answer is not TLS, as of a server for http' })
  })
})

describe('a request', () => {
  it('goes through no proxy, whatever the environment says, and keeps no connection', async () => {
    await using test = testHost()
    const sockets = new Set<Socket>()
    let proxied = 0
    await using proxy = await listening(createHttpServer((_, response) => void (proxied++, response.end('proxy'))))
    const origin = createHttpServer((request, response) => response.end(request.headers.connection))
    origin.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await using server = await listening(origin)
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY']) vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`)
    vi.stubEnv('NODE_USE_ENV_PROXY', '1')
    vi.stubEnv('NO_PROXY', '')
    try {
      const { body } = await test.host.http({ url: `http://127.0.0.1:${server.port}/`, signal: never() })
      expect([body, proxied]).toEqual(['close', 0])
      await until(() => sockets.size === 0)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it.each(['ftp://localhost/x', 'no url'])('to %s is refused', async (url) => {
    await using test = testHost()
    expect(await test.host.http({ url, signal: never() }).catch((e: unknown) => e)).toMatchObject({ errno: 'EINVAL' })
  })
})
