/** Another version of systemg takes the supervisor's place while users are answered. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { freePort } from '../ports.ts'
import { commandOf, resultOf, Sandbox, until, type Status } from './sysg.ts'

const repository = resolve(fileURLToPath(import.meta.url), '../../..')
const builtBin = join(repository, 'cli/bin/sysg.mjs')

/** The built `sysg` in a folder of its own, under another version. @param edit - Changes its code further. */
const otherVersion = (box: Sandbox, version: string, edit = (code: string): string => code): string => {
  const folder = join(box.folder, `systemg-${version}`)
  mkdirSync(folder)
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(repository, 'cli', part), join(folder, part), { recursive: true })
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  for (const part of readdirSync(join(folder, 'dist'), { recursive: true }) as string[]) {
    if (!part.endsWith('.mjs')) continue
    const path = join(folder, 'dist', part)
    const code = readFileSync(path, 'utf8').replace('const version = "0.1.0"', `const version = "${version}"`)
    writeFileSync(path, edit(code))
  }
  return join(folder, 'bin/sysg.mjs')
}

/** It need not live for long until it is brought back itself. */
const staysAtOnce = (code: string): string => code.replace(/\bcalmAfterMs = 3e4\b/, 'calmAfterMs = 1')

const writesNewer = (code: string): string =>
  code.replace('version: 1, synchronous: "FULL"', 'version: 2, synchronous: "FULL"')

/** Kill the supervisor. Resolves when another one has taken over. @param bin - Which `sysg` says so. */
const killSupervisor = async (box: Sandbox, bin = builtBin): Promise<Supervised> => {
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  return until(
    async () => JSON.parse((await resultOf(box.spawnNode([bin, 'status', '--json']))).stdout) as Supervised,
    ({ supervisor: next }) => next !== null && next.pid !== supervisor.pid,
  )
}

type Supervised = Omit<Status, 'supervisor'> & {
  readonly supervisor: { readonly pid: number; readonly version: string } | null
}

const ask = async (port: number): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    socket.end('GET / HTTP/1.0\r\n\r\n')
    return (await text(socket)).split('\r\n\r\n')[1] ?? 'no answer'
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)
  }
}

const server = `
let line = 0
setInterval(() => console.log(++line), 5)
require('http').createServer((request, response) => response.end(String(process.pid))).listen({ fd: 3 })
`

it('nobody is refused, every service keeps its pid, no line is lost, and the new one does everything', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(`
services:
  web: { command: node server.cjs, sockets: ["tcp://127.0.0.1:${port}"], restart_policy: always }
  plain: { command: sleep 1000, depends_on: [web] }
`)
  await box.sysg('start', '-d')
  const before = await box.status()
  const pids = before.services.map(({ pid }) => pid)
  const answers: string[] = []
  const isOver = { yes: false }
  const crowd = (async () => {
    while (!isOver.yes) answers.push(await ask(port))
  })()
  const next = otherVersion(box, '0.2.0', staysAtOnce)
  // A start of the new version says what can be done, and does it not.
  const hinted = await resultOf(box.spawnNode([next, 'start', '-d']))
  expect(hinted.code).toBe(0)
  expect(hinted.stderr).toContain('`sysg upgrade` replaces it')

  const upgrade = await resultOf(box.spawnNode([next, 'upgrade']))
  expect(upgrade.stderr).toContain('(0.1.0) has handed over to')
  expect(upgrade.code).toBe(0)
  const after = await box.status()
  expect(after.supervisor).toMatchObject({ version: '0.2.0' })
  expect(commandOf(after.supervisor.pid)).toContain(next)
  expect(after.services.map(({ pid, state }) => [pid, state])).toEqual(pids.map((pid) => [pid, 'running']))
  const seen = answers.length
  await until(
    () => answers.length,
    (count) => count > seen + 20,
  )
  isOver.yes = true
  await crowd
  expect(answers.filter((answer) => answer !== String(pids[0]))).toEqual([])

  // It holds the socket and the output as the one before did, and comes back as itself.
  expect((await killSupervisor(box)).supervisor).toMatchObject({ version: '0.2.0' })
  expect(await box.run('restart', '-s', 'web')).toMatchObject({ code: 0 })
  expect(await ask(port)).toBe(String(await box.pid('web')))
  const lines = (await box.sysg('logs', 'web', '-l', 'all')).trim().split('\n').map(Number)
  const firstRun = lines.slice(0, lines.lastIndexOf(1))
  expect(firstRun.filter((line, at) => line !== at + 1)).toEqual([])
  expect(await box.run('stop')).toMatchObject({ code: 0 })
  expect(box.processes()).toEqual([])
})

const broken: readonly [title: string, where: RegExp, by: string, code: string, says: RegExp][] = [
  [
    'that cannot be loaded is refused',
    /^const runDaemon = /m,
    'throw new Error("half of it is missing");\n$&',
    'SYSG_UPGRADE_REFUSED',
    /half of it is missing[^]*Nothing was changed/,
  ],
  [
    'that ends before it has taken over is followed by the one before',
    /\bawait host\.takenUp\(/,
    'throw new Error("not made for this machine"); $&',
    'SYSG_UPGRADE_FAILED',
    /systemg 0\.2\.0 did not take over:[^]*not made for this machine[^]*exit code 1[^]*The supervisor is systemg 0\.1\.0 again/,
  ],
  [
    'that hangs is ended, and followed by the one before',
    /\bawait host\.takenUp\(/,
    'for (;;); $&',
    'SYSG_UPGRADE_FAILED',
    /not ready within 3 s[^]*The supervisor is systemg 0\.1\.0 again/,
  ],
]

it.each(broken)('a version %s; nobody notices but the one who upgrades', async (_, where, by, code, says) => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(`
respawn: false
services:
  web: { command: node server.cjs, sockets: ["tcp://127.0.0.1:${port}"], restart_policy: always }
  plain: { command: sleep 1000, depends_on: [web] }
`)
  await box.sysg('start', '-d')
  const before = await box.status()
  const pids = before.services.map(({ pid }) => pid)
  let edits = 0
  const next = otherVersion(box, '0.2.0', (text) => {
    if (where.test(text)) edits += 1
    return text.replace(where, by)
  })
  expect(edits).toBeGreaterThan(0)
  const answers: string[] = []
  const isOver = { yes: false }
  const crowd = (async () => {
    while (!isOver.yes) answers.push(await ask(port))
  })()

  const upgrade = await resultOf(box.spawnNode([next, 'upgrade', '--timeout', '3s']))
  expect(upgrade).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(says) as string })
  expect(upgrade.stderr).toContain(`[${code}]`)
  const after = await box.status()
  expect(after.supervisor).toMatchObject({ version: '0.1.0' })
  expect(after.supervisor.pid === before.supervisor.pid).toBe(code === 'SYSG_UPGRADE_REFUSED')
  expect(after.services.map(({ pid, state, restarts }) => [pid, state, restarts])).toEqual(
    pids.map((pid) => [pid, 'running', 0]),
  )
  isOver.yes = true
  await crowd
  expect(answers.filter((answer) => answer !== String(pids[0]))).toEqual([])
  const lines = (await box.sysg('logs', 'web', '-l', 'all')).trim().split('\n').map(Number)
  expect(lines.filter((line, at) => line !== at + 1)).toEqual([])
  // It is all there: also to be upgraded once more, and to stop.
  const good = otherVersion(box, '0.3.0')
  expect(await resultOf(box.spawnNode([good, 'upgrade']))).toMatchObject({ code: 0 })
  expect((await box.status()).supervisor).toMatchObject({ version: '0.3.0' })
  expect(await box.run('stop')).toMatchObject({ code: 0 })
  expect(box.processes()).toEqual([])
})

it.each([true, false])(
  'a version that dies soon after it has taken over is followed by the one before (respawn: %s)',
  async (respawn) => {
    await using box = new Sandbox()
    const port = await freePort()
    box.file('server.cjs', server)
    box.config(`
respawn: ${respawn}
services:
  web: { command: node server.cjs, sockets: ["tcp://127.0.0.1:${port}"], restart_policy: always }
  plain: { command: sleep 1000, depends_on: [web] }
`)
    await box.sysg('start', '-d')
    const pids = (await box.status()).services.map(({ pid }) => pid)
    const answers: string[] = []
    const isOver = { yes: false }
    const crowd = (async () => {
      while (!isOver.yes) answers.push(await ask(port))
    })()
    const next = otherVersion(box, '0.2.0')
    expect(await resultOf(box.spawnNode([next, 'upgrade']))).toMatchObject({ code: 0 })
    expect((await box.status()).supervisor).toMatchObject({ version: '0.2.0' })

    const back = await killSupervisor(box)
    expect(back.supervisor).toMatchObject({ version: '0.1.0' })
    expect(back.services.map(({ pid, state }) => [pid, state])).toEqual(pids.map((pid) => [pid, 'running']))
    expect(await box.sysg('logs', '--kind', 'supervisor')).toMatch(/warn The upgrade was taken back: .*systemg-0\.2\.0/)
    // From here on it is as if there had been no upgrade.
    if (respawn) expect((await killSupervisor(box)).supervisor).toMatchObject({ version: '0.1.0' })
    isOver.yes = true
    await crowd
    expect(answers.filter((answer) => answer !== String(pids[0]))).toEqual([])
    const lines = (await box.sysg('logs', 'web', '-l', 'all')).trim().split('\n').map(Number)
    expect(lines.filter((line, at) => line !== at + 1)).toEqual([])
    expect(await box.run('stop')).toMatchObject({ code: 0 })
    expect(box.processes()).toEqual([])
  },
)

it('a version that has written what the one before cannot read is followed by itself, and every service goes on', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: sleep 1000 } }')
  await box.sysg('start', '-d')
  const pid = await box.pid('api')
  const next = otherVersion(box, '0.2.0', writesNewer)
  expect(await resultOf(box.spawnNode([next, 'upgrade']))).toMatchObject({ code: 0 })
  const again = await killSupervisor(box, next)
  expect(again.supervisor).toMatchObject({ version: '0.2.0' })
  expect(again.services.map((service) => [service.pid, service.state])).toEqual([[pid, 'running']])
  // It also does what is asked with the older version.
  expect(await box.run('stop')).toMatchObject({ code: 0 })
  expect(box.processes()).toEqual([])
})

it('a supervisor in a terminal is not replaced, and says what to do', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: sleep 1000 } }')
  box.spawn(['start'])
  await until(
    () => box.run('status', '--json'),
    ({ code }) => code === 0,
  )
  const pid = await box.pid('api')
  const refused = await box.run('upgrade')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('SYSG_UPGRADE_FOREGROUND')
  expect(await box.pid('api')).toBe(pid)
})
