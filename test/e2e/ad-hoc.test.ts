/** Programs that are started without standing in a config, with the built `sysg`. */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

const pidOf = async (box: Sandbox, name: string): Promise<number> => (await box.service(name)).pid ?? 0

/** With what would bring it back, which it must not replace meanwhile. */
const killSupervisor = async (box: Sandbox): Promise<void> => {
  const { pid } = (await box.status()).supervisor
  process.kill(pid, 'SIGSTOP')
  for (const holder of box.holders()) process.kill(holder, 'SIGKILL')
  process.kill(pid, 'SIGKILL')
  await until(
    () => isAlive(pid),
    (alive) => !alive,
  )
}

it('a folder without a config has a system of its own, found by every command', async () => {
  await using box = new Sandbox()
  expect((await box.run('status')).code).toBe(3)
  const first = await box.run(
    'start',
    '-d',
    '--',
    'sh',
    '-c',
    'echo "in $PWD: $0 $1"; exec sleep 1000',
    '${HOME}',
    '-d',
  )
  expect(first).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('`sh` was started') as string })
  const second = await box.run('start', '-d', '--', 'sh', '-c', 'exec sleep 1001')
  expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining('`sh-2` was started') as string })
  expect(await box.states()).toEqual({ sh: 'running', 'sh-2': 'running' })
  const { stdout } = await until(
    () => box.run('logs', 'sh'),
    (log) => log.stdout !== '',
  )
  expect(stdout).toBe(`in ${box.folder}: \${HOME} -d\n`)
  expect((await box.run('events', '-s', 'sh')).stdout).toContain('service.ready')
  const before = await pidOf(box, 'sh')
  expect((await box.run('restart', '-s', 'sh')).code).toBe(0)
  expect(await pidOf(box, 'sh')).not.toBe(before)
  expect((await box.run('stop', 'sh')).code).toBe(0)
  expect(await box.states()).toEqual({ 'sh-2': 'running' })
  expect((await box.run('logs', 'sh')).stdout).toContain('in ')
  expect((await box.run('stop')).code).toBe(0)
  expect(box.processes()).toEqual([])
  expect((await box.run('status')).code).toBe(3)
})

it('the same command under the same name is a success, another one an error that names it', async () => {
  await using box = new Sandbox()
  expect((await box.run('start', '-d', '--name', 'worker', '--', 'sleep', '1000')).code).toBe(0)
  const pid = await pidOf(box, 'worker')
  expect(await box.run('start', '-d', '--name', 'worker', 'sleep', '1000')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('`worker` runs already') as string,
  })
  const other = await box.run('start', '-d', '--name', 'worker', '--', 'sleep', '1001')
  expect(other.code).toBe(1)
  expect(other.stderr).toContain('`worker` is taken by an ad-hoc service with another command (sleep 1000)')
  expect(other.stderr).toContain('sysg stop -s worker')
  expect(await pidOf(box, 'worker')).toBe(pid)
  const made = await box.run('start', '-d', '--json', '--', 'sleep', '1000')
  expect(JSON.parse(made.stdout)).toEqual({ ok: true, problems: [], warnings: [], service: 'sleep' })
})

it('bare words are a program only where there is no config; a misspelt service never starts one', async () => {
  await using box = new Sandbox()
  expect((await box.run('start', '-d', 'sleep', '1000')).code).toBe(0)
  expect(await box.run('start', '-d', 'slepe')).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Did you mean `sleep`?') as string,
  })
  await box.run('stop')
  const nothing = await box.run('start', '-d', 'no-such-program')
  expect([nothing.code, nothing.stderr]).toEqual([5, expect.stringContaining('There is no config')])
  box.config('services: { api: { command: "sleep 1000" } }')
  for (const word of ['sleep', 'apo', './systemg.yaml']) {
    const { code, stderr } = await box.run('start', '-d', word)
    expect([word, code, stderr]).toEqual([word, 4, expect.stringContaining(`\`${word}\``)])
  }
  expect((await box.run('start', '-d', 'apo')).stderr).toContain('Did you mean `api`?')
  expect((await box.run('start', '-d', 'sleep')).stderr).toContain('sysg start -- sleep')
  expect(box.processes()).toEqual([])
})

it('beside a config: it alone is started, and no later config touches it', async () => {
  await using box = new Sandbox()
  box.config('env: { vars: { GREETING: moin } }\nservices: { api: { command: "sleep 1000" } }')
  const taken = await box.run('start', '-d', '--name', 'api', '--', 'sleep', '1')
  expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('a service of the config (sleep 1000)')])
  expect(box.processes()).toEqual([])
  const started = await box.run('start', '-d', '--name', 'worker', '--', 'sh', '-c', 'echo $GREETING; exec sleep 1001')
  expect(started).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(await box.states()).toEqual({ api: 'stopped', worker: 'running' })
  await until(
    () => box.run('logs', 'worker'),
    ({ stdout }) => stdout === 'moin\n',
  )
  const pid = await pidOf(box, 'worker')
  box.config('services: { web: { command: "sleep 1002" } }')
  expect((await box.run('plan')).stdout).toMatch(/keep +worker +ad hoc/)
  expect((await box.run('start', '-d')).code).toBe(0)
  expect((await box.run('restart')).code).toBe(0)
  expect(await box.states()).toEqual({ worker: 'running', web: 'running' })
  expect(await pidOf(box, 'worker')).toBe(pid)

  const web = await pidOf(box, 'web')
  box.config('services: { web: { command: "sleep 1003" }, worker: { command: "sleep 1004" } }')
  for (const command of [['start', '-d'], ['restart'], ['plan']]) {
    const { code, stderr } = await box.run(...command)
    expect([command, code, stderr]).toEqual([command, 1, expect.stringContaining('SYSG_AD_HOC_IN_THE_WAY')])
  }
  expect([await pidOf(box, 'web'), await pidOf(box, 'worker')]).toEqual([web, pid])
  await killSupervisor(box)
  const refused = await box.run('start', '-d')
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('SYSG_AD_HOC_IN_THE_WAY')])
  expect([web, pid].map(isAlive)).toEqual([true, true])
  box.config('services: { web: { command: "sleep 1002" } }')
  expect((await box.run('start', '-d')).code).toBe(0)
  expect((await box.run('stop', '-s', 'worker')).code).toBe(0)
  box.config('services: { web: { command: "sleep 1002" }, worker: { command: "sleep 1004" } }')
  expect((await box.run('start', '-d')).code).toBe(0)
  expect(await box.states()).toEqual({ web: 'running', worker: 'running' })
})

it('a killed supervisor: it goes on, the next one has it, and one that ended meanwhile is told', async () => {
  await using box = new Sandbox()
  for (const name of ['one', 'two']) await box.run('start', '-d', '--name', name, '--', 'sleep', '1000')
  const [one, two] = [await pidOf(box, 'one'), await pidOf(box, 'two')]
  await killSupervisor(box)
  process.kill(two, 'SIGKILL')
  const unsupervised = await box.run('status')
  expect([unsupervised.code, unsupervised.stdout]).toEqual([3, expect.stringMatching(/one +running \(unsupervised\)/)])
  const started = await box.run('start', '-d')
  expect([started.code, started.stderr]).toEqual([0, expect.stringContaining('`two` has ended')])
  expect(await box.states()).toEqual({ one: 'running', two: 'failed' })
  expect(await pidOf(box, 'one')).toBe(one)
  expect((await box.run('start', '-d', '-s', 'two')).code).toBe(0)
  expect(await box.states()).toEqual({ one: 'running', two: 'running' })
  await killSupervisor(box)
  expect((await box.run('stop')).code).toBe(0)
  expect(isAlive(one)).toBe(false)
  expect((await box.run('start', '-d')).code).toBe(5)
})

it('never ends the services of a config that is gone', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: "sleep 1000" } }')
  await box.run('start', '-d')
  const pid = await pidOf(box, 'api')
  rmSync(join(box.folder, 'systemg.yaml'))
  expect((await box.run('start', '-d')).code).toBe(5)
  await killSupervisor(box)
  const { code, stderr } = await box.run('start', '-d', '--', 'sleep', '1001')
  expect([code, stderr]).toEqual([5, expect.stringContaining('SYSG_CONFIG_GONE')])
  expect(isAlive(pid)).toBe(true)
})

it.each([
  ['exit 0', 0],
  ['exit 7', 7],
  ['kill -KILL $$', 137],
])('in a terminal without a config `%s` ends the system with %i', async (script, code) => {
  await using box = new Sandbox()
  const result = await box.run('start', '--', 'sh', '-c', `echo working; ${script}`)
  expect([result.code, result.stdout]).toEqual([code, 'working\n'])
  expect(box.processes()).toEqual([])
  expect((await box.run('start', '-d')).code).toBe(5)
})

it('in a terminal without a config the system ends when the last of its programs does', async () => {
  await using box = new Sandbox()
  const child = box.spawn(['start', '--name', 'one', '--', 'sh', '-c', 'echo one; exec sleep 1000'])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = new Promise((done) => child.once('exit', done))
  await until(
    () => output,
    (text) => text === 'one\n',
  )
  expect((await box.run('start', '--name', 'two', '--', 'sh', '-c', 'exec sleep 1001')).code).toBe(0)
  process.kill(await pidOf(box, 'one'), 'SIGKILL')
  await until(
    () => box.states(),
    ({ one }) => one === 'failed',
  )
  expect(await box.service('two')).toMatchObject({ state: 'running' })
  process.kill(await pidOf(box, 'two'), 'SIGTERM')
  expect(await ended).toBe(137)
  expect(box.processes()).toEqual([])
})

it('Ctrl-C in a terminal without a config stops everything and forgets it', async () => {
  await using box = new Sandbox()
  const child = box.spawn(['start', '--', 'sh', '-c', 'echo up; exec sleep 1000'])
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await until(
    () => output,
    (text) => text === 'up\n',
  )
  const ended = new Promise((done) => child.once('exit', done))
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(box.processes()).toEqual([])
  expect((await box.run('start', '-d')).code).toBe(5)
})

it('several at once without a name each get one of their own', async () => {
  await using box = new Sandbox()
  const results = await Promise.all(Array.from({ length: 4 }, () => box.run('start', '-d', '--', 'sleep', '1000')))
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
  expect(Object.keys(await box.states()).sort()).toEqual(['sleep', 'sleep-2', 'sleep-3', 'sleep-4'])
})

it('a config that comes later takes its place beside them', async () => {
  await using box = new Sandbox()
  await box.run('start', '-d', '--name', 'worker', '--', 'sleep', '1000')
  const pid = await pidOf(box, 'worker')
  box.config('services: { api: { command: "sleep 1001" } }', 'later.yaml')
  renameSync(join(box.folder, 'later.yaml'), join(box.folder, 'systemg.yaml'))
  expect((await box.run('start', '-d')).code).toBe(0)
  expect(await box.states()).toEqual({ worker: 'running', api: 'running' })
  expect(await pidOf(box, 'worker')).toBe(pid)
})

it('exit_when knows nothing of them: a failed one ends no system, and a running one keeps none', async () => {
  await using box = new Sandbox()
  box.config('exit_when: all-done\nservices: { job: { command: "while [ ! -e go ]; do sleep 0.1; done; exit 5" } }')
  const child = box.spawn(['start'])
  const ended = new Promise((done) => child.once('exit', done))
  await until(
    () => box.run('status'),
    ({ code }) => code === 0,
  )
  expect((await box.run('start', '-d', '--name', 'bad', '--', 'sh', '-c', 'exit 3')).code).toBe(1)
  expect((await box.run('start', '-d', '--name', 'long', '--', 'sleep', '1000')).code).toBe(0)
  expect(await box.states()).toEqual({ job: 'running', bad: 'failed', long: 'running' })
  box.file('go', '')
  expect(await ended).toBe(5)
  expect(box.processes()).toEqual([])
})
