/**
 * A real system as a fixture of other people's tests:
 * `await using system = await start({ services: { db: { command: 'postgres …' } } })`.
 *
 * It is ready when `start` resolves, keeps its state in a folder of its own, and is gone, with everything that it
 * started, when it is disposed of. The config is read from the folder of the tests, so that paths and plugins mean there
 * what they mean in a config that lies there.
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SysgError, type ServiceView, type SystemConfig } from '@systemg/core'

export type { ServiceView, SystemConfig }

export interface StartOptions {
  /** Where relative paths of the config start. Default: the working directory. */
  readonly folder?: string
  /** Variables for the config and its services, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** How long becoming ready may take, ms. Default: two minutes. */
  readonly timeoutMs?: number
  /** Of the test runner (vitest has it on the test's context): the logs of every service are shown when the test fails. */
  readonly onTestFailed?: (callback: () => void) => unknown
}

/** What a `sysg` command came to. */
export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface TestSystem extends AsyncDisposable {
  /** Every service, as `sysg status --json` has it. */
  status(): Promise<readonly ServiceView[]>
  /** @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
  service(name: string): Promise<ServiceView>
  /** What these services wrote, or all, the last thousand lines. */
  logs(...names: readonly string[]): Promise<string>
  /** Any command, on this system: `system.sysg('restart', 'api')`. */
  sysg(command: string, ...args: readonly string[]): Promise<CommandResult>
  /** End everything. Also done by `await using`. */
  stop(): Promise<void>
}

const bin = fileURLToPath(new URL('../bin/sysg.mjs', import.meta.url))

/**
 * @returns When every service is ready, or completed.
 * @throws {SysgError} `SYSG_TEST_START` with what `sysg start` said; nothing is left then.
 */
export const start = async (config: SystemConfig, options: StartOptions = {}): Promise<TestSystem> => {
  const system = new EphemeralSystem(plain(config), options)
  await system.start(options.timeoutMs ?? 120_000)
  return system
}

class EphemeralSystem implements TestSystem {
  readonly #home = mkdtempSync(join(tmpdir(), 'sysg-test-'))
  readonly #folder: string
  readonly #file: string
  readonly #env: Readonly<Record<string, string | undefined>>
  #ending: Promise<void> | undefined
  #lastLogs = ''

  constructor(config: SystemConfig, { folder = process.cwd(), env = {}, onTestFailed }: StartOptions) {
    const id = `test-${randomBytes(6).toString('hex')}`
    this.#folder = resolve(folder)
    this.#file = join(this.#folder, `.sysg-${id}.json`)
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SYSG_'))
    this.#env = { ...Object.fromEntries(own), ...env, SYSG_HOME: this.#home, NO_COLOR: '1' }
    writeFileSync(this.#file, JSON.stringify({ respawn: false, ...config, project: { id } }), { mode: 0o600 })
    onTestFailed?.(() => process.stderr.write(`Logs of the system under test:\n${this.#lastLogs}\n`))
  }

  async start(timeoutMs: number): Promise<void> {
    const { code, stderr, stdout } = await this.sysg('start', '-d', '--timeout', `${timeoutMs}ms`)
    if (code === 0) return
    const logs = await this.logs()
    await this.stop()
    const said = `${stderr}${stdout}${logs === '' ? '' : `\n${logs}`}`
    throw SysgError.of('SYSG_TEST_START', {
      message: `The system under test did not start:\n${said}`,
      hint: 'What services wrote stands behind it. `timeoutMs` gives it more time.',
    })
  }

  async status(): Promise<readonly ServiceView[]> {
    const { stdout, stderr } = await this.sysg('status', '--json')
    if (stdout === '') throw commandFailed('status', stderr)
    return (JSON.parse(stdout) as { services: readonly ServiceView[] }).services
  }

  async service(name: string): Promise<ServiceView> {
    const found = (await this.status()).find((service) => service.name === name)
    if (found === undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
    return found
  }

  async logs(...names: readonly string[]): Promise<string> {
    return (await this.sysg('logs', ...names, '--lines', '1000')).stdout
  }

  sysg(command: string, ...args: readonly string[]): Promise<CommandResult> {
    const argv = [bin, command, '--config', this.#file, ...args]
    const options = { cwd: this.#folder, env: this.#env as NodeJS.ProcessEnv, maxBuffer: 64 * 1024 * 1024 }
    return new Promise((done) =>
      execFile(process.execPath, argv, options, (error, stdout, stderr) =>
        done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
      ),
    )
  }

  stop(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #end(): Promise<void> {
    this.#lastLogs = await this.logs()
    const { code, stderr } = await this.sysg('stop')
    rmSync(this.#file, { force: true })
    // Without a supervisor there is nothing to stop.
    if (code !== 0 && code !== 3) throw commandFailed('stop', stderr)
    rmSync(this.#home, { recursive: true, force: true })
  }
}

const commandFailed = (command: string, said: string): SysgError =>
  SysgError.of('SYSG_TEST_COMMAND', {
    message: `\`sysg ${command}\` failed for the system under test: ${said}`,
    hint: 'Its supervisor may have ended by itself: `system.sysg("events")` tells.',
  })

/** A plugin that is an object cannot get into the process of the supervisor. */
const plain = (config: SystemConfig): SystemConfig => {
  const objects = (config.plugins ?? []).filter(
    (entry) => typeof entry === 'object' && typeof (entry as { use?: unknown }).use !== 'string',
  )
  if (objects.length === 0) return config
  throw SysgError.of('SYSG_TEST_PLUGIN', {
    message: 'A system under test is a process of its own: a plugin that is an object does not get there.',
    hint: "Name its file or its package: `plugins: ['./quiet-hours.ts']`.",
  })
}
