/**
 * A folder with a config and a state of its own, and the built `sysg` run in it. Nothing is left when it is disposed of,
 * or when its test has ended in any way: one that timed out never comes to the end of its block.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServiceView } from '@systemg/core'
import { onTestFinished } from 'vitest'

const bin = resolve(fileURLToPath(import.meta.url), '../../../cli/bin/sysg.mjs')

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Status {
  readonly supervisor: { readonly pid: number }
  readonly services: readonly ServiceView[]
}

export class Sandbox implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sysg-e2e-'))
  readonly home = join(this.folder, 'state')
  /** Variables of every `sysg` that is run from now on. */
  environment: Readonly<Record<string, string>> = {}
  readonly #running = new Set<ChildProcess>()
  #ending: Promise<void> | undefined
  #hasEnded = false

  /** @param options.inTest - False outside of a test: then only disposal ends it. */
  constructor({ inTest = true } = {}) {
    if (inTest) onTestFinished(() => this[Symbol.asyncDispose]())
  }

  /** Replace the config. */
  config(yaml: string, name = 'systemg.yaml'): void {
    writeFileSync(join(this.folder, name), yaml)
  }

  file(name: string, content: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, content, { mode: 0o755 })
    return path
  }

  /** Run `sysg` to its end. */
  run(...args: readonly string[]): Promise<Result> {
    return resultOf(this.spawn(args))
  }

  /** Run `sysg`, which must succeed. Resolves with what it printed. */
  async sysg(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args)
    if (code !== 0) throw new Error(`\`sysg ${args.join(' ')}\` exited with ${code}:\n${stdout}${stderr}`)
    return stdout
  }

  /** Run `sysg` and go on. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return this.spawnNode([bin, ...args], env)
  }

  /** Run a program of Node and go on. */
  spawnNode(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    if (this.#hasEnded) throw new Error('the sandbox has been disposed of')
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...argv], {
      cwd: this.folder,
      env: { ...withoutOurs(process.env), SYSG_HOME: this.home, ...this.environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#running.add(child)
    child.once('exit', () => this.#running.delete(child))
    return child
  }

  async status(): Promise<Status> {
    const { code, stdout, stderr } = await this.run('status', '--json')
    if (stdout === '') throw new Error(`status gave nothing and ended with ${code ?? 'a signal'}: ${stderr}`)
    return JSON.parse(stdout) as Status
  }

  async service(name: string): Promise<ServiceView> {
    const found = (await this.status()).services.find((service) => service.name === name)
    if (found === undefined) throw new Error(`no service ${name}`)
    return found
  }

  async states(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.status()).services.map(({ name, state }) => [name, state]))
  }

  async pid(name: string): Promise<number> {
    const { pid } = await this.service(name)
    if (pid === null) throw new Error(`${name} does not run`)
    return pid
  }

  /** Processes whose environment says that they belong to this sandbox: services and supervisors. */
  processes(): readonly number[] {
    const marks = [this.folder, `SYSG_PROJECT=${basename(this.folder).toLowerCase()}`]
    return livingPids().filter((pid) => marks.some((mark) => environmentOf(pid).includes(mark)))
  }

  /** The process that keeps sockets and pipes open beside the supervisor; several while one takes the place of another. */
  holders(): readonly number[] {
    return this.processes().filter((pid) => commandOf(pid).includes('sysg-holder'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async #end(): Promise<void> {
    await this.run('stop', '--timeout', '1s').catch(() => undefined)
    this.#hasEnded = true
    for (const child of this.#running) child.kill('SIGKILL')
    await until(
      () => this.processes(),
      (living) => {
        living.forEach(tryKill)
        return living.length === 0
      },
    )
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** What a program that runs comes to. */
export const resultOf = async (child: ChildProcess): Promise<Result> => {
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  const code = await new Promise<number | null>((done) => child.once('close', done))
  return { code, stdout: stdout(), stderr: stderr() }
}

/** Look again until it holds. @throws with what was seen last. */
export const until = async <T>(
  look: () => T | Promise<T>,
  isGood: (seen: T) => boolean,
  limitMs = 60_000,
): Promise<T> => {
  for (const end = Date.now() + limitMs; ;) {
    const seen = await look()
    if (isGood(seen)) return seen
    if (Date.now() > end)
      throw new Error(`It did not come true within ${limitMs} ms; last seen: ${JSON.stringify(seen)}`)
    await new Promise((again) => setImmediate(again))
  }
}

/** A process that is no zombie. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

const livingPids = (): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && pid !== process.pid && isAlive(pid))

/** The command line of a process; empty when it has ended. */
export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

const environmentOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}

const tryKill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** What a supervisor around the tests gave us is not for theirs. */
const withoutOurs = (env: NodeJS.ProcessEnv): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('SYSG_') && name !== 'NO_COLOR' && name !== 'FORCE_COLOR'),
  )

const collect = (stream: NodeJS.ReadableStream | null): (() => string) => {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}
