import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { connect as connectTo, createServer, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { tryConnect } from '../../../cli/src/client/connect.ts'
import { projectPaths } from '../../../cli/src/project/state-root.ts'
import { testFolder } from '../host/node-host-for-tests.ts'

/** `undefined` when there is no room for it. */
const knock = (path: string): Promise<Socket | undefined> =>
  new Promise((resolve, reject) => {
    const socket = connectTo(path)
    onTestFinished(() => void socket.destroy())
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EAGAIN') resolve(undefined)
      else reject(error)
    })
  })

it('waits for room when nobody accepts for a while', async () => {
  const paths = projectPaths(testFolder(), 'shop')
  mkdirSync(dirname(paths.socket), { recursive: true, mode: 0o700 })
  const program = join(import.meta.dirname, 'pings.mjs')
  const frozen = spawn(process.execPath, [program, paths.socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void frozen.kill('SIGKILL'))
  await once(frozen.stdout, 'data')
  frozen.kill('SIGSTOP')
  let waiting = 0
  while ((await knock(paths.socket)) !== undefined) waiting += 1
  expect(waiting).toBeGreaterThan(0)

  const connecting = tryConnect(paths)
  expect(await knock(paths.socket)).toBeUndefined()
  frozen.kill('SIGCONT')
  const supervisor = await connecting
  expect(supervisor?.pid).toBe(frozen.pid)
  supervisor?.close()
})

it('finds nobody when the supervisor dies before it has accepted', async () => {
  const paths = projectPaths(testFolder(), 'shop')
  mkdirSync(dirname(paths.socket), { recursive: true, mode: 0o700 })
  const dying = createServer().listen(paths.socket)
  await once(dying, 'listening')
  // The connection waits in the kernel until this process takes its next turn; by then nobody is there for it.
  const connecting = tryConnect(paths)
  dying.close()
  expect(await connecting).toBeUndefined()
})
