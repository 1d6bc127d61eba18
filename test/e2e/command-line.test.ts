/** What scripts and people rely on: exit codes, clean stdout, no colour where there is no terminal. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

const ansi = /\u001b\[/

it('keeps stdout parseable and without colour when it is no terminal', async () => {
  await using box = new Sandbox()
  box.config('services: { a: { command: "echo hello; exec sleep 1000" }, b: { command: "exit 2" } }')
  const started = await box.run('start', '-d', '--json')
  expect(started.code).toBe(1)
  expect(JSON.parse(started.stdout)).toMatchObject({ ok: false, problems: [{ service: 'b' }] })
  const table = await box.run('status')
  expect(table.stdout).not.toMatch(ansi)
  expect(table.stdout).toMatch(/^NAME +STATE/)
  const status = await box.run('status', '--json')
  expect(status).toMatchObject({ code: 1, stderr: '' })
  expect(JSON.parse(status.stdout)).toMatchObject({
    services: [
      { name: 'a', state: 'running' },
      { name: 'b', state: 'failed' },
    ],
  })
  const log = await until(
    () => box.run('logs', '--json', 'a'),
    ({ stdout }) => stdout !== '',
  )
  expect(log.stderr).toBe('')
  expect(JSON.parse(log.stdout)).toMatchObject({ service: 'a', stream: 'stdout', line: 'hello' })
  for (const line of (await box.run('events', '--json')).stdout.trim().split('\n'))
    expect(JSON.parse(line)).toHaveProperty('seq')
  expect(JSON.parse((await box.run('graph', '--format', 'json')).stdout)).toMatchObject({ layers: [['a', 'b']] })
  expect(JSON.parse((await box.run('plan', '--json')).stdout)).toMatchObject({
    changes: [{ service: 'a', action: 'keep' }, {}],
  })
})

it.each([
  [3, ['status']],
  [3, ['logs', '-f']],
  [0, ['stop']],
  [2, ['frobnicate']],
  [2, ['start', '--frobnicate']],
  [2, ['status', '--log-level', 'loud']],
  [5, ['start', '-c', 'missing.yaml']],
  [2, ['start', '-d', '-p', 'another']],
  [2, ['stop', '--release']],
  [0, ['help', 'start']],
])('ends with %i for `sysg %j` when nothing runs', async (code, args) => {
  await using box = new Sandbox()
  box.config('services: { a: { command: "sleep 1000" } }')
  const result = await box.run(...args)
  expect(result.code, result.stderr).toBe(code)
  expect(result.stdout).not.toMatch(/error:/)
})

it.each([
  [['stat'], 'There is no command `stat`. Did you mean `status`?'],
  [['up'], 'There is no command `up`. Did you mean `start`?'],
  [['start', '--daemon'], 'There is no option `--daemon`. Did you mean `--daemonize`?'],
  [['logs', '-f', '--lines'], '`--lines` needs a value.'],
  [
    ['spawn', '--ttl', '-1', '--', 'true'],
    '`--ttl` needs a value. One that begins with `-` is joined to it: `--ttl=-…`.',
  ],
  [['logs', '-l', '-1'], '`-l` needs a value. One that begins with `-` is joined to it: `-l-…`.'],
  [['spawn', 'worker', '--fast'], 'There is no option `--fast`. An option of a program to start stands behind `--`.'],
  [['spawn', '--', ''], 'The command to start is empty text.'],
  [['stop', '--timeout', 'soon'], '`--timeout`: `soon` is no duration: write `10s`, `1m30s`, or a number of seconds.'],
])('says of `sysg %j` what was meant', async (args, message) => {
  await using box = new Sandbox()
  expect((await box.run(...args)).stderr).toContain(`error: ${message} [SYSG_USAGE]`)
})

it.each([
  ['stop', '--timeout', 'soon'],
  ['inspect', 'api', '--window', 'wide'],
  ['inspect', 'api', '--window', '0'],
  ['spawn', '--ttl', 'forever', '--', 'true'],
  ['status', '--stream', '0'],
  ['logs', '--since', 'noon'],
])('leads from a mistake in `sysg %s %s %s` to the help of that command', async (command, ...rest) => {
  await using box = new Sandbox()
  box.config('services: { api: { command: "sleep 1000" } }')
  const { code, stderr } = await box.run(command, ...rest)
  expect(code).toBe(2)
  expect(stderr).toContain(` hint: \`sysg ${command} --help\` shows what it takes.`)
})

it('names the state folder and what is in its way when it cannot be used', async () => {
  await using box = new Sandbox()
  box.config('services: { a: { command: "sleep 1000" } }')
  box.environment = { SYSG_HOME: join(box.file('no-folder', ''), 'state') }
  for (const args of [['start', '-d'], ['start']]) {
    const { code, stderr } = await box.run(...args)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: The state folder .*not a directory\. \[SYSG_STATE_FOLDER\]$/m)
    expect(stderr).not.toMatch(/ at /)
  }
})

it('starts a command that only asks with few files, and without the modules of Node that cost most', async () => {
  await using box = new Sandbox()
  box.config('services: { a: { command: "sleep 1000" } }')
  await box.run('start', '-d')
  const tell = box.file(
    'tell.mjs',
    `const { registerHooks } = process.getBuiltinModule('node:module')
let files = 0
registerHooks({ load: (url, context, next) => ((files += url.startsWith('file:') ? 1 : 0), next(url, context)) })
process.on('exit', () => process._rawDebug(JSON.stringify({ files, loaded: process.moduleLoadList })))`,
  )
  const child = box.spawn(['status', 'a'], { NODE_OPTIONS: `--import ${tell}` })
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  expect(await new Promise((done) => child.once('close', done))).toBe(0)
  const { files, loaded } = JSON.parse(stderr) as { files: number; loaded: readonly string[] }
  expect(files).toBeLessThanOrEqual(4)
  expect(loaded).toContain('NativeModule net')
  for (const name of ['crypto', 'child_process', 'internal/fs/promises', 'internal/readline/interface'])
    expect(loaded).not.toContain(`NativeModule ${name}`)
})

it('names an unknown service with exit code 4, in every command that takes one', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: "sleep 1000" } }')
  await box.run('start', '-d')
  for (const command of ['status', 'logs', 'stop', 'restart']) {
    const { code, stderr } = await box.run(command, 'apo')
    expect([command, code]).toEqual([command, 4])
    expect(stderr).toContain('`apo`')
  }
})

it('gives up waiting after --timeout with 6, and the start goes on', async () => {
  await using box = new Sandbox()
  box.config('services: { slow: { command: "sleep 1000", startup_grace: 3s } }')
  const { code, stderr } = await box.run('start', '-d', '--timeout', '500ms')
  expect([code, stderr]).toEqual([6, expect.stringContaining('SYSG_TIMEOUT')])
  await until(
    () => box.states(),
    ({ slow }) => slow === 'running',
  )
})

it('a second Ctrl-C ends at once what ignores the first', async () => {
  await using box = new Sandbox()
  box.config(
    `services: { stubborn: { command: "trap '' TERM; echo deaf; while :; do sleep 1; done", stop_timeout: 60s } }`,
  )
  const child = box.spawn(['start'])
  let [output, messages] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (messages += chunk.toString()))
  await until(
    () => output,
    (text) => text.includes('deaf'),
  )
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGINT')
  await until(
    () => messages,
    (text) => text.includes('Ctrl-C again'),
  )
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(box.processes()).toEqual([])
})

it('exit_when ends a foreground system with the exit code of the service', async () => {
  await using box = new Sandbox()
  box.config(`
exit_when: job
services:
  db: { command: "sleep 1000" }
  job: { command: "echo working; exit 7", depends_on: [db] }
`)
  const { code, stdout } = await box.run('start')
  expect([code, stdout.trim()]).toEqual([7, expect.stringContaining('working')])
  expect(box.processes()).toEqual([])
})

it('a frozen supervisor makes a command end with 6 and say so, not hang', async () => {
  await using box = new Sandbox()
  box.config('services: { a: { command: "sleep 1000" } }')
  await box.run('start', '-d')
  const { pid } = (await box.status()).supervisor
  process.kill(pid, 'SIGSTOP')
  const { code, stderr } = await box.run('status')
  process.kill(pid, 'SIGCONT')
  expect([code, stderr]).toEqual([6, expect.stringMatching(/did not answer within 10 s: it was stopped \(SIGSTOP\)/)])
})

it('a hundred services in a tree ten deep: all run, and nothing of them is left after stop', async () => {
  await using box = new Sandbox()
  const names = Array.from({ length: 100 }, (_, index) => index)
  const services = names.map((index) => {
    const needs = index < 10 ? '' : `, depends_on: [s${index - 10}]`
    return `  s${index}: { command: "sleep 1000", startup_grace: 10ms${needs} }`
  })
  box.config(`services:\n${services.join('\n')}\n`)
  expect((await box.run('start', '-d')).code).toBe(0)
  expect(Object.values(await box.states()).filter((state) => state === 'running')).toHaveLength(100)
  // The services, the supervisor and its holder.
  const before = await until(
    () => box.processes(),
    ({ length }) => length === 102,
  )
  expect((await box.run('stop')).code).toBe(0)
  expect(before.filter(isAlive)).toEqual([])
  const [project = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  expect(readdirSync(join(box.home, project, 'run')).sort()).toEqual(['boot.log', 'code.json', 'output'])
  expect(readdirSync(join(box.home, project, 'run', 'output'))).toEqual([])
})
