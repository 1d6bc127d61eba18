import { linkSync, renameSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Host, OutputPipe } from '@systemg/core'
import { hostContract, type HostUnderTest, type StandardPrograms } from '../../../core/src/testing/host-contract.ts'
import { connectionOf } from '../../../cli/src/host/connection.ts'
import { createNodeHost } from '../../../cli/src/host/index.ts'
import { freePort } from '../../ports.ts'
import { programs as folderOfPrograms, removeFolder, testFolder, until } from './node-host-for-tests.ts'

const runs = (script: string) => [process.execPath, '-e', script] as const

const programs: StandardPrograms = {
  sleeps: () => ['sh', '-c', 'echo ready; exec sleep 1000'],
  exits: (code, afterMs) =>
    afterMs === 0
      ? ['sh', '-c', `exit ${code}`]
      : [process.execPath, '-e', `setTimeout(() => process.exit(${code}), ${afterMs})`],
  ignoresSigterm: () => [join(folderOfPrograms, 'ignores-sigterm.sh')],
  prints: (text, stream) => ['sh', '-c', `printf %s "$1" >&${stream === 'stdout' ? 1 : 2}`, 'sh', text],
  forks: () => [join(folderOfPrograms, 'forks-a-child.sh'), 'forked'],
  forksEscaped: () => [join(folderOfPrograms, 'escapes-by-double-fork.sh'), 'escaped'],
  answers: (port, status, body) => [
    ...runs(`require('node:http').createServer((request, response) => {
      let got = ''
      request.on('data', (chunk) => (got += chunk))
      request.on('end', () => {
        response.writeHead(+process.argv[2], { 'x-asked': request.method + ' ' + request.url, 'x-got': got })
        response.end(process.argv[3])
      })
    }).listen(+process.argv[1], '127.0.0.1', () => console.log('ready'))`),
    ...[`${port}`, `${status}`, body],
  ],
  neverAnswers: (port) => [
    ...runs(
      `require('node:net').createServer(() => {}).listen(+process.argv[1], '127.0.0.1', () => console.log('ready'))`,
    ),
    `${port}`,
  ],
  neverAccepts: (port) => [
    ...runs(`require('node:net').createServer().listen(+process.argv[1], '127.0.0.1', () => {
      require('node:fs').writeSync(1, 'ready\\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`),
    `${port}`,
  ],
  printsEnv: () => ['env'],
  listens: (port) => [
    process.execPath,
    '-e',
    `require('node:net').createServer().listen(${port}, '127.0.0.1', () => console.log('ready'))`,
  ],
}

/** A host that can die like a killed supervisor: its descriptors are closed, and nothing is tidied up. */
const mortalHost = (folder: string) => {
  const host = createNodeHost({ folder: join(folder, 'state') })
  const pipes: OutputPipe[] = []
  const served = new Map<string, { close(): Promise<void> }>()
  const mortal: Host = {
    ...host,
    async output(path, onChunk) {
      const pipe = await host.output(path, onChunk)
      pipes.push(pipe)
      return pipe
    },
    net: {
      ...host.net,
      async serve(path, accept) {
        const server = await host.net.serve(path, accept)
        served.set(path, server)
        return {
          close() {
            served.delete(path)
            return server.close()
          },
        }
      },
    },
  }
  const die = async (): Promise<void> => {
    for (const pipe of pipes) await pipe.close()
    for (const [path, server] of served) {
      // Closing a server removes its socket; the kernel does not when a process is killed.
      linkSync(path, `${path}.kept`)
      await server.close()
      renameSync(`${path}.kept`, path)
    }
    await host.dispose()
  }
  return { mortal, die }
}

const make = async (): Promise<HostUnderTest> => {
  const folder = testFolder()
  let { mortal, die } = mortalHost(folder)
  return {
    host: mortal,
    folder,
    programs,
    freePort,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async until(condition) {
      await until(condition)
    },
    async connect(path) {
      const socket = connect(path)
      await once(socket, 'connect')
      return connectionOf(socket)
    },
    async reopen() {
      await die()
      ;({ mortal, die } = mortalHost(folder))
      return mortal
    },
    async dispose() {
      await die()
      removeFolder(folder)
    },
  }
}

hostContract('node', make, { describe, it, expect })
