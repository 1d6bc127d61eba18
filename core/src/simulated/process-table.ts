/** All living processes of a world: how they come to be, who their parents are, and who is told when they end. */
import type { Exit, ProcessRef } from '../host.ts'
import { SimulatedProcess, type ProcessOrigin } from './process.ts'
import type { Timeline } from './timeline.ts'

/** Told of each process that starts (`exit` undefined) and each that ends. */
export type ProcessWatcher = (process: SimulatedProcess, exit: Exit | undefined) => void

const initPid = 1
const firstPid = 1000

export class ProcessTable {
  /** Identifies this run of the machine. */
  bootId = 'simulated-boot-1'
  readonly #timeline: Timeline
  readonly #living = new Map<number, SimulatedProcess>()
  readonly #watchers = new Set<ProcessWatcher>()
  /** By token: exits of those that were started to have it kept. */
  readonly #keptExits = new Map<string, Exit>()
  #boots = 1
  #lastPid = firstPid
  #lastStartTime = 0
  #reused: number | undefined

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  /** In the order they started, so parents come before their children. */
  living(): IterableIterator<SimulatedProcess> {
    return this.#living.values()
  }

  /** The living process that is meant; undefined when it has ended, whoever has its pid today. */
  find({ pid, startTime }: ProcessRef): SimulatedProcess | undefined {
    const process = this.#living.get(pid)
    return process?.startTime === startTime ? process : undefined
  }

  byPid(pid: number): SimulatedProcess | undefined {
    return this.#living.get(pid)
  }

  /** Returns how to stop watching. */
  watch(watcher: ProcessWatcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  add(origin: Omit<ProcessOrigin, 'ref'>): SimulatedProcess {
    const ref = { pid: this.takePid(), startTime: ++this.#lastStartTime }
    const process = new SimulatedProcess({ ...origin, ref }, this.#timeline)
    this.#living.set(process.pid, process)
    process.onEnd((exit) => this.#remove(process, exit))
    this.#tell(process, undefined)
    return process
  }

  /** Keep how it ends. Of one that was killed nothing is kept: what would write it down is killed with it. */
  keepExit(token: string, process: SimulatedProcess): void {
    process.onEnd((exit) => {
      if (exit.code !== null) this.#keptExits.set(token, exit)
    })
  }

  pastExit(token: string): Exit | undefined {
    return this.#keptExits.get(token)
  }

  /** A pid nobody has. Also supervisors take theirs here. */
  takePid(): number {
    const pid = this.#reused ?? ++this.#lastPid
    this.#reused = undefined
    return pid
  }

  /** Give this pid to the next process. */
  reusePid(pid: number): void {
    if (this.#living.has(pid)) throw new Error(`Process ${pid} still lives.`)
    this.#reused = pid
  }

  /** Give the children of a parent that is no simulated process, a supervisor, to process 1. */
  orphan(parentPid: number): void {
    for (const process of this.#living.values()) if (process.parentPid === parentPid) process.parentPid = initPid
  }

  /** Everything ends, and another boot begins. */
  reboot(): void {
    for (const process of [...this.#living.values()]) process.end({ code: null, signal: 'SIGKILL' })
    this.bootId = `simulated-boot-${++this.#boots}`
  }

  #remove(process: SimulatedProcess, exit: Exit): void {
    this.#living.delete(process.pid)
    for (const child of this.#living.values()) {
      if (child.parent !== process) continue
      child.parent = undefined
      child.parentPid = initPid
    }
    this.#tell(process, exit)
  }

  #tell(process: SimulatedProcess, exit: Exit | undefined): void {
    for (const watcher of [...this.#watchers]) watcher(process, exit)
  }
}
