/** Hooks of real services: every row of the matrix, and the death of the supervisor. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isAlive, Sandbox, until } from './sysg.ts'

/** Each hook appends its name to the file `ran`. */
const hooks = `
    hooks:
      on_start: { success: &note 'echo "$SYSG_SERVICE $SYSG_EVENT $SYSG_EXIT_CODE$SYSG_SIGNAL $SYSG_ATTEMPT" >> ran', error: *note }
      on_stop: { success: *note, error: { command: *note, timeout: 10s } }
      on_restart: { success: *note, error: *note }`

const ran = (box: Sandbox): readonly string[] => {
  const file = join(box.folder, 'ran')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

/** Of one service, as soon as there are so many. */
const ranOf = (box: Sandbox, service: string, count: number): Promise<readonly string[]> =>
  until(
    () =>
      ran(box).flatMap((line) => (line.startsWith(`${service} `) ? [line.slice(service.length + 1).trimEnd()] : [])),
    (lines) => lines.length >= count,
  )

it('every row of the matrix, with what each hook is told', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  db:
    command: sleep 1000
    restart_policy: always
    backoff: 200ms${hooks}
  api:
    command: sleep 1000
    depends_on: [db]${hooks}
  once:
    command: 'true'
    startup_grace: 2s${hooks}
  bad:
    command: exit 4
    startup_grace: 2s${hooks}
  missing:
    exec: [./not-there]${hooks}
  worker:
    command: 'test -e broken && exit 5; sleep 1000'
    restart_policy: always
    startup_grace: 2s
    backoff: 300ms${hooks}
`)
  expect((await box.run('start', '-d')).code).toBe(1)
  expect(await ranOf(box, 'once', 2)).toEqual(['on_start.success 0 0', 'on_stop.success 0 0'])
  expect(await ranOf(box, 'bad', 1)).toEqual(['on_start.error 4 0'])
  expect(await ranOf(box, 'missing', 1)).toEqual(['on_start.error  0'])
  expect(await ranOf(box, 'worker', 1)).toEqual(['on_start.success  0'])

  process.kill(await box.pid('db'), 'SIGKILL')
  expect(await ranOf(box, 'db', 4)).toEqual([
    ...['on_start.success  0', 'on_stop.error SIGKILL 0', 'on_start.success  1', 'on_restart.success  1'],
  ])
  expect(await ranOf(box, 'api', 3)).toEqual([
    'on_start.success  0',
    'on_stop.success SIGTERM 0',
    'on_start.success  0',
  ])

  box.file('broken', '')
  process.kill(await box.pid('worker'), 'SIGKILL')
  const failing = await ranOf(box, 'worker', 6)
  expect(failing.slice(1, 6)).toEqual([
    ...['on_stop.error SIGKILL 0', 'on_start.error 5 1', 'on_restart.error 5 1', 'on_start.error 5 2'],
    'on_restart.error 5 2',
  ])
  await box.sysg('stop', '-s', 'worker')

  await box.sysg('restart', '-s', 'api')
  expect((await ranOf(box, 'api', 5)).slice(3)).toEqual(['on_stop.success SIGTERM 0', 'on_start.success  0'])
  await box.sysg('stop')
  expect(ran(box).slice(-2)).toEqual([
    'api on_stop.success SIGTERM 0',
    expect.stringMatching(/^db on_stop.success SIGTERM \d/),
  ])
})

it('a hook that hangs holds up nothing, is killed with all it has started, and its failure is told', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  api:
    command: sleep 1000
    hooks:
      on_start: { success: { command: 'echo begun; setsid sleep 1000 & echo $! > pid; wait', timeout: 1s } }
      on_stop: { success: 'echo no such channel >&2; exit 3' }
`)
  await box.sysg('start', '-d')
  const pid = await until(
    () => (existsSync(join(box.folder, 'pid')) ? Number(readFileSync(join(box.folder, 'pid'), 'utf8')) : 0),
    (found) => found > 0,
  )
  expect((await box.service('api')).state).toBe('running')
  await until(
    () => isAlive(pid),
    (living) => !living,
  )
  await box.sysg('stop', '-s', 'api')
  const events = await until(
    () => box.sysg('events', '--type', 'hook.*'),
    (text) => text.includes('on_stop'),
  )
  expect(events).toMatch(/hook\.failed +api: the hook on_start\.success failed: it took longer than 1s/)
  expect(events).toMatch(/api: the hook on_stop\.success failed: exit code 3, `no such channel`/)
  const logs = await box.sysg('logs', 'api')
  expect(logs).toContain('begun')
  expect(logs).toContain('no such channel')
})

it('a supervisor that is killed: the hook that runs goes on and is not run again, what waits is run', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  api:
    command: sleep 1000
    hooks:
      on_start: { success: 'echo begun >> ran; until test -e go; do sleep 0.1; done; echo done >> ran' }
      on_stop: { error: 'echo crashed >> ran' }
`)
  await box.sysg('start', '-d')
  await until(
    () => ran(box),
    (lines) => lines.includes('begun'),
  )
  process.kill(await box.pid('api'), 'SIGKILL')
  await until(
    () => box.states(),
    ({ api }) => api === 'failed',
  )
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => box.run('status', '--json'),
    ({ stdout }) => stdout !== '' && ![supervisor.pid, undefined].includes(supervisorPid(stdout)),
  )
  expect(ran(box)).toEqual(['begun'])
  box.file('go', '')
  await until(
    () => ran(box),
    (lines) => lines.length === 3,
  )
  expect(ran(box)).toEqual(['begun', 'done', 'crashed'])
  await box.sysg('stop')
  expect(ran(box)).toHaveLength(3)
})

it('Ctrl-C waits for hooks, a second one does not', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  api:
    command: sleep 1000
    hooks: { on_stop: { success: 'echo begun >> ran; sleep 1000' } }
`)
  const system = box.spawn(['start'])
  const ended = new Promise((resolve) => system.once('exit', resolve))
  await until(
    async () => (await box.run('status', '--json')).stdout,
    (stdout) => stdout.includes('"running"'),
  )
  system.kill('SIGINT')
  await until(
    () => ran(box),
    (lines) => lines.includes('begun'),
  )
  expect(system.exitCode).toBeNull()
  system.kill('SIGINT')
  await ended
  expect(box.processes()).toEqual([])
})

const supervisorPid = (stdout: string): number | undefined =>
  (JSON.parse(stdout) as { readonly supervisor?: { readonly pid?: number } | null }).supervisor?.pid
