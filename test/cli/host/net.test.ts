import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Connection } from '@systemg/core'
import { createNet } from '../../../cli/src/host/net.ts'
import { SpareDescriptors } from '../../../cli/src/host/spare-descriptors.ts'
import { findSocket, requirePrivate, socketPath } from '../../../cli/src/host/socket-path.ts'
import { testFolder, until } from './node-host-for-tests.ts'

/** A connected pair: the server's end and the client's. */
const pair = async (path: string) => {
  const accepted = Promise.withResolvers<Connection>()
  const server = await createNet(new SpareDescriptors()).serve(path, accepted.resolve)
  const client = connect(findSocket(path))
  return { server, client, connection: await accepted.promise }
}

const received = (socket: Socket): { bytes(): Buffer } => {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk))
  return { bytes: () => Buffer.concat(chunks) }
}

it('carries bytes both ways over a private socket', async () => {
  const path = join(testFolder(), 'run/control.sock')
  const { server, client, connection } = await pair(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
  const atServer: Buffer[] = []
  connection.onData((chunk) => void atServer.push(Buffer.from(chunk)))
  const atClient = received(client)
  client.write('ping')
  await until(() => Buffer.concat(atServer).toString() === 'ping')
  await connection.write(Buffer.from('pong'))
  await until(() => atClient.bytes().toString() === 'pong')
  client.destroy()
  await server.close()
  expect(existsSync(path)).toBe(false)
})

it('makes the writer wait for a slow reader, and lets go when the reader leaves', async () => {
  const { server, client, connection } = await pair(join(testFolder(), 'a.sock'))
  client.pause()
  let isClosed = false
  connection.onClose(() => (isClosed = true))
  let waiting = 0
  for (let count = 0; count < 20; count++) {
    waiting++
    void connection.write(Buffer.alloc(2 ** 20)).then(() => waiting--)
  }
  await new Promise((resolve) => setImmediate(resolve))
  expect(waiting).toBeGreaterThan(0)
  client.destroy()
  await until(() => isClosed && waiting === 0)
  await connection.write(Buffer.from('into the void'))
  await new Promise<void>((resolve) => connection.onClose(resolve))
  await server.close()
})

it('sends everything before it closes', async () => {
  const { server, client, connection } = await pair(join(testFolder(), 'a.sock'))
  const got = received(client)
  void connection.write(Buffer.alloc(3_000_000, 'x'))
  connection.close()
  await once(client, 'close')
  expect(got.bytes().length).toBe(3_000_000)
  await server.close()
})

it('takes over a socket that nobody answers on, but none that somebody does', async () => {
  const path = join(testFolder(), 'a.sock')
  const first = await createNet(new SpareDescriptors()).serve(path, () => undefined)
  await expect(createNet(new SpareDescriptors()).serve(path, () => undefined)).rejects.toMatchObject({
    errno: 'EADDRINUSE',
  })
  await until(() => existsSync(path))
  await first.close()

  const dead = createServer().listen(path)
  await once(dead, 'listening')
  // What a killed supervisor leaves: the file without anybody behind it.
  const kept = join(dirname(path), 'kept')
  const { linkSync, renameSync } = await import('node:fs')
  linkSync(path, kept)
  await new Promise((resolve) => dead.close(resolve))
  renameSync(kept, path)
  const second = await createNet(new SpareDescriptors()).serve(path, () => undefined)
  await second.close()
})

it('is there again when somebody has removed it, and who was connected stays so', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const path = join(testFolder(), 'run/control.sock')
  const { server, client, connection } = await pair(path)
  vi.advanceTimersByTime(1_000)
  vi.useRealTimers()
  for (const removed of [path, dirname(path)]) {
    rmSync(removed, { recursive: true })
    await until(() => existsSync(path))
    expect([lstatSync(path).mode & 0o777, lstatSync(dirname(path)).mode & 0o777]).toEqual([0o600, 0o700])
  }
  await once(connect(path), 'connect')
  const got = received(client)
  await connection.write(Buffer.from('pong'))
  await until(() => got.bytes().toString() === 'pong')
  await server.close()
  expect(existsSync(path)).toBe(false)
})

it('does not remove a file that is no socket', async () => {
  const path = join(testFolder(), 'notes.txt')
  writeFileSync(path, 'kept')
  await expect(createNet(new SpareDescriptors()).serve(path, () => undefined)).rejects.toMatchObject({
    errno: 'ENOTSOCK',
  })
  expect(readFileSync(path, 'utf8')).toBe('kept')
})

describe('a path that is too long', () => {
  const longPath = (): string => join(testFolder(), 'a-rather-long-name-of-a-project'.repeat(4), 'run/control.sock')

  it('is served from a short private folder, and found there', async () => {
    const path = longPath()
    const { server, client, connection } = await pair(path)
    expect(existsSync(path)).toBe(false)
    const short = readFileSync(join(dirname(path), 'socket-path'), 'utf8').trim()
    expect(short).toMatch(/^\/tmp\/systemg-\d+\/[0-9a-f]{32}\.sock$/)
    expect(findSocket(path)).toBe(short)
    expect(lstatSync(dirname(short)).mode & 0o777).toBe(0o700)
    expect(lstatSync(short).mode & 0o777).toBe(0o600)
    connection.close()
    client.destroy()
    await server.close()
  })

  it('is told from others, and found without the pointer', () => {
    const path = longPath()
    expect(socketPath(path)).toBe(socketPath(path))
    expect(socketPath(path)).not.toBe(socketPath(`${path}2`))
    expect(findSocket(path)).toBe(socketPath(path))
    expect(socketPath('/short.sock')).toBe('/short.sock')
    expect(socketPath('/' + 'ü'.repeat(50))).toMatch(/^\/tmp\//)
  })

  it('is refused when the short folder is a link, open to others, or somebody else’s', () => {
    const folder = testFolder()
    symlinkSync(folder, join(folder, 'link'))
    mkdirSync(join(folder, 'open'))
    const uid = process.getuid?.() ?? 0
    expect(() => requirePrivate(folder, uid)).not.toThrow()
    expect(() => requirePrivate(join(folder, 'link'), uid)).toThrow(/not a folder/)
    expect(() => requirePrivate(join(folder, 'open'), uid)).toThrow(/others may use it/)
    expect(() => requirePrivate(folder, uid + 1)).toThrow(/belongs to user/)
    rmSync(folder, { recursive: true })
  })
})
