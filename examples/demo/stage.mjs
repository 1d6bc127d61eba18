/**
 * A stage for a demo: a copy of an example in a temporary folder with state of its own, and the real `sysg` in it.
 * Whatever happens on it (a failure, Ctrl-C, too long a wait), afterwards nothing runs and nothing is left on disk.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const sysg = join(import.meta.dirname, '../../cli/bin/sysg.mjs')

/** Somebody ended the demo. */
export class Interrupted extends Error {}

const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Copy the folder `example`, play `story` on the copy, clean up. Rejects with what went wrong. */
export const withStage = async (example, { limitMs }, story) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'sysg-demo-')))
  const ending = new AbortController()
  const interrupt = (name) => ending.abort(new Interrupted(name))
  for (const name of interruptions) process.on(name, interrupt)
  const tooLong = new Error(`It took longer than ${limitMs / 1000} s.`)
  const watchdog = setTimeout(() => ending.abort(tooLong), limitMs)
  const stage = createStage(root, ending.signal)
  try {
    cpSync(example, stage.folder, { recursive: true, filter: (path) => !path.endsWith('/data') })
    await story(stage)
    ending.signal.throwIfAborted()
  } catch (thrown) {
    throw ending.signal.aborted ? ending.signal.reason : thrown
  } finally {
    clearTimeout(watchdog)
    await createStage(root, AbortSignal.timeout(15_000))
      .ask('stop')
      .catch(() => {})
    for (const pid of processesOf(root)) killForSure(pid)
    rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    for (const name of interruptions) process.off(name, interrupt)
  }
}

const createStage = (root, signal) => {
  const folder = join(root, 'example')
  const env = environment(root)

  /** Run `sysg` with its output here, as if typed. Resolves with its exit code. */
  const run = async (...args) => (await spawnSysg(args, ['ignore', 'inherit', 'inherit'])).code

  /** Run `sysg` unseen. Resolves with what it printed on stdout. */
  const ask = async (...args) => (await spawnSysg(args, ['ignore', 'pipe', 'ignore'])).output

  const spawnSysg = (args, stdio) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const child = spawn(process.execPath, [sysg, ...args], { cwd: folder, env, signal, stdio })
      let output = ''
      child.stdout?.setEncoding('utf8').on('data', (text) => (output += text))
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, output }))
    })

  const status = async () => JSON.parse(await ask('status', '--json'))

  /** The services of `sysg status` by name. */
  const services = async () => Object.fromEntries((await status()).services.map((service) => [service.name, service]))

  /** Look again and again until `isSo` likes what is seen. Resolves with it. */
  const until = async (what, look, isSo) => {
    const deadline = performance.now() + 20_000
    for (;;) {
      const seen = await look()
      if (isSo(seen)) return seen
      if (performance.now() > deadline)
        throw new Error(`Waited 20 s in vain until ${what}. Last seen: ${inBrief(seen)}`)
      await sleep(50, undefined, { signal })
    }
  }

  return {
    folder,
    signal,
    run,
    ask,
    status,
    services,
    untilServices: (what, isSo) => until(what, services, isSo),
    untilSupervised: (what, isSo) => until(what, async () => (await status()).supervisor ?? { pid: null }, isSo),
    untilLogs: (pattern) =>
      until(
        `the logs say ${pattern}`,
        () => ask('logs'),
        (logs) => pattern.test(logs),
      ),
    untilNothingRuns: () =>
      until(
        'nothing runs',
        () => processesOf(root),
        (pids) => pids.length === 0,
      ),
  }
}

/** Text and PIDs as they are; of services their states. */
const inBrief = (seen) => {
  const isServices = typeof seen === 'object' && !Array.isArray(seen)
  return isServices
    ? Object.values(seen)
        .map(({ name, state }) => `${name} ${state}`)
        .join(', ')
    : String(seen)
}

/** As ours, with state of its own and this Node first; nothing that a supervisor around the demo may have set. */
const environment = (root) => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SYSG_'))),
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
  SYSG_HOME: join(root, 'state'),
  DEMO_FOLDER: root,
})

/** PIDs of all living processes that were started on the stage: `DEMO_FOLDER` in their environment tells. */
const processesOf = (root) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`DEMO_FOLDER=${root}`))

/** Empty for processes that have ended (zombies have none) and for those of other people. */
const environmentOf = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return ''
  }
}

const killForSure = (pid) => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
