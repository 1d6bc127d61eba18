/** A supervisor in a process of its own, and how a command starts one. */
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ResolvedSystem } from '@systemg/core'
import { childProcess } from '../builtin.ts'
import type { LogLevel } from '../command.ts'
import { silent, tryConnect, type Supervisor } from '../client/connect.ts'
import { Failure } from '../failures.ts'
import { takenExitCode } from '../host/holder-script.ts'
import { attempt } from '../host/host-error.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { isFull, makeStateFolder, stateFailure } from './state-folder.ts'

/** What a command tells the supervisor it starts, as JSON on its stdin. */
export interface DaemonRequest {
  readonly cwd: string
  /** Undefined: there is none. */
  readonly config: string | undefined
  /** What the system is called where there is no config. */
  readonly project: { readonly id: string; readonly name: string }
  readonly root: string
  readonly logLevel: LogLevel
  /** Start only these and what they need; none: what the command asks for later. */
  readonly services: readonly string[] | undefined
  /** The config, or a plugin of it, is code. */
  readonly hasCode: boolean
  /** What services inherit, and `${VAR}` expands from. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Come back with this, the config of the supervisor that has died, and change nothing. */
  readonly comeback?: ResolvedSystem
}

/** How long a supervisor may take until it can be spoken to, ms. */
const bootLimitMs = 30_000

/** Start a supervisor in the background, or find the one that another command is starting. */
export const startDaemon = async (
  paths: ProjectPaths,
  request: DaemonRequest,
): Promise<{ supervisor: Supervisor; isOurs: boolean }> => {
  for (const deadline = Date.now() + bootLimitMs; ;) {
    const child = spawnDaemon(paths, request)
    const found = await spokenTo(paths, child, deadline)
    if (found !== undefined) return { supervisor: found, isOurs: found.pid === child.pid }
    if (Date.now() > deadline) throw await silent(paths, bootLimitMs)
  }
}

const spawnDaemon = (paths: ProjectPaths, request: DaemonRequest): ChildProcess => {
  makeStateFolder(dirname(paths.boot))
  const log = openLog(paths)
  const [program, ...args] = supervisorCommand()
  const child = childProcess().spawn(program, args, {
    detached: true,
    cwd: '/',
    env: ownEnvironment(request.env),
    stdio: ['pipe', log, log],
  })
  closeSync(log)
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(JSON.stringify(request))
  child.unref()
  return child
}

/** Whoever can be spoken to first; `undefined` when another one had the project when this one came, and may have ended since. */
const spokenTo = async (
  paths: ProjectPaths,
  child: ChildProcess,
  deadline: number,
): Promise<Supervisor | undefined> => {
  let exitCode: number | null | undefined
  child.once('exit', (code) => (exitCode = code))
  child.once('error', () => (exitCode = null))
  for (
    let takenMs = 0;
    Date.now() < deadline && takenMs < takenLimitMs;
    takenMs += exitCode === undefined ? 0 : lookEveryMs
  ) {
    const supervisor = await tryConnect(paths)
    if (supervisor !== undefined) return supervisor
    if (exitCode !== undefined && exitCode !== takenExitCode) throw died(paths)
    await pause(lookEveryMs)
  }
  return undefined
}

const lookEveryMs = 10
/** One that has the project and cannot be spoken to for so long may be on its way out, ms. */
const takenLimitMs = 500

/** Reads a `DaemonRequest` from its stdin. */
export const supervisorCommand = (): [string, ...string[]] => [
  process.execPath,
  ...supervisorFlags(),
  entry(),
  '__supervise',
]

/** @throws {Failure} `SYSG_STATE_FOLDER`. */
const openLog = ({ folder, boot }: ProjectPaths): number => {
  try {
    return attempt(`write ${boot}`, () => openSync(boot, 'w', 0o600))
  } catch (thrown) {
    throw stateFailure(folder, thrown)
  }
}

/** On a full disk it could not even say why. */
const died = ({ folder, boot }: ProjectPaths): Failure => {
  const words = lastWords(boot)
  return words === '' && isFull(folder)
    ? new Failure('SYSG_STATE_FOLDER', { folder, why: 'the disk is full' })
    : new Failure('SYSG_SUPERVISOR_DIED', { log: boot, words })
}

/**
 * A supervisor lives long and computes little: with a small young generation it takes less memory. Nothing is collected while
 * nothing happens, so that at rest it takes no CPU time at all.
 * None of these changes what V8 compiles to: Node comes with its own modules compiled, and throws that away under
 * `--lite-mode` and its like: a supervisor would be away a quarter longer.
 * SQLite prints a warning on the first Node that has it; the log is for what matters.
 */
const ownFlags = (): readonly string[] => [
  '--max-semi-space-size=1',
  '--no-memory-reducer',
  '--disable-warning=ExperimentalWarning',
  // With it output is moved into files so that no kill loses a byte of it (`host/kernel-pipes.ts`).
  ...['--experimental-ffi'].filter(isFlag),
]

/** A supervisor runs with what is one: Node takes milliseconds to list them. */
const isFlag = (flag: string): boolean =>
  process.execArgv.includes(flag) || process.allowedNodeEnvironmentFlags.has(flag)

/** A supervisor that starts one has some of these itself. */
export const supervisorFlags = (): readonly string[] => {
  const own = ownFlags()
  return [...process.execArgv.filter((flag) => !own.includes(flag)), ...own]
}

/** The `sysg` that runs this command. */
const entry = (): string => process.argv[1] ?? ''

/** The supervisor itself runs without the caller's `NODE_*` settings: they belong to the services. */
export const ownEnvironment = (env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('NODE_')))

/** The last lines of a log. @param fromByte - Only what was written behind that. */
export const lastWords = (path: string, fromByte = 0): string => {
  try {
    return lastLines(readFileSync(path).toString('utf8', fromByte))
  } catch {
    return ''
  }
}

/** The last lines of what a supervisor wrote that did not come up, without stacks. */
export const lastLines = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
    .slice(-5)
    .join('\n')
