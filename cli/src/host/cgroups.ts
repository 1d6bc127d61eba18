/**
 * A cgroup for each instance, where this user may make some: whoever is started in one stays in it, whatever it does to its
 * session, its parents and its environment, and all of it can be killed at once.
 *
 * Only membership is used, no controller, so nothing has to be delegated but the folder. Without a writable cgroup v2
 * there are no groups, and trees are found by what `tree-members` knows.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html
 */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { whyOf, type Trace, type TreeRef } from '@systemg/core'
import { errnoOf } from './host-error.ts'
import { isStartable } from './spawn-failure.ts'

type Mark = Pick<TreeRef, 'token'>

/** How a process gets into its group. */
export interface Entrance {
  /** What to run instead: the process enters by itself, before its first instruction. */
  readonly argv: readonly [string, ...string[]]
  /** To be called with its pid when it runs. */
  entered(pid: number): void
}

/** What the kernel has counted for a group. `undefined`: nobody counts it there. */
export interface GroupAccount {
  readonly pids: readonly number[]
  readonly cpuMs: number | undefined
  readonly memoryBytes: number | undefined
}

interface Launch {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

export interface CgroupOptions {
  readonly trace?: Trace
  /** Called before the first group is made. When it throws, none is. */
  readonly onFirst?: (base: string) => void
  /** Called when the last one has been removed. */
  readonly onLast?: () => void
}

export class Cgroups {
  readonly #base: string | undefined
  readonly #options: CgroupOptions
  #isUsed = false
  #isFailing = false

  /** @param base - The folder in which groups are made; undefined: there are none. */
  constructor(base: string | undefined, options: CgroupOptions = {}) {
    this.#base = base
    this.#options = options
  }

  /** Make the group of an instance. `undefined` where there are none, or no more. */
  enter({ token }: Mark, launch: Launch): Entrance | undefined {
    const folder = this.#folderOf({ token })
    if (folder === undefined || this.#base === undefined) return undefined
    try {
      if (!this.#isUsed) this.#options.onFirst?.(this.#base)
      this.#isUsed = true
      mkdirSync(folder)
      this.#isFailing = false
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST') {
        this.#fail(thrown)
        return undefined
      }
    }
    const door = join(folder, 'cgroup.procs')
    const isSimple = Object.keys(launch.env).every((name) => shellName.test(name)) && isStartable(launch)
    if (isSimple) return { argv: ['/bin/sh', '-c', enterThenBecome, door, ...launch.argv], entered: () => undefined }
    // What the shell would change or could not start is started as it is, and put in at once.
    return { argv: launch.argv, entered: (pid) => this.#put(door, pid) }
  }

  /** Who lives in the group of a tree, and in groups below it. */
  pidsOf(tree: Mark): readonly number[] {
    const folder = this.#folderOf(tree)
    return folder === undefined ? [] : pidsBelow(folder)
  }

  /** What the kernel has counted for the group of a tree; `undefined` where it has none, or its root is not in it. */
  account(tree: Pick<TreeRef, 'token' | 'pid'>): GroupAccount | undefined {
    const folder = this.#folderOf(tree)
    if (folder === undefined) return undefined
    const pids = pidsBelow(folder)
    if (!pids.includes(tree.pid)) return undefined
    const cpuUs = numberAfter('usage_usec', readIf(`${folder}/cpu.stat`))
    return { pids, cpuMs: cpuUs === undefined ? undefined : cpuUs / 1_000, memoryBytes: memoryOf(folder) }
  }

  /** SIGKILL for everybody in the group at once, whoever is forked meanwhile included. False where that can't be done. */
  kill(tree: Mark): boolean {
    const folder = this.#folderOf(tree)
    if (folder === undefined) return false
    try {
      writeFileSync(join(folder, 'cgroup.kill'), '1', { flag: 'r+' })
      return true
    } catch {
      return false
    }
  }

  /** Nobody is in the group any more. */
  remove(tree: Mark): void {
    const folder = this.#folderOf(tree)
    if (folder !== undefined) removeBelow(folder)
  }

  /** Remove every group that nobody is in. */
  tidy(): void {
    if (this.#base === undefined) return
    removeBelow(this.#base)
    if (existsSync(this.#base)) return
    this.#isUsed = false
    this.#options.onLast?.()
  }

  #folderOf({ token }: Mark): string | undefined {
    return this.#base === undefined || !/^\w+$/.test(token) ? undefined : join(this.#base, token)
  }

  #put(door: string, pid: number): void {
    try {
      writeFileSync(door, String(pid), { flag: 'r+' })
    } catch (thrown) {
      if (errnoOf(thrown) !== 'ESRCH') this.#fail(thrown)
    }
  }

  #fail(thrown: unknown): void {
    if (!this.#isFailing) this.#options.trace?.('warn', `a cgroup can't be used: ${whyOf(thrown)}`)
    this.#isFailing = true
  }
}

/** The folder in which this process may make cgroups; undefined when it may not, or `SYSG_CGROUPS` is `off`. */
export const findCgroupBase = (env: Readonly<Record<string, string | undefined>>): string | undefined => {
  if (env['SYSG_CGROUPS'] === 'off') return undefined
  try {
    const own = ownCgroup(readFileSync('/proc/self/cgroup', 'utf8'))
    const mount = cgroupMount(readFileSync('/proc/self/mounts', 'utf8'))
    if (own === undefined || mount === undefined || !isOurs(own, env)) return undefined
    const base = join(mount, own)
    for (const path of [base, join(base, 'cgroup.procs')]) accessSync(path, constants.W_OK)
    return base
  } catch {
    return undefined
  }
}

/** The cgroup v2 of a process; undefined when it has none in this namespace. */
export const ownCgroup = (text: string): string | undefined => {
  const path = /^0::(\/.*)$/m.exec(text)?.[1]
  if (path === undefined || path.split('/').includes('..')) return undefined
  return path
}

/** Where cgroup v2 is mounted. */
export const cgroupMount = (mounts: string): string | undefined =>
  /^\S+ (\S+) cgroup2 /m
    .exec(mounts)?.[1]
    ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** Root may write everywhere; below systemd only a unit of its own is meant for it. */
const isOurs = (own: string, env: Readonly<Record<string, string | undefined>>): boolean =>
  process.getuid?.() !== 0 || own === '/' || env['INVOCATION_ID'] !== undefined

const shellName = /^[A-Za-z_]\w*$/
const enterThenBecome = '{ echo $$ >"$0"; } 2>/dev/null; exec "$@"'

const pidsBelow = (folder: string): readonly number[] => {
  const own = readIf(`${folder}/cgroup.procs`)
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0)
  return hasGroups(folder) ? [...own, ...foldersIn(folder).flatMap((name) => pidsBelow(join(folder, name)))] : own
}

/** A folder has a link in each of those that are in it. Cheaper than to list the kernel's files. */
const hasGroups = (folder: string): boolean => (statSync(folder, { throwIfNoEntry: false })?.nlink ?? 0) !== 2

/** Without what the kernel would give up at once: cached files that nobody has read lately. */
const memoryOf = (folder: string): number | undefined => {
  const current = readIf(`${folder}/memory.current`).trim()
  if (current === '') return undefined
  const idle = numberAfter('inactive_file', readIf(`${folder}/memory.stat`)) ?? 0
  return Math.max(0, Number(current) - idle)
}

/** Of a line `name number`. */
const numberAfter = (name: string, text: string): number | undefined => {
  const at = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1
  return at === 0 && !text.startsWith(`${name} `) ? undefined : Number.parseInt(text.slice(at + name.length + 1), 10)
}

const removeBelow = (folder: string): void => {
  for (const name of foldersIn(folder)) removeBelow(join(folder, name))
  try {
    rmdirSync(folder)
  } catch {
    // It is gone, or somebody has entered it.
  }
}

const foldersIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  } catch {
    return []
  }
}

const readIf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (thrown) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(errnoOf(thrown))) return ''
    throw thrown
  }
}
