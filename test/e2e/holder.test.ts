/** Supervisors that are killed, over and over: what they held open, what services said meanwhile, and that they come back. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { commandOf, isAlive, Sandbox, until, type Status } from './sysg.ts'

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

const server = `
require('http').createServer((request, response) => response.end(String(process.pid))).listen({ fd: 3 })
`

const config = (port: number, more = '') => `
${more}
services:
  web:
    command: node server.cjs
    sockets: ["tcp://127.0.0.1:${port}"]
    restart_policy: always
    backoff: 100ms
`

/** One request on a connection of its own: the pid that answered, or the error. */
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

const visitors = (port: number, count: number) => {
  const answers: string[] = []
  let isOver = false
  const running = Promise.all(
    Array.from({ length: count }, async () => {
      while (!isOver) answers.push(await ask(port))
    }),
  )
  return {
    answers,
    async stop() {
      isOver = true
      await running
    },
  }
}

/** Kill the supervisor; resolves when another one can be spoken to. */
const killAndAwaitNext = async (box: Sandbox): Promise<Status> => {
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  return until(
    () => box.status(),
    (status) => (status.supervisor as Status['supervisor'] | null)?.pid !== supervisor.pid && isSupervised(status),
  )
}

const killForGood = async (box: Sandbox): Promise<void> => {
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(supervisor.pid),
    (alive) => !alive,
  )
}

const isSupervised = (status: Status): boolean => (status.supervisor as Status['supervisor'] | null) !== null

/** As the kernel says: `T` is stopped, `Z` a zombie. */
const processState = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .charAt(0)
  } catch {
    return ''
  }
}

const runFolder = (box: Sandbox): string => {
  const [project = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  return join(box.home, project, 'run')
}

const holderPid = (box: Sandbox): number =>
  (JSON.parse(readFileSync(join(runFolder(box), 'holder.json'), 'utf8')) as { pid: number }).pid

/** Processes that run `sysg __supervise`, and holders. */
const supervisors = (box: Sandbox): readonly number[] =>
  box.processes().filter((pid) => commandOf(pid).includes('__supervise'))

it('killed five times in a row it comes back by itself: nobody is refused, the service keeps its pid, nothing is left', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(config(port))
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  const { pid } = await box.service('web')
  const crowd = visitors(port, 3)
  for (let round = 0; round < 5; round++) {
    const after = await killAndAwaitNext(box)
    expect(after.services.map((service) => service.pid)).toEqual([pid])
  }
  // The socket has gone through six supervisors: a new program can still be given it.
  expect(await box.run('restart', '-s', 'web')).toMatchObject({ code: 0 })
  const next = await box.service('web')
  await until(
    () => crowd.answers.at(-1),
    (last) => last === String(next.pid),
  )
  await crowd.stop()
  const strange = crowd.answers.filter((answer) => ![String(pid), String(next.pid)].includes(answer))
  // Those that the old program had accepted when it was stopped.
  expect(strange.filter((answer) => !['ECONNRESET', 'no answer', ''].includes(answer))).toEqual([])
  expect(strange.length).toBeLessThanOrEqual(3)
  // One supervisor and its holder.
  expect(supervisors(box)).toHaveLength(2)
  expect(await box.run('stop')).toMatchObject({ code: 0 })
  expect(box.processes()).toEqual([])
  expect(await ask(port)).toBe('ECONNREFUSED')
  expect(
    readdirSync(runFolder(box)).filter((name) => name.startsWith('holder') || name.startsWith('comeback')),
  ).toEqual([])
})

it('killed while it comes back, it is tried again', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(config(port))
  await box.run('start', '-d')
  const { pid } = await box.service('web')
  let { pid: victim } = (await box.status()).supervisor
  for (let round = 0; round < 3; round++) {
    const holders = supervisors(box).filter((one) => one !== victim)
    process.kill(victim, 'SIGKILL')
    const before = victim
    victim = await until(
      () => supervisors(box).find((one) => one !== before && !holders.includes(one)) ?? 0,
      (found) => found > 0,
    )
  }
  await until(() => box.status(), isSupervised)
  expect((await box.service('web')).pid).toBe(pid)
  expect(await ask(port)).toBe(String(pid))
  await box.run('restart', '-s', 'web')
  expect(await ask(port)).toBe(String((await box.service('web')).pid))
})

it('without `respawn`, the next start brings it back with its sockets, also when many start at once', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(config(port, 'respawn: false'))
  await box.run('start', '-d')
  const { pid } = await box.service('web')
  await killForGood(box)
  expect((await box.run('status')).stdout).toContain('running (unsupervised)')
  expect(await ask(port)).toBe(String(pid))
  // The program dies while nobody looks: who comes now waits.
  process.kill(pid ?? 0, 'SIGKILL')
  const waiting = ask(port)
  const starts = await Promise.all(Array.from({ length: 5 }, () => box.run('start', '-d')))
  expect(starts.map(({ code, stderr }) => [code, stderr])).toEqual(Array(5).fill([0, '']))
  expect(await waiting).toBe(String((await box.service('web')).pid))
  expect(supervisors(box)).toHaveLength(2)
})

it('comes back with the config it had, and a start applies what was changed meanwhile', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: sleep 1000 } }')
  await box.run('start', '-d')
  const { pid } = await box.service('api')
  box.config('services: { api: { command: sleep 2000 }, more: { command: sleep 1000 } }')
  const after = await killAndAwaitNext(box)
  expect(after.services.map((service) => [service.name, service.pid])).toEqual([['api', pid]])
  box.config('services: { broken: [')
  await killAndAwaitNext(box)
  expect((await box.service('api')).pid).toBe(pid)
  box.config('services: { api: { command: sleep 1000 }, more: { command: sleep 1000 } }')
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect(await box.states()).toEqual({ api: 'running', more: 'running' })
  expect((await box.service('api')).pid).toBe(pid)
})

it('comes back to what was wanted: the stopped stay stopped, the failed failed, the dead are started by their policy', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  up: { command: sleep 1000, restart_policy: always, backoff: 100ms }
  down: { command: sleep 1000 }
  broken: { command: "exit 3" }
  once: { command: "echo ran >> ran; exit 0" }
`)
  await box.run('start', '-d')
  await box.run('stop', '-s', 'down')
  const { pid } = await box.service('up')
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGSTOP')
  process.kill(pid ?? 0, 'SIGKILL')
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    async (): Promise<Record<string, string>> => (isSupervised(await box.status()) ? box.states() : {}),
    (states) => states['up'] === 'running',
  )
  expect(await box.states()).toEqual({ up: 'running', down: 'stopped', broken: 'failed', once: 'completed' })
  expect((await box.service('up')).pid).not.toBe(pid)
  expect(readFileSync(join(box.folder, 'ran'), 'utf8')).toBe('ran\n')
})

it('killed while it kills, it leaves nothing stopped: the next one carries that through', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  forks: { command: "trap '' TERM; while :; do /bin/true; done", stop_timeout: 50ms, restart_policy: always, backoff: 50ms }
`)
  await box.run('start', '-d')
  for (let round = 0; round < 5; round++) {
    const [pid, { supervisor }] = [await box.pid('forks'), await box.status()]
    const restart = box.run('restart', '-s', 'forks')
    await until(
      () => processState(pid),
      (state) => ['T', 'Z', ''].includes(state),
    )
    process.kill(supervisor.pid, 'SIGKILL')
    await restart
    await until(
      async () => (isSupervised(await box.status()) ? box.service('forks') : undefined),
      (service) => service?.state === 'running' && service.pid !== pid && !isAlive(pid),
    )
  }
  expect(await box.run('stop')).toMatchObject({ code: 0 })
  expect(box.processes()).toEqual([])
})

it('knows how a one-shot ended while no supervisor ran, and shows what had become of everything', async () => {
  await using box = new Sandbox()
  box.config(`
respawn: false
services:
  setup: { command: "echo ran >> ran; read line < go; exit 0" }
  api: { command: sleep 1000, depends_on: { setup: { condition: completed } } }
  dies: { command: sleep 1000 }
  down: { command: sleep 1000 }
  missing: { exec: [/no/such/program] }
`)
  spawnSync('mkfifo', [join(box.folder, 'go')])
  await box.run('start', '-d', '--no-wait')
  await until(
    () => box.states(),
    (states) => states['dies'] === 'running' && states['down'] === 'running',
  )
  const [setup, dies] = [await box.pid('setup'), await box.pid('dies')]
  await box.run('stop', '-s', 'down')
  await killForGood(box)
  spawnSync('sh', ['-c', 'echo x > go'], { cwd: box.folder })
  process.kill(dies, 'SIGKILL')
  await until(
    () => [setup, dies].filter(isAlive),
    (living) => living.length === 0,
  )
  const left = await box.status()
  expect(left.services.map(({ name, state, reason }) => [name, state, reason])).toEqual([
    ['dies', 'ended (unsupervised)', 'ended while no supervisor ran; exit status unknown'],
    ['down', 'stopped', 'stopped by you'],
    ['missing', 'failed', expect.stringContaining('/no/such/program')],
    ['setup', 'ended (unsupervised)', 'ended while no supervisor ran; exit code 0'],
  ])
  // A start gives what has failed another chance; the one-shot is not run again.
  expect((await box.run('start', '-d')).code).toBe(1)
  const states = { setup: 'completed', api: 'running', dies: 'running', down: 'stopped', missing: 'failed' }
  expect(await box.states()).toEqual(states)
  expect((await box.service('missing')).exit).toBe(null)
  expect(readFileSync(join(box.folder, 'ran'), 'utf8')).toBe('ran\n')
})

it('keeps the last words of a service that ends while no supervisor runs', async () => {
  await using box = new Sandbox()
  box.config(`
respawn: false
services:
  api: { command: "echo first; read line < go; echo last words; exit 7" }
`)
  spawnSync('mkfifo', [join(box.folder, 'go')])
  await box.run('start', '-d')
  const { pid } = await box.service('api')
  await until(
    () => box.run('logs', 'api').then(({ stdout }) => stdout),
    (logs) => logs.includes('first'),
  )
  await killForGood(box)
  spawnSync('sh', ['-c', 'echo x > go'], { cwd: box.folder })
  await until(
    () => isAlive(pid ?? 0),
    (alive) => !alive,
  )
  await box.run('start', '-d')
  await until(
    () => box.run('logs', 'api').then(({ stdout }) => stdout),
    (logs) => logs.includes('last words'),
  )
})

it('is stopped also when it has just been killed, and when its holder waits; a unix socket goes with it', async () => {
  await using box = new Sandbox()
  const path = join(box.folder, 'web.sock')
  for (const respawn of [true, false]) {
    box.config(`
respawn: ${respawn}
services: { web: { command: sleep 1000, sockets: ["unix://${path}"] } }
`)
    expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
    expect(existsSync(path)).toBe(true)
    await killForGood(box)
    expect(existsSync(path)).toBe(true)
    expect(await box.run('stop')).toMatchObject({ code: 0 })
    expect(box.processes()).toEqual([])
    expect(existsSync(path)).toBe(false)
  }
})

it('replaces a holder that is killed, and says so in its log', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(config(port))
  await box.run('start', '-d')
  const { pid } = await box.service('web')
  const before = holderPid(box)
  process.kill(before, 'SIGKILL')
  await until(
    () => holderPid(box),
    (now) => now !== before,
  )
  await killAndAwaitNext(box)
  expect((await box.service('web')).pid).toBe(pid)
  expect((await box.run('logs', '--kind', 'supervisor')).stdout).toContain('was killed; another one takes its place')
})

it('killed together with its holder: the service goes on, and a restart binds its address anew', async () => {
  await using box = new Sandbox()
  const port = await freePort()
  box.file('server.cjs', server)
  box.config(config(port))
  await box.run('start', '-d')
  const { pid } = await box.service('web')
  const { supervisor } = await box.status()
  const holder = holderPid(box)
  process.kill(supervisor.pid, 'SIGSTOP')
  process.kill(holder, 'SIGKILL')
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(supervisor.pid),
    (alive) => !alive,
  )
  expect(await ask(port)).toBe(String(pid))
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect((await box.service('web')).pid).toBe(pid)
  expect(await box.run('restart', '-s', 'web')).toMatchObject({ code: 0 })
  expect(await ask(port)).toBe(String((await box.service('web')).pid))
})

it.each([
  { what: 'that comes back by itself', more: '', killsHolder: false },
  { what: 'whose holder waits', more: 'respawn: false', killsHolder: false },
  { what: 'that was killed together with its holder', more: '', killsHolder: true },
])('after a supervisor $what, one `start` applies everything that was changed', async ({ more, killsHolder }) => {
  await using box = new Sandbox()
  const config = (seconds: number, value: string, others: string) => `
${more}
env: { vars: { VALUE: ${value} } }
services:
  same: { command: sleep 1000, env: { inherit: false, vars: { VALUE: own } } }
  api: { command: sleep ${seconds} }
${others}
`
  box.config(config(1000, 'one', '  gone: { command: sleep 1000 }'))
  await box.run('start', '-d')
  const before = await box.pid('api')
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGSTOP')
  if (killsHolder) process.kill(holderPid(box), 'SIGKILL')
  box.config(config(2000, 'two', '  more: { command: sleep 1000 }'))
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(supervisor.pid),
    (alive) => !alive,
  )
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect(await box.states()).toEqual({ same: 'running', api: 'running', more: 'running' })
  const after = await box.pid('api')
  expect(after).not.toBe(before)
  expect(isAlive(before)).toBe(false)
  expect(commandOf(after)).toBe('sleep 2000 ')
  const env = readFileSync(`/proc/${await box.pid('more')}/environ`, 'latin1')
  expect(env).toContain('VALUE=two')
  const pids = (await box.status()).services.map(({ pid }) => pid)
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect((await box.status()).services.map(({ pid }) => pid)).toEqual(pids)
})

it('in the foreground it does not come back by itself; the next start attaches to what goes on', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: sleep 1000 } }')
  const first = box.spawn(['start'])
  await until(
    () => box.run('status', '--json').then(({ code }) => code),
    (code) => code === 0,
  )
  const { pid } = await box.service('api')
  first.kill('SIGKILL')
  await once(first, 'exit')
  const second = box.spawn(['start'])
  let said = ''
  second.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until(
    () => said,
    (text) => text.includes('Attached to'),
  )
  second.kill('SIGINT')
  await once(second, 'exit')
  expect((await box.service('api')).pid).toBe(pid)
})

it('that cannot come back says why, and is tried again by the next start', async () => {
  await using box = new Sandbox()
  box.config('respawn: false\nservices: { api: { command: sleep 1000 } }')
  await box.run('start', '-d')
  const { pid } = await box.service('api')
  await killForGood(box)
  const comeback = join(runFolder(box), 'comeback.json')
  const good = readFileSync(comeback, 'utf8')
  writeFileSync(comeback, '{ broken')
  const failed = await box.run('start', '-d')
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('SYSG_SUPERVISOR_DIED')
  expect(failed.stderr).toContain('JSON')
  writeFileSync(comeback, good)
  expect(await box.run('start', '-d')).toMatchObject({ code: 0 })
  expect((await box.service('api')).pid).toBe(pid)
})
