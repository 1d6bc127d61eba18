/** Programs that keep the output of others, each started the same way: its writers run, and wait at the gate. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Sandbox } from '../e2e/sysg.ts'

export interface Load {
  readonly title: string
  readonly writers: number
  readonly bytesEach: number
  /** Bytes of one `write`. */
  readonly perWrite: number
}

export interface Running {
  /** Who takes the output: their CPU time counts. */
  readonly pids: readonly number[]
  /** Below it are the log files. */
  readonly logs: string
  stop(): Promise<void>
}

export interface Keeper {
  readonly name: string
  start(folder: string, load: Load): Promise<Running>
}

const program = fileURLToPath(new URL('write-lines.mjs', import.meta.url))

const argv = (folder: string, { bytesEach, perWrite }: Load): readonly [string, ...string[]] => [
  process.execPath,
  program,
  String(bytesEach),
  String(perWrite),
  folder,
]

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

const sysg: Keeper = {
  name: 'sysg',
  async start(folder, load) {
    const box = new Sandbox({ inTest: false })
    const services = Object.fromEntries(numbers(load.writers).map((n) => [`w${n}`, { exec: argv(folder, load) }]))
    box.config(JSON.stringify({ project: 'bench', logs: { max_bytes: '1T' }, services }))
    await box.sysg('start', '-d')
    const { supervisor } = await box.status()
    const logs = join(box.home, 'bench', 'logs')
    return { pids: [supervisor.pid], logs, stop: () => box[Symbol.asyncDispose]() }
  },
}

const supervisord: Keeper = {
  name: 'supervisord',
  async start(folder, load) {
    const programs = numbers(load.writers).map(
      (n) => `[program:w${n}]
command=${argv(folder, load).join(' ')}
autorestart=false
startsecs=0
stdout_logfile=${folder}/logs/w${n}.log
stdout_logfile_maxbytes=0
`,
    )
    const config = join(folder, 'supervisord.conf')
    writeFileSync(
      config,
      `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${folder}/pid\n${programs.join('')}`,
    )
    const child = spawn('supervisord', ['-c', config], { cwd: folder, stdio: 'ignore' })
    return { pids: [pidOf(child)], logs: join(folder, 'logs'), stop: () => end([child], 'SIGTERM') }
  },
}

/** One process for each writer, behind a pipe. */
const behindPipes = (name: string, taker: (logs: string, n: number) => string): Keeper => ({
  name,
  async start(folder, load) {
    const logs = join(folder, 'logs')
    const takers: ChildProcess[] = []
    const writers: ChildProcess[] = []
    const pipes: number[] = []
    for (const n of numbers(load.writers)) {
      const path = join(folder, `pipe${n}`)
      spawnSync('mkfifo', [path])
      // Kept open: a taker that has read everything stays, so that its CPU time can be looked up.
      const pipe = openSync(path, constants.O_RDWR)
      pipes.push(pipe)
      // It opens the pipe itself: s6-log makes its end non-blocking, which is nothing for the writer.
      takers.push(spawn('sh', ['-c', `exec ${taker(logs, n)} <${path}`], { stdio: ['ignore', 'ignore', 'inherit'] }))
      const [node, ...words] = argv(folder, load)
      writers.push(spawn(node, words, { stdio: ['ignore', pipe, 'inherit'] }))
    }
    return {
      pids: takers.map(pidOf),
      logs,
      async stop() {
        await end([...writers, ...takers], 'SIGKILL')
        pipes.forEach((pipe) => closeSync(pipe))
      },
    }
  },
})

const cat = behindPipes('cat >file', (logs, n) => `cat >${logs}/${n}.log`)

const s6log = behindPipes('s6-log', (logs, n) => {
  const folder = join(logs, String(n))
  mkdirSync(folder)
  // The largest file it makes, and all of them.
  return `s6-log -b n1000 s268435455 ${folder}`
})

const pidOf = ({ pid }: ChildProcess): number => {
  if (pid === undefined) throw new Error('it does not start')
  return pid
}

const end = async (children: readonly ChildProcess[], signal: NodeJS.Signals): Promise<void> => {
  const living = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
  await Promise.all(
    living.map((child) => {
      const gone = once(child, 'exit')
      child.kill(signal)
      return gone
    }),
  )
}

const isInstalled = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, command)))

/** Ours first, then those that are there. */
export const keepers: readonly Keeper[] = [
  sysg,
  cat,
  ...(isInstalled('supervisord') ? [supervisord] : []),
  ...(isInstalled('s6-log') ? [s6log] : []),
]
