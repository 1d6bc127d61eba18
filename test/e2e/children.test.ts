/** A program in Python that starts children in every way, and beyond every limit. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildView } from '@systemg/plugins/children'
import { describe, expect, it } from 'vitest'
import { commandOf, isAlive, resultOf, Sandbox, until, type Status } from './sysg.ts'

const bin = join(import.meta.dirname, '../../cli/bin/sysg.mjs')
const program = fileURLToPath(new URL('programs/orchestrator.py', import.meta.url))

const hasPython = (() => {
  const isThere = spawnSync('python3', ['--version']).status === 0
  if (!isThere) console.warn('skipped: what needs `python3`, which is not installed')
  return isThere
})()

/** One attempt, as the program has written it down. */
interface Attempt {
  readonly name: string
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const orchestrator = (what: string, limits: string, more = '') => `
services:
  ${what}:
    exec: [python3, ${program}, ${what}]
    stop_timeout: 1s
    env: { vars: { SPAWN_COMMAND: '${JSON.stringify([process.execPath, bin])}' } }
    spawn: { mode: dynamic, limits: { ${limits} } }
    ${more}
`

const told = async <T>(box: Sandbox, what: string): Promise<T> => {
  const path = join(box.folder, `${what}.json`)
  await until(
    () => existsSync(path),
    (isThere) => isThere,
  )
  return JSON.parse(readFileSync(path, 'utf8')) as T
}

const childrenOf = async (box: Sandbox, service: string): Promise<readonly ChildView[]> =>
  (await box.service(service)).children ?? []

/** `at1(at2(at3))`. */
const drawn = (children: readonly ChildView[]): string =>
  children.map(({ name, children: below }) => (below.length === 0 ? name : `${name}(${drawn(below)})`)).join(' ')

describe.runIf(hasPython)('an orchestrator in Python', () => {
  it('that spawns 150 workers has 100, and is told why of each other', async () => {
    await using box = new Sandbox()
    box.config(orchestrator('many', 'rate: 1000'))
    await box.sysg('start', '-d')
    const attempts = await told<readonly Attempt[]>(box, 'many')
    const started = attempts.filter(({ code }) => code === 0)
    const refused = attempts.filter(({ code }) => code !== 0)
    expect([started.length, refused.length]).toEqual([100, 50])
    for (const { stdout } of started) {
      expect(stdout).toMatch(/^\d+\n$/)
      expect(commandOf(Number(stdout))).toBe('sleep 1000 ')
    }
    for (const { name, code, stdout, stderr } of refused) {
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain(`\`${name}\` was not started: the limit \`children\` is 100, and \`many\` has 100 now.`)
    }
    expect(await childrenOf(box, 'many')).toHaveLength(100)
    const rejected = (await box.sysg('events', '--type', 'spawn.rejected', '--json')).trim().split('\n')
    expect(rejected).toHaveLength(50)
    await box.sysg('stop')
    expect(started.filter(({ stdout }) => isAlive(Number(stdout)))).toEqual([])
  })

  it('that nests five deep comes to the third', async () => {
    await using box = new Sandbox()
    box.config(orchestrator('deep', 'depth: 3'))
    await box.sysg('start', '-d')
    const last = await told<Attempt>(box, 'deep-4')
    expect(last.code).toBe(1)
    expect(last.stderr).toContain(
      '`at4` was not started: the limit `depth` is 3, and a child of `at3` would be at depth 4.',
    )
    expect(drawn(await childrenOf(box, 'deep'))).toBe('at1(at2(at3))')
    expect(existsSync(join(box.folder, 'deep-5.json'))).toBe(false)
    const lines = (await box.sysg('status')).split('\n')
    expect(lines.filter((line) => /at\d/.test(line)).map((line) => line.replace(/ +running.*/, ''))).toEqual([
      '└ deep:at1',
      '  └ deep:at2',
      '    └ deep:at3',
    ])
  })

  it('that asks for thirty at once gets ten', async () => {
    await using box = new Sandbox()
    box.config(orchestrator('burst', 'rate: 10'))
    await box.sysg('start', '-d')
    const answers = await told<readonly { result?: unknown; error?: { message: string } }[]>(box, 'burst')
    const started = answers.filter(({ result }) => result !== undefined)
    // Thirty starts take a while, in which some more come in.
    expect(started.length).toBeGreaterThanOrEqual(10)
    expect(started.length).toBeLessThan(25)
    for (const { error } of answers.filter((answer) => answer.error !== undefined))
      expect(error?.message).toMatch(
        /^`b\d+` was not started: the limit `rate` is 10 per second, and `burst` has just started 10\.$/,
      )
  })

  it('that takes more memory than it may loses the newest, and gets no more', async () => {
    await using box = new Sandbox()
    box.config(orchestrator('memory', 'total_memory: 145M'))
    await box.sysg('start', '-d')
    expect(await told<readonly unknown[]>(box, 'memory')).toEqual(
      Array(3).fill(expect.objectContaining({ result: expect.anything() as unknown })),
    )
    const used = 'memory and what it has started use'
    await until(
      () => box.sysg('events', '--type', 'spawn.memory_exceeded'),
      (text) => new RegExp(`${used} \\d+\\.\\dM of 145\\.0M: m2, the newest, is stopped`).test(text),
    )
    await until(
      async () => drawn(await childrenOf(box, 'memory')),
      (tree) => tree === 'm0 m1',
    )
    box.file('grow', '')
    const { error } = await told<{ error: { message: string } }>(box, 'memory-refused')
    expect(error.message).toMatch(
      /^`more\d+` was not started: the limit `total_memory` is 145M, and `memory` and what it has started use \d/,
    )
    await until(
      async () => drawn(await childrenOf(box, 'memory')),
      (tree) => tree === '',
    )
    expect(await box.states()).toEqual({ memory: 'running' })
  })

  it('with `--ttl 2` has them for two seconds, then they are asked to stop, then killed', async () => {
    await using box = new Sandbox()
    box.config(orchestrator('ttl', 'rate: 10'))
    await box.sysg('start', '-d')
    const attempts = await told<readonly Attempt[]>(box, 'ttl')
    expect(attempts.map(({ code }) => code)).toEqual([0, 0])
    await until(
      () => attempts.filter(({ stdout }) => isAlive(Number(stdout))),
      (living) => living.length === 0,
    )
    const events = await until(
      () => box.sysg('events', '--type', 'spawn.*', '--json'),
      (text) => text.split('spawn.exited').length === 3,
    )
    const all = events
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; time: string; data: Record<string, unknown> })
    const endOf = (name: string) => all.find(({ type, data }) => type === 'spawn.exited' && data['name'] === name)
    const startOf = (name: string) => all.find(({ type, data }) => type === 'spawn.started' && data['name'] === name)
    const afterMs = (name: string) =>
      Date.parse(endOf(name)?.time ?? '') - Date.parse(String(startOf(name)?.data['expires_at']))
    expect(endOf('polite')?.data).toMatchObject({ exit: { signal: 'SIGTERM' }, reason: 'its time is over' })
    expect(endOf('deaf')?.data).toMatchObject({ exit: { signal: 'SIGKILL' }, reason: 'its time is over' })
    expect(afterMs('polite')).toBeGreaterThanOrEqual(-10)
    expect(afterMs('deaf')).toBeGreaterThanOrEqual(990)
  })

  it.each([
    ['cascade', []],
    ['orphan', ['middle', 'leaf']],
    ['reparent', ['middle', 'leaf']],
  ])('that dies under `%s` leaves %j', async (policy, left) => {
    await using box = new Sandbox()
    box.config(orchestrator(policy, `termination_policy: ${policy}`))
    await box.sysg('start', '-d')
    const middle = Number((await told<Attempt>(box, policy)).stdout)
    const leaf = Number((await told<Attempt>(box, `${policy}-middle`)).stdout)
    expect(drawn(await childrenOf(box, policy))).toBe('middle(leaf)')
    process.kill(await box.pid(policy), 'SIGKILL')
    await until(
      () => box.states(),
      (states) => states[policy] === 'failed',
    )
    const pids = { middle, leaf }
    const living = Object.entries(pids).filter(([, pid]) => isAlive(pid))
    expect(living.map(([name]) => name)).toEqual(left)
    expect(await childrenOf(box, policy)).toEqual([])
    if (left.length === 0) return
    const orphan = `${policy}:middle`
    expect(await box.states()).toEqual({ [policy]: 'failed', [orphan]: 'running' })
    expect(await box.service(orphan)).toMatchObject({ pid: middle, ad_hoc: true })
    expect(drawn(await childrenOf(box, orphan))).toBe('leaf')
    process.kill(middle, 'SIGKILL')
    await until(
      () => box.states(),
      (states) => states[`${policy}:leaf`] === 'running' && states[orphan] === undefined,
    )
    await box.sysg('stop', '-s', `${policy}:leaf`)
    expect(await box.states()).toEqual({ [policy]: 'failed' })
    expect(isAlive(leaf)).toBe(false)
  })
})

it('children outlive the supervisor with all they write, and are refused to strangers', async () => {
  await using box = new Sandbox()
  box.config(`
services:
  orch: { command: sleep 1000, spawn: { mode: dynamic } }
  plain: { command: sleep 1000 }
`)
  await box.sysg('start', '-d')
  const environmentOf = async (service: string) =>
    Object.fromEntries(
      readFileSync(`/proc/${await box.pid(service)}/environ`, 'utf8')
        .split('\0')
        .filter((line) => line.startsWith('SYSG_'))
        .map((line) => line.split('=', 2) as [string, string]),
    )
  const spawnIn = async (env: Record<string, string>, ...args: readonly string[]) =>
    resultOf(box.spawn(['spawn', ...args], env))
  const env = await environmentOf('orch')

  const counts = 'i=0; while i=$((i+1)); do echo "line $i"; test -e enough && exit; done; '
  const counter = await spawnIn(env, '--name', 'counter', '--json', '--', 'sh', '-c', counts)
  expect(counter).toMatchObject({ code: 0, stderr: '' })
  const { pid, ...names } = JSON.parse(counter.stdout) as { pid: number }
  expect(names).toEqual({ name: 'counter', id: 'orch:counter-1', service: 'orch:counter' })
  const named = JSON.parse(await box.sysg('status', 'orch:counter', '--json')) as Status
  expect(named.services).toMatchObject([{ name: 'orch:counter', state: 'running', pid }])
  for (let death = 0; death < 3; death += 1) {
    const { supervisor } = await box.status()
    process.kill(supervisor.pid, 'SIGKILL')
    await until(
      () => box.run('status', '--json'),
      ({ code, stdout }) => code === 0 && (JSON.parse(stdout) as Status).supervisor.pid !== supervisor.pid,
    )
    expect(await childrenOf(box, 'orch')).toMatchObject([{ name: 'counter', pid, state: 'running' }])
  }
  box.file('enough', '')
  await until(
    () => childrenOf(box, 'orch'),
    (children) => children.length === 0,
  )
  const lines = (await box.sysg('logs', 'orch', '--lines', 'all')).trim().split('\n')
  expect(lines.length).toBeGreaterThan(100)
  expect(lines.find((line, index) => line !== `orch:counter | line ${index + 1}`)).toBeUndefined()
  expect(await box.sysg('logs', 'orch:counter', '--lines', '1')).toBe(`line ${lines.length}\n`)

  const reasons = [
    [await spawnIn({}, '--', 'true'), 'SYSG_SPAWN_OUTSIDE'],
    [await spawnIn({ ...env, SYSG_TOKEN: 'ab'.repeat(16) }, '--', 'true'), 'SYSG_SPAWN_TOKEN'],
    [await spawnIn(await environmentOf('plain'), '--', 'true'), 'SYSG_SPAWN_NOT_ALLOWED'],
    [await spawnIn(env, '--name', 'a b', '--', 'true'), 'SYSG_SPAWN_NAME'],
    [await spawnIn(env, '--', '/no/such/program'), 'SYSG_SPAWN_FAILED'],
  ] as const
  for (const [{ code, stdout, stderr }, reason] of reasons) {
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(`[${reason}]`)
  }
  for (const wrong of [
    ['--ttl', '0', '--', 'true'],
    ['--ttl', 'soon', '--', 'true'],
    ['--name', 'x'],
  ])
    expect((await spawnIn(env, ...wrong)).code).toBe(2)
  await box.sysg('stop', '-s', 'orch')
  expect((await spawnIn(env, '--', 'true')).stderr).toContain('[SYSG_SPAWN_TOKEN]')
})

it('children are no part of the config that a supervisor comes back with, whatever has been applied beside them', async () => {
  await using box = new Sandbox()
  const orch = '  orch: { command: "$SPAWN --name w -- sleep 1000; exec sleep 1000", spawn: { mode: dynamic } }'
  const config = (more: string) =>
    box.config(`env: { vars: { SPAWN: '${process.execPath} ${bin} spawn' } }\nservices:\n${orch}\n${more}`)
  config('')
  await box.sysg('start', '-d')
  const [child] = await until(
    () => childrenOf(box, 'orch'),
    (children) => children.length === 1,
  )
  config('  more: { command: sleep 1000 }\n')
  await box.sysg('start', '-d')
  const { supervisor } = await box.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => box.run('status', '--json'),
    ({ code, stdout }) => code === 0 && (JSON.parse(stdout) as Status).supervisor.pid !== supervisor.pid,
  )
  const plan = JSON.parse(await box.sysg('plan', '--json')) as { readonly changes: readonly { service: string }[] }
  expect(plan.changes.map(({ service }) => service)).toEqual(['orch', 'more'])
  const past = JSON.parse((await box.run('status', '--at', '0s', '--json')).stdout) as Status
  expect(past.services.map(({ name }) => name)).toEqual(['orch', 'more'])
  process.kill(child?.pid ?? 0, 'SIGTERM')
  const { services } = await until(
    () => box.status(),
    ({ services: [first] }) => first?.children?.length === 0,
  )
  expect(services.map(({ name }) => name)).toEqual(['orch', 'more'])
})
