/**
 * Starts the holder of a project and replaces it when what it is to keep open changes: the new one first, then the old one
 * ends. A holder that is killed is replaced, too.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { whyOf, type Trace } from '@systemg/core'
import { childProcess } from '../builtin.ts'
import { holderRecordName, holderVariables, openedBy, type HeldEntry, type HolderRecord, type Keeper } from './held.ts'
import { holderScript } from './holder-script.ts'
import { readStat } from './process-stat.ts'

export interface HolderSettings {
  /** The project's state folder. */
  readonly folder: string
  /** What it starts when this process has died. */
  readonly command: readonly string[]
  /** The file that becomes the stdin of that. */
  readonly request: string
  /** What an upgrade has replaced by `command`: it is tried first, as long as this process has not lived for long. */
  readonly before?: readonly string[] | undefined
  /** This process has. */
  readonly onCalm?: () => void
  /** Start it at once, not only when `sysg start` asks. */
  readonly respawn: boolean
  /** How often that happened in a row. */
  readonly tries: number
  /** Environment of the holder and of what it starts. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where both write. */
  readonly log: string
}

/** Another version of the supervisor. */
export interface Trial {
  readonly command: readonly string[]
  /** It is killed when it has not taken over within so many milliseconds. */
  readonly limitMs: number
}

/** A supervisor that has lived for so long starts to count its deaths anew, and stays in the place of the version before. */
const calmAfterMs = 30_000
const takeBackLimitMs = 30_000
/** Pipes come and go by the hundred when a system starts or stops. */
const gatherMs = 50
const endLimitMs = 2_000
/** After one could not be started, for want of a process, of a descriptor, of room on the disk. */
const tryAgainMs = 1_000

export class Holder implements Keeper {
  #settings: HolderSettings
  readonly #trace: Trace
  readonly #run: string
  readonly #entries = new Set<HeldEntry>()
  /** Sockets and pipes that a holder has: that of this process, or at first the one that started it. */
  #secure: ReadonlySet<string>
  #tries: number
  #current: ChildProcess | undefined
  /** What it starts first, once. */
  #trial: Trial | undefined
  #serial = 0
  #deaths = 0
  #isStale = false
  #hasFailed = false
  readonly #held = Promise.withResolvers<void>()
  /** This process has taken over, or will not any more. */
  readonly #takenOver = Promise.withResolvers<void>()
  /** Another one still keeps everything: this process has taken its place, and has other things to do first. */
  #isHeldBack: boolean
  #timer: NodeJS.Timeout | undefined
  #securing: Promise<void> | undefined
  #isOver = false
  /** Holders that were told to end. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #calm: NodeJS.Timeout

  /** @param inherited - What the holder that started this process keeps; start none before `replace` is called. */
  constructor(settings: HolderSettings, trace: Trace, inherited?: readonly HeldEntry[]) {
    this.#isHeldBack = inherited !== undefined
    this.#secure = new Set(inherited?.map(({ fd }) => openedBy(fd)))
    this.#settings = settings
    this.#trace = trace
    this.#run = join(settings.folder, 'run')
    this.#tries = settings.tries
    if (settings.before !== undefined) this.#trial = { command: settings.before, limitMs: takeBackLimitMs }
    this.#calm = setTimeout(() => this.#onCalm(), calmAfterMs).unref()
  }

  get pid(): number | undefined {
    return this.#current?.pid
  }

  /** Resolves when the first one is there. */
  get held(): Promise<void> {
    return this.#held.promise
  }

  keep(entry: HeldEntry): () => void {
    this.#entries.add(entry)
    this.#change(entry)
    return () => {
      if (this.#entries.delete(entry)) this.#change(entry)
    }
  }

  secured(fds: readonly number[]): Promise<void> {
    if (this.#isOver || fds.every((fd) => this.#secure.has(openedBy(fd)) || !this.#keeps(fd))) return Promise.resolve()
    // Before this process has taken over there is to be no second holder; then everything is held at once.
    if (this.#isHeldBack) return this.#takenOver.promise
    // One for all that are made in the same turn.
    this.#securing ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#securing = undefined
        this.replace()
        resolve()
      })
    })
    return this.#securing
  }

  async settled(): Promise<void> {
    this.replace()
    await Promise.all(this.#leaving)
  }

  /** Have a holder of everything that is kept, now. Returns whether there is one. */
  replace(): boolean {
    this.#isHeldBack = false
    this.#takenOver.resolve()
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isOver || (this.#current !== undefined && !this.#isStale)) return this.#current !== undefined
    this.#isStale = false
    try {
      const before = this.#current
      const entries = [...this.#entries]
      const secure = new Set(entries.map(({ fd }) => openedBy(fd)))
      this.#current = this.#start(entries)
      this.#secure = secure
      if (before !== undefined) this.#dismiss(before)
      this.#hasFailed = false
      this.#held.resolve()
      return true
    } catch (thrown) {
      // What runs is kept by the old one.
      this.#isStale = true
      if (!this.#hasFailed)
        this.#trace('error', `No process can be started that keeps sockets and pipes open: ${whyOf(thrown)}`)
      this.#hasFailed = true
      this.#timer = setTimeout(() => this.replace(), tryAgainMs).unref()
      return false
    }
  }

  /** The system has ended: nothing is to be kept. */
  async end(): Promise<void> {
    this.leave()
    if (this.#current !== undefined) this.#dismiss(this.#current)
    await Promise.all(this.#leaving)
    rmSync(join(this.#run, holderRecordName), { force: true })
  }

  /** This process ends, and another supervisor is to take its place, at once. If it does not, one like this process comes back. */
  async handOver(next: Trial): Promise<void> {
    const [trial, tries] = [this.#trial, this.#tries]
    this.#trial = next
    this.#tries = 0
    this.#isStale = true
    if (!this.replace()) {
      // This process stays, and the next holder is to bring up one like it.
      this.#trial = trial
      this.#tries = tries
      throw new Error('no holder can be started')
    }
    this.leave()
    // One of before would start what it was told to start.
    await Promise.all(this.#leaving)
    await new Promise<unknown>((written) => this.#current?.stdin?.write('now\n', written))
  }

  /** This process ends, and the holder goes on without it. */
  leave(): void {
    this.#isOver = true
    this.#takenOver.resolve()
    clearTimeout(this.#timer)
    clearTimeout(this.#calm)
  }

  #keeps(fd: number): boolean {
    return [...this.#entries].some((entry) => entry.fd === fd)
  }

  #change({ kind }: HeldEntry): void {
    this.#isStale = true
    if (this.#isHeldBack) return
    // A socket that is not held yet would be lost.
    const waitMs = kind === 'socket' ? 0 : gatherMs
    if (this.#timer !== undefined && waitMs > 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.replace(), waitMs).unref()
  }

  /** @throws When there is no shell, no memory or no descriptor for it. */
  #start(entries: readonly HeldEntry[]): ChildProcess {
    const { command, request, respawn, env, log, folder } = this.#settings
    mkdirSync(this.#run, { recursive: true, mode: 0o700 })
    this.#serial += 1
    const name = `holder-${process.pid}-${this.#serial}`
    const [list, door] = [join(this.#run, `${name}.json`), join(this.#run, `${name}.door`)]
    writeFileSync(list, JSON.stringify(entries.map((entry, index) => ({ ...entry, fd: 3 + index }))), { mode: 0o600 })
    const output = openSync(log, 'a', 0o600)
    const { limitMs = 0, command: trial = [] } = this.#trial ?? {}
    const isBack = respawn ? 'yes' : 'no'
    const trying = [Math.ceil(limitMs / 1_000), trial.length].map(String)
    const args = [String(this.#tries), isBack, door, request, ...trying, ...trial, ...command]
    const script = [holderScript, 'sysg-holder', ...args]
    const child = childProcess().spawn('/bin/sh', ['-c', ...script], {
      cwd: '/',
      // A session of its own: Ctrl-C in the terminal of a supervisor is not for it.
      detached: true,
      env: { ...env, [holderVariables.mark]: folder, [holderVariables.list]: list },
      stdio: ['pipe', output, output, ...entries.map(({ fd }) => fd)],
    })
    closeSync(output)
    child.stdin?.on('error', () => undefined)
    child.unref()
    ;(child.stdin as { unref?: () => void } | null)?.unref?.()
    const startedMs = performance.now()
    child.once('error', (error) => this.#trace('error', `The holder of sockets and pipes: ${error.message}`))
    child.once('exit', () => {
      rmSync(list, { force: true })
      rmSync(door, { force: true })
      if (this.#current === child) this.#onDeath(performance.now() - startedMs)
    })
    if (child.pid === undefined) throw new Error('/bin/sh could not be started')
    this.#record(child.pid, door)
    return child
  }

  /** Somebody killed it. */
  #onDeath(livedMs: number): void {
    if (this.#isOver) return
    this.#current = undefined
    this.#secure = new Set()
    this.#deaths = livedMs < calmAfterMs ? this.#deaths + 1 : 0
    this.#trace('warn', 'The process that keeps sockets and pipes open was killed; another one takes its place')
    this.#timer ??= setTimeout(() => this.replace(), Math.min(this.#deaths ** 2 * 10, 10_000)).unref()
  }

  #dismiss(child: ChildProcess): void {
    const work = dismissed(child).finally(() => this.#leaving.delete(work))
    this.#leaving.add(work)
  }

  #onCalm(): void {
    this.#tries = 0
    this.#trial = undefined
    this.#current?.stdin?.write('calm\n')
    this.#settings.onCalm?.()
  }

  #record(pid: number, door: string): void {
    const record: HolderRecord = { pid, startTime: readStat(pid)?.startTime ?? 0, door }
    const path = join(this.#run, holderRecordName)
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
}

const dismissed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  // What waits for its end must be told, however little else there is to do.
  child.ref()
  const gone = once(child, 'exit')
  child.stdin?.end('end\n')
  const timer = setTimeout(() => child.kill('SIGKILL'), endLimitMs)
  await gone
  clearTimeout(timer)
}
