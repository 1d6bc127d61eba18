/**
 * What a service writes while its supervisor is killed, over and over: every line is in the log, once, and the service
 * notices nothing but that a write takes longer. `SYSG_LOG_ROUNDS=20` kills it more often.
 */
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { commandOf, isAlive, resultOf, Sandbox, until, type Status } from './sysg.ts'

const rounds = Number(process.env['SYSG_LOG_ROUNDS'] ?? 5)
const program = fileURLToPath(new URL('programs/numbered-lines.mjs', import.meta.url))
const lineBytes = 100
const mebibyte = 1024 * 1024

interface Report {
  readonly lines: number
  readonly signals: readonly string[]
  readonly error: string | null
  readonly longestStallMs: number
}

const projectFolder = ({ home }: Sandbox): string =>
  join(home, readdirSync(home).find((name) => name !== 'by-config') ?? '')

/** Where a log has other lines than those that were written, in order. */
const wrongLines = (path: string, lines: number): readonly string[] => {
  const wrong: string[] = []
  const file = openSync(path, 'r')
  const window = Buffer.alloc(10_000 * lineBytes)
  let expected = 0
  for (let bytes = readSync(file, window); bytes > 0; bytes = readSync(file, window)) {
    for (let at = 0; at < bytes; at += lineBytes) {
      const line = window.toString('latin1', at, Math.min(bytes, at + lineBytes))
      if (!isLine(line, expected)) wrong.push(`line ${expected} is ${JSON.stringify(line)}`)
      if (wrong.length > 3) return wrong
      expected = Number(line.slice(0, 12)) + 1
    }
  }
  closeSync(file)
  if (expected !== lines) wrong.push(`${lines} lines were written, and the last one is ${expected - 1}`)
  return wrong
}

const isLine = (line: string, number: number): boolean =>
  line.length === lineBytes && line.endsWith('.\n') && Number(line.slice(0, 12)) === number

/** After so many deaths in a row a supervisor waits for a person to start it. */
const mostDeaths = 10

/** Kill the supervisor while output comes. Resolves when the next one writes it. */
const killWhileItWrites = async (box: Sandbox, log: string, round: number, moment: number): Promise<void> => {
  const { supervisor } = await box.status()
  const from = statSync(log).size
  await until(
    () => statSync(log).size,
    (size) => size >= from + moment,
  )
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => isAlive(supervisor.pid),
    (alive) => !alive,
  )
  if (round > 0 && round % mostDeaths === 0) await box.sysg('start', '-d')
  const atDeath = statSync(log).size
  await until(
    () => statSync(log).size,
    (size) => size > atDeath,
  )
}

const configOf = (rate: number, logs: object): string =>
  JSON.stringify({ logs, services: { writer: { exec: [process.execPath, program, String(rate * 1e6)] } } })

it.each([5, 50])(
  'loses and doubles no line of a service that writes %i MB/s while its supervisor is killed',
  async (rate) => {
    await using box = new Sandbox()
    box.config(configOf(rate, { max_bytes: '1T' }))
    await box.sysg('start', '-d')
    const before = await box.service('writer')
    const log = join(projectFolder(box), 'logs', 'writer', '0', 'stdout.log')
    await until(() => existsSync(log), Boolean)
    for (let round = 0; round < rounds; round++) {
      await killWhileItWrites(box, log, round, Math.floor(Math.random() * rate * 0.3 * mebibyte))
    }
    const after = await until(
      () => box.service('writer'),
      ({ state }) => state === 'running',
    )
    expect(after.pid).toBe(before.pid)
    writeFileSync(join(box.folder, 'stop'), '')
    await until(() => existsSync(join(box.folder, 'report.json')), Boolean)
    const report = JSON.parse(readFileSync(join(box.folder, 'report.json'), 'utf8')) as Report
    // Its code is not known, as it was adopted; by its end everything has been read.
    await until(
      () => box.states(),
      ({ writer }) => writer === 'failed',
    )
    console.log(
      `${rate} MB/s, ${rounds} kills, ${report.lines} lines: the longest write took ${Math.round(report.longestStallMs)} ms`,
    )
    expect(report).toMatchObject({ signals: [], error: null })
    expect(wrongLines(log, report.lines)).toEqual([])
  },
  300_000,
)

it('shows every line once to one who follows, while files are rotated and the supervisor is killed', async () => {
  await using box = new Sandbox()
  box.config(configOf(1, { max_bytes: '1M', max_files: 1000 }))
  await box.sysg('start', '-d')
  const log = join(projectFolder(box), 'logs', 'writer', '0', 'stdout.log')
  await until(() => existsSync(log), Boolean)
  const follower = box.spawn(['logs', '-f', '-n', 'all', 'writer'])
  const errors: string[] = []
  follower.stderr?.on('data', (text: Buffer) => errors.push(text.toString()))
  if (follower.stdout === null) throw new Error('no stdout')
  const shown = createInterface(follower.stdout)
  const wrong: string[] = []
  let count = 0
  shown.on('line', (line) => {
    if (!isLine(`${line}\n`, count)) wrong.push(`line ${count} is ${JSON.stringify(line)}`)
    count = Number(line.slice(0, 12)) + 1
  })
  for (let round = 0; round < 3; round++) {
    const { supervisor } = await until(
      () => box.status(),
      (status) => (status.supervisor as Status['supervisor'] | null) !== null,
    )
    const from = count
    await until(
      () => count,
      (now) => now > from + 5_000,
    )
    process.kill(supervisor.pid, 'SIGKILL')
  }
  const from = count
  await until(
    () => count,
    (now) => now > from + 20_000,
  )
  writeFileSync(join(box.folder, 'stop'), '')
  await until(() => existsSync(join(box.folder, 'report.json')), Boolean)
  const { lines } = JSON.parse(readFileSync(join(box.folder, 'report.json'), 'utf8')) as Report
  await until(
    () => count,
    (now) => now >= lines,
  )
  follower.kill('SIGINT')
  expect(await once(follower, 'exit')).toEqual([0, null])
  expect(wrong.slice(0, 3)).toEqual([])
  expect(errors.join('')).toBe('')
  expect(existsSync(`${log}.3`)).toBe(true)
})

it('keeps what a program wrote that had just been started when the supervisor was killed, and ended before the next one came', async () => {
  await using box = new Sandbox()
  const names = Array.from({ length: 4 }, (_, at) => `job${at}`)
  const said: string[] = []
  for (const at of names.keys()) {
    const name = names[at] ?? ''
    const job = (one: string) =>
      `  ${one}: { command: "echo $$$$ > ${one}.pid; until test -e ${one}.go; do sleep 0.01; done; echo $$$$ was here" }`
    box.config(
      `respawn: false\nservices:\n${names
        .slice(0, at + 1)
        .map(job)
        .join('\n')}\n`,
    )
    const start = resultOf(box.spawn(['start', '-d']))
    const [supervisor = 0] = await until(
      () => box.processes().filter(isSupervisor),
      ({ length }) => length === 1,
    )
    const pid = await until(
      () => numberIn(join(box.folder, `${name}.pid`)),
      (found) => found > 0,
    )
    process.kill(supervisor, 'SIGKILL')
    await start
    writeFileSync(join(box.folder, `${name}.go`), '')
    await until(
      () => isAlive(pid),
      (alive) => !alive,
    )
    said.push(`${pid} was here`)
  }
  await box.run('start', '-d')
  const logs = (await box.sysg('logs', '--no-prefix', '-l', 'all')).split('\n')
  expect(said.filter((line) => !logs.includes(line))).toEqual([])
})

const isSupervisor = (pid: number): boolean =>
  commandOf(pid).includes('__supervise') && !commandOf(pid).includes('sysg-holder')

const numberIn = (path: string): number => {
  try {
    const text = readFileSync(path, 'utf8')
    return text.endsWith('\n') ? Number(text) : 0
  } catch {
    return 0
  }
}
