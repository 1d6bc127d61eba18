/** The control socket under people who mean no good: garbage, floods, connections without end. Only they suffer. */
import { execFile } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

const mebibyte = 1024 * 1024

const begin = async (box: Sandbox): Promise<{ socket: string; supervisor: number; api: number; folder: string }> => {
  box.config('services: { api: { command: "sleep 1000" } }')
  await box.sysg('start', '-d')
  const [id = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  const folder = join(box.home, id)
  const socket = join(folder, 'run', 'control.sock')
  return { socket, folder, supervisor: (await box.status()).supervisor.pid, api: await box.pid('api') }
}

/** Connected; never fails the test by itself. */
const open = (path: string): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.on('error', () => undefined)
    for (const event of ['connect', 'close']) socket.once(event, () => resolve(socket))
  })

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })

/** As many as the kernel lets wait at once. */
const openMany = async (path: string, count: number): Promise<readonly Socket[]> => {
  const sockets: Socket[] = []
  while (sockets.length < count) {
    sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(path)))))
  }
  return sockets
}

/** Without that by which the supervisor is told when its socket is removed, which comes a while after the start. */
const descriptors = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`) !== 'anon_inode:inotify').length

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path)
  } catch {
    // It was closed meanwhile.
    return undefined
  }
}

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

it('garbage, huge and half frames, and readers that never read end their own connection and are logged', async () => {
  await using box = new Sandbox()
  const { socket, supervisor, api } = await begin(box)
  const before = { descriptors: descriptors(supervisor), bytes: residentBytes(supervisor) }

  const garbage = await open(socket)
  garbage.resume()
  garbage.write(Buffer.alloc(4096, '\xff\x00{]\n'))
  await closed(garbage)

  const huge = await open(socket)
  huge.resume()
  const piece = Buffer.alloc(mebibyte, 'x')
  for (let sent = 0; sent < 24 && !huge.closed; sent++) huge.write(piece)
  await closed(huge)

  const half = await open(socket)
  half.write('{"jsonrpc":"2.0","id":1,"meth')

  const neverReads = await open(socket)
  neverReads.pause()
  const ask = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'events.read', params: {} })}\n`
  const asking = setInterval(() => {
    if (neverReads.writableLength < mebibyte) neverReads.write(ask.repeat(500))
  }, 1)
  await closed(neverReads)
  clearInterval(asking)

  expect(await box.states()).toEqual({ api: 'running' })
  half.destroy()
  await until(
    () => descriptors(supervisor),
    (count) => count <= before.descriptors,
  )
  expect(residentBytes(supervisor) - before.bytes).toBeLessThan(150 * mebibyte)
  expect((await box.status()).supervisor.pid).toBe(supervisor)
  expect(await box.pid('api')).toBe(api)
  expect(await box.sysg('logs', '--kind', 'supervisor')).toMatch(
    /warn a control connection was ended: SYSG_CONTROL_\w+/,
  )
})

it('a thousand idle connections, and a thousand that vanish at once, keep nobody out', async () => {
  await using box = new Sandbox()
  const { socket, supervisor } = await begin(box)
  const before = descriptors(supervisor)
  const idle = await openMany(socket, 1000)
  expect(await box.states()).toEqual({ api: 'running' })
  expect(descriptors(supervisor)).toBeLessThan(before + 100)
  for (const one of idle) one.destroy()
  for (let round = 0; round < 10; round++) {
    const hasty = await openMany(socket, 100)
    for (const one of hasty) {
      one.write('{"jsonrpc":"2.0","id":1,"method":"events.follow","params":{}}\n')
      one.destroy()
    }
  }
  await until(
    () => descriptors(supervisor),
    (count) => count <= before,
  )
  expect(await box.states()).toEqual({ api: 'running' })
})

it('nobody else may read or use anything: folders are 0700, files 0600, whatever the umask', async () => {
  await using box = new Sandbox()
  const mask = process.umask(0)
  const { socket, folder } = await begin(box).finally(() => process.umask(mask))
  expect(modeOf(box.home)).toBe(0o700)
  expect(modeOf(folder)).toBe(0o700)
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name)
    expect([name, modeOf(path).toString(8)]).toEqual([name, lstatSync(path).isDirectory() ? '700' : '600'])
  }
  if (process.getuid?.() !== 0) return
  // A second user, who may pass through every folder: what keeps them out is the socket itself.
  for (const path of [box.folder, box.home, folder, join(folder, 'run')]) chmodSync(path, 0o755)
  const program = `require('net').connect(${JSON.stringify(socket)}).on('connect', () => console.log('connected')).on('error', (e) => console.log(e.code))`
  const asOther = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, '-e', program]
  const { stdout } = await promisify(execFile)('setpriv', asOther, { cwd: '/' })
  expect(stdout).toBe('EACCES\n')
})

const modeOf = (path: string): number => lstatSync(path).mode & 0o777
