/** Listening sockets with real processes and connections. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fdOf } from '../../../cli/src/host/descriptor.ts'
import { listeners } from '../../../cli/src/host/listeners.ts'
import { socketInode } from '../../../cli/src/host/socket-holders.ts'
import { passedSockets } from '../../../cli/src/host/passed-sockets.ts'
import { createSockets } from '../../../cli/src/host/sockets.ts'
import { testFolder, testHost, until } from './node-host-for-tests.ts'
import { freePort } from '../../ports.ts'

const accepts = join(import.meta.dirname, 'accepts.mjs')

/** What the server says before it ends the connection. Rejects as `connect` does. */
const ask = async (where: { port: number; host?: string } | { path: string }): Promise<string> => {
  const socket = connect(where)
  await once(socket, 'connect')
  return text(socket)
}

const program = (fd: number): ChildProcess => {
  const child = spawn(process.execPath, [accepts], { stdio: ['ignore', 'pipe', 'inherit', fd] })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  return child
}

const ready = async (child: ChildProcess): Promise<void> => {
  if (child.stdout !== null) await once(child.stdout, 'data')
}

describe('the supervisor', () => {
  it('never accepts: connections wait, and all of 300 go to the two processes that have the socket', async () => {
    await using at = testHost()
    const port = await freePort()
    const socket = await at.host.sockets.listen(`tcp://127.0.0.1:${port}`, {})
    const early = Array.from({ length: 150 }, () => ask({ port, host: '127.0.0.1' }))
    await until(() => waitingAt(port) === 150)
    const programs = [program(fdOf(socket)), program(fdOf(socket))]
    await Promise.all(programs.map(ready))
    const late = Array.from({ length: 150 }, () => ask({ port, host: '127.0.0.1' }))
    const answers = await Promise.all([...early, ...late])
    const byProgram = programs.map(({ pid }) => answers.filter((answer) => answer === String(pid)).length)
    expect(byProgram.reduce((sum, count) => sum + count, 0)).toBe(300)
    expect(isPolled(fdOf(socket))).toBe(false)
    await untilAnotherIsPolled()
  })

  it.skipIf(!hasSs)('holds as many waiting connections as the backlog says', async () => {
    await using at = testHost()
    const port = await freePort()
    await at.host.sockets.listen(`tcp://127.0.0.1:${port}`, { backlog: 77 })
    expect(backlogOf(port)).toBe(77)
    await at.host.sockets.listen(`tcp://127.0.0.1:${port}`, { backlog: 99 })
    expect(backlogOf(port)).toBe(99)
  })

  it('gives its socket to no process that is not to have it', async () => {
    await using at = testHost()
    const port = await freePort()
    const socket = await at.host.sockets.listen(`tcp://127.0.0.1:${port}`, {})
    const inode = socketInode(fdOf(socket)) ?? ''
    const { tree } = await at.start(['sleep', '1000'])
    const links = spawnSync('ls', ['-l', `/proc/${tree.pid}/fd`], { encoding: 'utf8' }).stdout
    expect(links).not.toContain(`socket:[${inode}]`)
  })
})

describe('an address', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[::]', '::1'],
    ['[::]', '127.0.0.1'],
  ])('on %s is reached through %s', async (host, through) => {
    await using at = testHost()
    const port = await freePort()
    const socket = await at.host.sockets.listen(`tcp://${host}:${port}`, {})
    const child = program(fdOf(socket))
    expect(await ask({ port, host: through })).toBe(String(child.pid))
    expect(listeners().find(({ inode }) => inode === socketInode(fdOf(socket)))?.address).toBe(`tcp://${host}:${port}`)
  })

  it('that is taken is refused with who has it', async () => {
    await using at = testHost()
    const port = await freePort()
    const socket = await at.host.sockets.listen(`tcp://127.0.0.1:${port}`, {})
    const child = program(fdOf(socket))
    await ready(child)
    socket.close()
    const again = at.host.sockets.listen(`tcp://0.0.0.0:${port}`, {})
    await expect(again).rejects.toMatchObject({
      errno: 'EADDRINUSE',
      pids: [child.pid],
      message: expect.stringMatching(/^pid \d+ \(.*node.* has it$/) as string,
    })
  })

  it('that this machine does not have is refused', async () => {
    await using at = testHost()
    await expect(at.host.sockets.listen('tcp://192.0.2.1:8080', {})).rejects.toMatchObject({ errno: 'EADDRNOTAVAIL' })
  })
})

describe('a unix socket', () => {
  const place = () => join(testFolder(), 'deep/s.sock')

  it('is made with its permissions in a folder that is made, and removed at the end', async () => {
    await using at = testHost()
    const path = place()
    const socket = await at.host.sockets.listen(`unix://${path}`, { mode: 0o660 })
    expect((statSync(path).mode & 0o777).toString(8)).toBe('660')
    const child = program(fdOf(socket))
    expect(await ask({ path })).toBe(String(child.pid))
    await at.host.sockets.listen(`unix://${path}`, { mode: 0o600 })
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600')
    await at.host.dispose()
    await until(() => !existsSync(path))
  })

  it('takes the place of one that nobody answers at, and of nothing else', async () => {
    await using at = testHost()
    const path = join(testFolder(), 's.sock')
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ])
    expect(existsSync(path)).toBe(true)
    const socket = await at.host.sockets.listen(`unix://${path}`, {})
    const child = program(fdOf(socket))
    expect(await ask({ path })).toBe(String(child.pid))

    const file = join(testFolder(), 'file')
    writeFileSync(file, 'precious')
    await expect(at.host.sockets.listen(`unix://${file}`, {})).rejects.toMatchObject({ errno: 'ENOTSOCK' })
    expect(readFileSync(file, 'utf8')).toBe('precious')
  })

  it('of a program that lives is left to it', async () => {
    await using at = testHost()
    const path = join(testFolder(), 's.sock')
    const server = createServer().listen(path)
    await once(server, 'listening')
    const again = at.host.sockets.listen(`unix://${path}`, {})
    await expect(again).rejects.toMatchObject({ errno: 'EADDRINUSE', pids: [process.pid] })
    server.close()
  })
})

describe('sockets that systemd has opened', () => {
  it('are taken up by address, else by name, and only by the process they are for', async () => {
    const ports = [await freePort(), await freePort(), await freePort()] as const
    const by = createSockets({ trace: () => undefined, passed: [] })
    const opened = await Promise.all(ports.slice(0, 2).map((port) => by.listen(`tcp://127.0.0.1:${port}`, {})))
    const asked = `tcp://127.0.0.1:${ports[2]}`
    const script = `
      import { passedSockets } from '${join(import.meta.dirname, '../../../cli/src/host/passed-sockets.ts')}'
      import { createSockets } from '${join(import.meta.dirname, '../../../cli/src/host/sockets.ts')}'
      import { fdOf } from '${join(import.meta.dirname, '../../../cli/src/host/descriptor.ts')}'
      const env = { LISTEN_FDS: '2', LISTEN_PID: String(process.pid), LISTEN_FDNAMES: 'web:admin' }
      const none = passedSockets({ ...env, LISTEN_PID: '1' }, process.pid)
      const passed = passedSockets(env, process.pid)
      const sockets = createSockets({ trace: () => undefined, passed })
      const fds = [await sockets.listen('tcp://127.0.0.1:${ports[0]}', {}), await sockets.listen('${asked}', { name: 'admin' })].map(fdOf)
      console.log(JSON.stringify({ none, passed, fds }))
      process.exit(0)`
    const child = spawn(process.execPath, ['--conditions=systemg-source', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit', ...opened.map(fdOf)],
      cwd: import.meta.dirname,
    })
    const said = JSON.parse(await text(child.stdout ?? expect.unreachable())) as unknown
    by.dispose()
    expect(said).toEqual({
      none: [],
      passed: [
        { fd: 3, address: `tcp://127.0.0.1:${ports[0]}`, name: 'web' },
        { fd: 4, address: `tcp://127.0.0.1:${ports[1]}`, name: 'admin' },
      ],
      fds: [3, 4],
    })
  })

  it('are none when nothing says so', () => {
    expect(passedSockets({}, process.pid)).toEqual([])
    expect(passedSockets({ LISTEN_PID: String(process.pid), LISTEN_FDS: 'many' }, process.pid)).toEqual([])
  })
})

/** Connections that nobody has accepted yet: for a socket that listens, the kernel shows them as its receive queue. */
const waitingAt = (port: number): number => {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  const row = rows.map((line) => line.trim().split(/\s+/)).find((fields) => fields[1] === local && fields[3] === '0A')
  return Number.parseInt(row?.[4]?.split(':')[1] ?? '0', 16)
}

/** Only `ss` can ask the kernel for it. */
const backlogOf = (port: number): number => Number(ss(`sport = :${port}`).split(/\s+/)[2])
const ss = (filter: string): string => spawnSync('ss', ['-Hltn', filter], { encoding: 'utf8' }).stdout.trim()
const hasSs = spawnSync('ss', ['-V']).status === 0
if (!hasSs) console.warn('skipped: the backlog of a socket, which needs `ss` (iproute2)')

/** Node's own `listen`, as the counterproof. */
const untilAnotherIsPolled = async (): Promise<void> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  await until(() => isPolled(fd))
  server.close()
}

/** This process waits for events of the descriptor. */
const isPolled = (fd: number): boolean =>
  readdirSync('/proc/self/fdinfo').some((name) => readInfo(name).includes(`tfd: ${String(fd).padStart(8)} `))

const readInfo = (name: string): string => {
  try {
    return readFileSync(`/proc/self/fdinfo/${name}`, 'utf8')
  } catch {
    return ''
  }
}
