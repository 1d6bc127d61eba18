/** The holder of sockets and pipes, without a system around it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { takeInheritance, type HeldEntry } from '../../../cli/src/host/held.ts'
import { holderScript, mostTries } from '../../../cli/src/host/holder-script.ts'
import { Holder } from '../../../cli/src/host/holder.ts'
import { endHolders, endOtherHolders } from '../../../cli/src/host/other-holders.ts'
import { readStat } from '../../../cli/src/host/process-stat.ts'
import { testFolder, until } from './node-host-for-tests.ts'

/** A holder as the supervisor starts it; what it starts adds a line to `tries` and then does `act`. */
const startScript = (act: string, respawn: 'yes' | 'no', tries = 0, trial: readonly string[] = []) => {
  const folder = testFolder()
  const at = (name: string) => join(folder, name)
  writeFileSync(at('request'), 'request\n')
  const command = ['/bin/sh', '-c', `read -r line; echo "$line $SYSG_RESPAWNS" >> ${at('tries')}; ${act}`]
  const trying = ['1', String(trial.length)]
  const args = [
    '-c',
    holderScript,
    'holder',
    String(tries),
    respawn,
    at('door'),
    at('request'),
    ...trying,
    ...trial,
    ...command,
  ]
  const child = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true })
  // With whatever it has started.
  onTestFinished(() => killGroup(child.pid))
  const lines = () => (existsSync(at('tries')) ? readFileSync(at('tries'), 'utf8').trim().split('\n') : [])
  return { child, lines, door: at('door') }
}

const killGroup = (leader: number | undefined): void => {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

const say = (door: string, word: string) => spawnSync('sh', ['-c', `echo ${word} > ${door}`])

it('ends when it is told to, and starts nothing', async () => {
  const { child, lines } = startScript('exit 0', 'yes')
  child.stdin.end('end\n')
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(lines()).toEqual([])
})

it('starts a supervisor again and again, but not for ever; then it waits until somebody asks', async () => {
  const { child, lines, door } = startScript('exit 1', 'yes')
  child.stdin.end()
  await until(() => existsSync(door))
  expect(lines()).toEqual(Array.from({ length: mostTries }, (_, index) => `request ${index + 1}`))
  say(door, 'go')
  await until(() => lines().length === 2 * mostTries && existsSync(door))
  say(door, 'end')
  expect(await once(child, 'exit')).toEqual([0, null])
})

it('counts anew once a supervisor has lived for long', async () => {
  const { child, lines, door } = startScript('exit 1', 'yes', mostTries)
  child.stdin.end('calm\n')
  await until(() => existsSync(door))
  expect(lines()).toHaveLength(mostTries)
})

it('starts none by itself when it is not to', async () => {
  const { child, lines, door } = startScript('exit 1', 'no')
  child.stdin.end()
  await until(() => existsSync(door))
  expect(lines()).toEqual([])
  say(door, 'go')
  await until(() => lines().length === 1)
})

it('stays when another supervisor has the project, which may not have opened yet what it keeps', async () => {
  const { child, lines } = startScript('exit 75', 'yes')
  child.stdin.end()
  await until(() => lines().length === 2)
  expect(child.exitCode).toBe(null)
})

const trials: readonly [title: string, act: string, says: RegExp][] = [
  ['ends', 'echo "no: $1" >&2; exit 3', /^no: a {2}b\nit did not take over: exit code 3$/],
  ['hangs', 'exec sleep 1000', /exit code 137 \(killed, or not ready within 1 s\)$/],
]

it.each(trials)('tries another version once, also without coming back by itself: one that %s', async (_, act, says) => {
  const { child, lines } = startScript('sleep 1000', 'no', 0, ['/bin/sh', '-c', act, 'x', 'a  b'])
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stdin.end('now\n')
  await until(() => lines().length === 1)
  expect(lines()).toEqual(['request 1'])
  const withoutKilled = () =>
    said
      .trim()
      .split('\n')
      .filter((line) => !line.includes('Killed'))
      .join('\n')
  await until(() => says.test(withoutKilled()))
})

it.each(['no', 'yes'] as const)(
  'a version that dies soon after an upgrade is followed by the one before (%s)',
  async (respawn) => {
    const { child, lines } = startScript('sleep 1000', respawn, 0, [
      '/bin/sh',
      '-c',
      'echo I am back >&2; exec sleep 1000',
    ])
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.stdin.end()
    await until(() => said.includes('I am back'))
    expect(said).toBe('it died soon after an upgrade; the version before is tried\nI am back\n')
    expect(lines()).toEqual([])
  },
)

it('when the version before cannot come back, the new one goes on, and its deaths are counted', async () => {
  const { child, lines, door } = startScript('exit 1', 'yes', mostTries - 2, ['/bin/sh', '-c', 'exit 1'])
  child.stdin.end()
  await until(() => existsSync(door))
  expect(lines()).toEqual([`request ${mostTries - 1}`, `request ${mostTries}`])
})

it('a version that has lived for long is followed by itself', async () => {
  const { child, lines } = startScript('sleep 1000', 'yes', 0, ['/bin/sh', '-c', 'exit 1', 'a  b'])
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stdin.end('calm\n')
  await until(() => lines()[0] === 'request 1')
  expect(said).toBe('')
})

it('gives another version what the supervisor is given', async () => {
  const folder = testFolder()
  const act = `read -r line; echo "$line $1" > ${join(folder, 'got')}; exec sleep 1000`
  const { child, lines } = startScript('exit 0', 'no', 0, ['/bin/sh', '-c', act, 'x', 'last'])
  child.stdin.end('now\n')
  await until(() => existsSync(join(folder, 'got')) && readFileSync(join(folder, 'got'), 'utf8').endsWith('\n'))
  expect(readFileSync(join(folder, 'got'), 'utf8')).toBe('request last\n')
  expect(lines()).toEqual([])
})

const isAlive = (pid: number | undefined) => pid !== undefined && readStat(pid)?.isLiving === true

/** A process whose parent has ended. */
const startOrphan = (env: NodeJS.ProcessEnv): number => {
  const { stdout } = spawnSync('sh', ['-c', 'sleep 1000 >/dev/null 2>&1 & echo $!'], {
    env: { ...process.env, ...env },
  })
  return Number(stdout.toString())
}

/** A pipe of its own. */
const testPipe = (): number => {
  const path = join(testFolder(), 'pipe')
  spawnSync('mkfifo', [path])
  const fd = openSync(path, 'r+')
  onTestFinished(() => closeSync(fd))
  return fd
}

const startHolder = (folder = testFolder(), inherited?: readonly HeldEntry[]) => {
  mkdirSync(join(folder, 'run'), { recursive: true })
  const settings = {
    folder,
    command: ['true'],
    request: '/dev/null',
    respawn: false,
    tries: 0,
    env: {},
    log: '/dev/null',
  }
  const holder = new Holder(settings, () => undefined, inherited)
  onTestFinished(() => holder.end())
  return { holder, folder }
}

it('is replaced when what is kept changes: the new one is there before the old one ends', async () => {
  const { holder } = startHolder()
  holder.replace()
  const before = holder.pid
  holder.replace()
  expect(holder.pid).toBe(before)
  const forget = holder.keep({ kind: 'socket', label: 'tcp://127.0.0.1:1', fd: 0, backlog: 1 })
  await holder.settled()
  const after = holder.pid
  expect([isAlive(before), isAlive(after)]).toEqual([false, true])
  forget()
  await until(() => holder.pid !== after)
})

it('has everything in a holder before it says so, with one for all that come together', async () => {
  const { holder, folder } = startHolder()
  holder.replace()
  const before = holder.pid
  const [one, two] = [testPipe(), testPipe()]
  holder.keep({ kind: 'fifo', label: '/1', fd: one })
  holder.keep({ kind: 'fifo', label: '/2', fd: two })
  await Promise.all([holder.secured([one]), holder.secured([two])])
  expect(isAlive(holder.pid)).toBe(true)
  expect(holder.pid).not.toBe(before)
  const list = readdirSync(join(folder, 'run')).filter((name) => /^holder-\d+-2\.json$/.test(name))
  expect(JSON.parse(readFileSync(join(folder, 'run', list[0] ?? ''), 'utf8'))).toMatchObject([
    { label: '/1', fd: 3 },
    { label: '/2', fd: 4 },
  ])
  const { pid } = holder
  await holder.secured([one, two])
  // The same pipe under another name, and one that nobody wants to be kept.
  const again = openSync(`/proc/self/fd/${one}`, 'r+')
  onTestFinished(() => closeSync(again))
  holder.keep({ kind: 'fifo', label: '/3', fd: again })
  await holder.secured([again, testPipe()])
  expect(holder.pid).toBe(pid)
})

it('of one that has yet to take over: lets wait for what the earlier holder does not have', async () => {
  const [before, since] = [testPipe(), testPipe()]
  const { holder } = startHolder(testFolder(), [{ kind: 'fifo', label: '/1', fd: before }])
  holder.keep({ kind: 'fifo', label: '/1', fd: before })
  holder.keep({ kind: 'fifo', label: '/2', fd: since })
  await holder.secured([before])
  expect(holder.pid).toBe(undefined)
  let isSecured = false
  const secured = holder.secured([before, since]).then(() => (isSecured = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect(isSecured).toBe(false)
  holder.replace()
  await secured
  expect(isAlive(holder.pid)).toBe(true)
})

it('of one that never takes over: lets nobody wait', async () => {
  const since = testPipe()
  const { holder } = startHolder(testFolder(), [])
  holder.keep({ kind: 'fifo', label: '/1', fd: since })
  const secured = holder.secured([since])
  holder.leave()
  await secured
  expect(holder.pid).toBe(undefined)
})

it('is tried again by itself when none can be started, and said once', async () => {
  const folder = testFolder()
  const said: string[] = []
  const settings = { folder, command: ['true'], request: '/dev/null', respawn: false, tries: 0, env: {} }
  const log = join(folder, 'not/yet/there.log')
  const holder = new Holder({ ...settings, log }, (_, message) => void said.push(message))
  onTestFinished(() => holder.end())
  let isHeld = false
  void holder.held.then(() => (isHeld = true))
  expect(holder.replace()).toBe(false)
  expect(holder.replace()).toBe(false)
  expect([holder.pid, isHeld, said.length]).toEqual([undefined, false, 1])
  mkdirSync(dirname(log), { recursive: true })
  await until(() => isAlive(holder.pid))
  expect([isHeld, said.length]).toEqual([true, 1])
})

it('is not told of a successor that was refused because none could be started', async () => {
  const folder = testFolder()
  const log = join(folder, 'not/yet/there.log')
  const settings = { folder, command: ['true'], request: '/dev/null', respawn: false, tries: 0, env: {}, log }
  const holder = new Holder(settings, () => undefined)
  onTestFinished(() => holder.end())
  const handedOver = holder.handOver({ command: ['/refused'], limitMs: 1_000 })
  await expect(handedOver).rejects.toThrow('no holder can be started')
  mkdirSync(dirname(log), { recursive: true })
  expect(holder.replace()).toBe(true)
  expect(readFileSync(`/proc/${holder.pid}/cmdline`, 'utf8')).not.toContain('/refused')
})

it('leaves nothing behind', async () => {
  const { holder, folder } = startHolder()
  holder.replace()
  const { pid } = holder
  await holder.end()
  expect(isAlive(pid)).toBe(false)
  expect(readdirSync(join(folder, 'run'))).toEqual([])
})

it('is found by its project when it has lost its supervisor, and only then', async () => {
  const [one, other] = [startHolder(), startHolder()]
  one.holder.replace()
  other.holder.replace()
  const stray = startOrphan({ SYSG_HOLDER: one.folder })
  const ending = endOtherHolders(one.folder)
  // What is kept changes meanwhile.
  const pipe = testPipe()
  one.holder.keep({ kind: 'fifo', label: '/1', fd: pipe })
  await one.holder.secured([pipe])
  await ending
  expect([isAlive(stray), isAlive(one.holder.pid), isAlive(other.holder.pid)]).toEqual([false, true, true])
  one.holder.leave()
  await endHolders(one.folder)
  expect([isAlive(one.holder.pid), isAlive(other.holder.pid)]).toEqual([false, true])
})

it('tells what is open, once, and nothing that is not', () => {
  const list = join(testFolder(), 'list')
  writeFileSync(
    list,
    JSON.stringify([
      { kind: 'socket', label: 'tcp://127.0.0.1:1', fd: 9_999, backlog: 1 },
      { kind: 'fifo', label: '/x', fd: 0 },
    ]),
  )
  const env: NodeJS.ProcessEnv = { SYSG_HELD: list, SYSG_RESPAWNS: '3', SYSG_HOLDER: '/x', PATH: '/bin' }
  expect(takeInheritance(env)).toEqual({ entries: [], tries: 3 })
  expect(env).toEqual({ PATH: '/bin' })
  expect(takeInheritance(env)).toBe(undefined)
})
