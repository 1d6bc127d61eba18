/**
 * One simulated process: how it takes signals, waits and ends.
 *
 * A process that has ended is gone at once: there are no zombies here, as there are none for a supervisor.
 */
import type { Exit, ProcessRef, Signal, SpawnSpec } from '../host.ts'
import { canBeHandled, endsByDefault } from './signals.ts'
import type { Timeline } from './timeline.ts'

/** Where a process's writes go. A sink that has no room tells the writer that it is blocked. */
export type Sink = (bytes: Uint8Array, writer: SimulatedProcess) => void

/** Started by a host for a service, by a host as a one-shot command, or by another process. */
export type ProcessRole = 'spawn' | 'run' | 'fork'

export interface ProcessOrigin {
  readonly role: ProcessRole
  readonly ref: ProcessRef
  readonly spec: Pick<SpawnSpec, 'argv' | 'env' | 'cwd' | 'inherit'>
  readonly stdout: Sink
  readonly stderr: Sink
  readonly parentPid: number
  /** Undefined for one that a supervisor started, or that was given to process 1. */
  readonly parent: SimulatedProcess | undefined
  /** Leaders of its group and its session; undefined when it is the leader of both. */
  readonly leader: SimulatedProcess | undefined
  /** What the host started and this one descends from; undefined when it is that itself. */
  readonly root: SimulatedProcess | undefined
}

export class SimulatedProcess implements ProcessRef {
  readonly pid: number
  readonly startTime: number
  readonly role: ProcessRole
  readonly spec: ProcessOrigin['spec']
  readonly stdout: Sink
  readonly stderr: Sink
  /** Leader of its group and session: the simulation keeps the two the same. */
  readonly leader: SimulatedProcess
  /** The process of the host that it descends from. */
  readonly root: SimulatedProcess
  parentPid: number
  parent: SimulatedProcess | undefined
  memoryBytes = 1024 * 1024
  cpuMs = 0
  readonly #timeline: Timeline
  readonly #handlers = new Map<Signal, () => void>()
  readonly #timers = new Set<() => void>()
  readonly #endings: ((exit: Exit) => void)[] = []
  /** Signals that came while it was uninterruptible; undefined while it is not. */
  #held: Signal[] | undefined
  #exit: Exit | undefined
  /** Writes that wait for room in a pipe. */
  #blockedWrites = 0
  /** The exit code it has reached while a write before that still waits. */
  #leavingWith: number | undefined

  constructor(origin: ProcessOrigin, timeline: Timeline) {
    this.pid = origin.ref.pid
    this.startTime = origin.ref.startTime
    this.role = origin.role
    this.spec = origin.spec
    this.stdout = origin.stdout
    this.stderr = origin.stderr
    this.parentPid = origin.parentPid
    this.parent = origin.parent
    this.leader = origin.leader ?? this
    this.root = origin.root ?? this
    this.#timeline = timeline
  }

  get isAlive(): boolean {
    return this.#exit === undefined
  }

  get isUninterruptible(): boolean {
    return this.#held !== undefined
  }

  /** How it ended; undefined while it lives. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /** The mark it carries; undefined when its environment has none. */
  get token(): string | undefined {
    return this.spec.env['SYSG_TOKEN']
  }

  /** Called once when it has ended, or now if it has already. */
  onEnd(listener: (exit: Exit) => void): void {
    if (this.#exit === undefined) this.#endings.push(listener)
    else listener(this.#exit)
  }

  end(exit: Exit): void {
    if (this.#exit !== undefined) return
    this.#exit = exit
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    for (const listener of this.#endings) listener(exit)
  }

  /** Exit, after what was written before: a program stays in its write until the pipe has room. */
  leave(code: number): void {
    if (this.#blockedWrites === 0) this.end({ code, signal: null })
    else this.#leavingWith ??= code
  }

  blockWrite(): void {
    this.#blockedWrites++
  }

  unblockWrite(): void {
    this.#blockedWrites--
    if (this.#blockedWrites === 0 && this.#leavingWith !== undefined) this.leave(this.#leavingWith)
  }

  receive(signal: Signal): void {
    if (this.#exit !== undefined) return
    if (this.#held !== undefined) {
      this.#held.push(signal)
      return
    }
    const handler = this.#handlers.get(signal)
    if (handler !== undefined) handler()
    else if (endsByDefault(signal)) this.end({ code: null, signal })
  }

  handle(signal: Signal, handler: () => void): void {
    if (!canBeHandled(signal)) throw new Error(`No program can handle ${signal}.`)
    this.#handlers.set(signal, handler)
  }

  setUninterruptible(state: boolean): void {
    if (state) {
      this.#held ??= []
      return
    }
    const held = this.#held ?? []
    this.#held = undefined
    for (const signal of held) this.receive(signal)
  }

  after(delayMs: number, action: () => void): () => void {
    if (this.#exit !== undefined) return () => undefined
    const cancelTimer = this.#timeline.after(delayMs, () => {
      this.#timers.delete(cancel)
      action()
    })
    const cancel = () => {
      this.#timers.delete(cancel)
      cancelTimer()
    }
    this.#timers.add(cancel)
    return cancel
  }
}
