/** Schedules of real programs, by the real clock. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { commandOf, isAlive, resultOf, Sandbox, until, type Status } from './sysg.ts'

interface Inspected {
  readonly tree: readonly { readonly processes: readonly { command: string; children: readonly unknown[] }[] }[]
}

const historyOf = async (box: Sandbox, name: string) => (await box.service(name)).cron?.history ?? []

it('a job each second runs each second, and says so everywhere', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  tick: { command: 'echo tick; exit 4', success_exit_codes: [4], cron: '* * * * * *' }
  bad: { command: 'echo oh no; exit 3', cron: { expression: '*/2 * * * * *', timezone: UTC } }
  slow: { command: sleep 2.5, cron: '* * * * * *' }
  later: { command: 'exit 0', cron: '0 0 1 1 *' }
`)
  const valid = await box.sysg('validate')
  expect(valid).toMatch(/^later runs next at \d{4}-01-01 00:00:00, /m)
  expect(valid).toMatch(/^bad runs next at .* \(UTC\)$/m)
  await box.sysg('start', '-d')
  expect((await box.service('later')).state).toBe('scheduled')

  const ticks = await until(
    () => historyOf(box, 'tick'),
    (runs) => runs.filter(({ status }) => status === 'success').length >= 4,
  )
  for (const [index, run] of ticks.entries()) {
    // On a machine with much to do even this may take longer than a second; no second is lost for that.
    if (run.status !== 'skipped')
      expect(run).toMatchObject({ status: 'success', exit_code: 4, trigger: 'schedule', reason: null })
    const before = ticks[index - 1]?.scheduled
    if (typeof before === 'string') expect(Date.parse(run.scheduled ?? '') - Date.parse(before)).toBe(1_000)
    if (run.status !== 'skipped')
      expect(Date.parse(run.started ?? '')).toBeGreaterThanOrEqual(Date.parse(run.scheduled ?? ''))
  }
  const slow = await until(
    () => historyOf(box, 'slow'),
    (runs) => runs.some(({ status }) => status === 'success'),
  )
  expect(slow.slice(0, 2).map(({ status }) => status)).toEqual(['skipped', 'skipped'])
  expect((await historyOf(box, 'bad'))[0]).toMatchObject({ status: 'failed', exit_code: 3, reason: 'exit code 3' })

  expect(await box.sysg('logs', 'tick')).toContain('tick')
  // Not while it runs; exit code 1 while `slow` is starting.
  const lastRun = /^bad .*last run failed \S+ ago \(exit code 3\)/m
  const status = await until(
    async () => (await box.run('status')).stdout,
    (said) => lastRun.test(said),
  )
  expect(status).toMatch(lastRun)
  const events = await box.sysg('events', '--type', 'cron.*')
  expect(events).toMatch(/cron\.finished +bad: the run failed after .*: exit code 3/)
  expect(events).toMatch(/cron\.skipped +slow: the run that was due at .* goes on/)
})

it('by hand: a start runs it now with its exit code, a stop ends the run and the schedule', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  job: { command: 'test -e good || exit 3', cron: '0 0 1 1 *' }
  long: { command: sleep 1000, cron: { expression: '* * * * * *', timeout: 1h } }
`)
  await box.sysg('start', '-d')
  const failed = await box.run('start', '-d', '-s', 'job')
  expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining('The run of `job` failed: exit code 3.')])
  box.file('good', '')
  expect((await box.run('start', '-d', '-s', 'job')).code).toBe(0)
  expect(await historyOf(box, 'job')).toMatchObject([
    { status: 'failed', trigger: 'manual', scheduled: null },
    { status: 'success', trigger: 'manual', exit_code: 0 },
  ])

  const { pid } = await until(
    () => box.service('long'),
    (service) => service.pid !== null && service.state === 'running',
  )
  await box.sysg('stop', '-s', 'long')
  expect(isAlive(pid ?? 0)).toBe(false)
  expect(await box.service('long')).toMatchObject({ state: 'stopped', cron: { next_run: null, running: false } })
  expect((await historyOf(box, 'long')).at(-1)).toMatchObject({ status: 'interrupted', reason: 'stopped by you' })
})

it('a time limit ends everything that a run has started', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  job: { command: 'setsid sleep 1000 & echo $! > pid; wait', cron: { expression: '0 0 1 1 *', timeout: 1s } }
`)
  await box.sysg('start', '-d')
  const { code, stderr } = await box.run('start', '-d', '-s', 'job')
  expect([code, stderr]).toEqual([1, expect.stringContaining('it took longer than its timeout of 1 s')])
  expect(isAlive(Number(readFileSync(join(box.folder, 'pid'), 'utf8')))).toBe(false)
  expect(await historyOf(box, 'job')).toMatchObject([{ status: 'timeout', trigger: 'manual' }])
})

it('a run that is ended and goes its own way is told as it ends, when it has ended', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  job:
    exec: [bash, -c, 'trap "sleep 0.3; echo last line; exit 7" TERM; echo up; while :; do sleep 0.1; done']
    cron: { expression: '0 0 1 1 *', timeout: 1s }
    hooks: { on_stop: { error: { command: 'echo "$SYSG_EXIT_CODE,$SYSG_SIGNAL" > told' } } }
  stays:
    exec: [bash, -c, 'trap "" TERM; echo up; while :; do sleep 0.1; done']
    stop_timeout: 300ms
    cron: { expression: '0 0 1 1 *', timeout: 1s }
  plain: { command: sleep 1000, cron: { expression: '0 0 1 1 *', timeout: 1s } }
`)
  await box.sysg('start', '-d')
  const waiting = box.run('start', '-d', '-s', 'job', '-s', 'stays', '-s', 'plain')
  const tree = await until(
    async () => (JSON.parse((await box.run('inspect', 'job', '--json')).stdout) as Inspected).tree,
    ([one]) => one?.processes[0]?.children.length === 1,
  )
  expect(tree[0]?.processes.map(({ command }) => command)).toEqual([expect.stringMatching(/^bash -c trap/)])
  await waiting
  expect(await historyOf(box, 'job')).toMatchObject([{ status: 'timeout', exit_code: 7 }])
  expect(await historyOf(box, 'stays')).toMatchObject([{ status: 'timeout', exit_code: null }])
  const told = await until(
    () => Promise.resolve(existsSync(join(box.folder, 'told')) ? readFileSync(join(box.folder, 'told'), 'utf8') : ''),
    (text) => text.endsWith('\n'),
  )
  expect(told).toBe('7,\n')
  expect((await box.service('job')).exit).toMatchObject({ code: 7, signal: null })
  expect((await box.service('stays')).exit).toMatchObject({ code: null, signal: 'SIGKILL' })
  expect((await box.service('plain')).exit).toMatchObject({ code: null, signal: 'SIGTERM' })
  expect(await box.sysg('logs', 'job', '--kind', 'stdout', '--no-prefix')).toBe('up\nlast line\n')
  expect(await box.sysg('logs', 'plain', '--no-prefix')).toBe('')
})

it('a killed supervisor: the run goes on, is taken over, and is remembered', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  job: { command: 'echo $$ > began; until test -e go; do sleep 0.1; done; echo > ended', cron: { expression: '* * * * * *', overlap: skip } }
`)
  await box.sysg('start', '-d')
  const { pid } = await until(
    () => box.service('job'),
    ({ cron, pid: living }) => cron?.running === true && living !== null,
  )
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => box.run('status', '--json'),
    ({ code, stdout }) =>
      code === 0 && (JSON.parse(stdout) as { supervisor: { pid: number } }).supervisor.pid !== supervisor.pid,
  )
  expect((await box.service('job')).pid).toBe(pid)
  box.file('go', '')
  const ended = await until(
    () => historyOf(box, 'job'),
    (runs) => runs.some(({ status }) => status !== 'skipped'),
  )
  expect(existsSync(join(box.folder, 'ended'))).toBe(true)
  expect(ended.filter(({ status }) => status !== 'skipped')).toMatchObject([
    { status: 'success', exit_code: 0, supervisor_replaced: true },
  ])
  const shown = await box.sysg('inspect', 'job')
  expect(shown).toMatch(/success \(schedule\): exit code 0, took .*, while the supervisor was replaced$/m)
})

it.each([
  ['well', 'exit 0', 0, ''],
  ['badly', 'echo oh no; exit 3', 1, 'The run of `job` failed: exit code 3.'],
])(
  'by hand: who waits for a run is told that it ended %s, by the supervisor that comes back',
  async (_, end, code, said) => {
    await using box = new Sandbox()
    box.config(`
services:
  job: { command: 'until test -e go; do sleep 0.1; done; ${end}', cron: '0 0 1 1 *' }
`)
    await box.sysg('start', '-d')
    const waiting = resultOf(box.spawn(['start', '-d', '-s', 'job']))
    const { supervisor, services } = await until(
      () => box.status(),
      ({ services: [job] }) => job?.cron?.running === true && job.pid !== null,
    )
    process.kill(supervisor.pid, 'SIGKILL')
    await until(
      () => box.run('status', '--json'),
      ({ code: ended, stdout }) => ended === 0 && (JSON.parse(stdout) as Status).supervisor.pid !== supervisor.pid,
    )
    expect(await box.pid('job')).toBe(services[0]?.pid)
    box.file('go', '')
    const { code: given, stderr } = await waiting
    expect({ given, stderr }).toEqual({ given: code, stderr: expect.stringContaining(said) as string })
    expect(await historyOf(box, 'job')).toHaveLength(1)
  },
)

it('by hand, with no supervisor that comes back: the run goes on, and it is said how to see its outcome', async () => {
  await using box = new Sandbox()
  box.config(`
respawn: false
services:
  job: { command: 'until test -e go; do sleep 0.1; done', cron: '0 0 1 1 *' }
`)
  await box.sysg('start', '-d')
  const waiting = resultOf(box.spawn(['start', '-d', '-s', 'job']))
  const { supervisor } = await until(
    () => box.status(),
    ({ services: [job] }) => job?.cron?.running === true && job.pid !== null,
  )
  process.kill(supervisor.pid, 'SIGKILL')
  expect(await waiting).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/the run of `job` goes on.*`sysg start -d`.*`sysg inspect job`/is) as string,
  })
})

it('a killed supervisor, and the run with it: nobody knows how it ended, so it is no success', async () => {
  await using box = new Sandbox()
  box.config(`
respawn: false
services:
  job: { command: 'sleep 1000; exit 0', cron: '0 0 1 1 *' }
`)
  await box.sysg('start', '-d')
  box.spawn(['start', '-d', '-s', 'job'])
  const isRun = (pid: number) => /^(\/bin\/sh|sleep)/.test(commandOf(pid))
  const run = await until(
    () => Promise.resolve(box.processes().filter(isRun)),
    (pids) => pids.some((pid) => commandOf(pid).startsWith('sleep')),
  )
  const { supervisor } = await box.status()
  // Each before those that would tell of its end.
  for (const pid of [supervisor.pid, ...run]) process.kill(pid, 'SIGKILL')
  await until(
    () => Promise.resolve(run.filter(isAlive)),
    (living) => living.length === 0,
  )
  await box.sysg('start', '-d')
  expect(await historyOf(box, 'job')).toMatchObject([
    { status: 'interrupted', exit_code: null, trigger: 'manual', supervisor_replaced: true },
  ])
  expect(await box.sysg('inspect', 'job')).toMatch(/interrupted \(manual\): .*, while the supervisor was replaced$/m)
})
