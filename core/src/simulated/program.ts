/** What runs in a simulated process: the interface programs are written against, and the usual ones ready made. */
import type { Descriptor, Signal, SpawnFailure, SpawnSpec } from '../host.ts'
import { spawnFailure } from './faults.ts'

/** Called once, when the process starts. It runs until it exits, dies or is signalled, also after the call has returned. */
export type Program = (self: ProgramControl) => void

/** Chooses what a spec runs, for services and for one-shot commands. An answer that is no program is why there is none. */
export type Programs = (spec: SpawnSpec) => Program | SpawnFailure

/** A program's hold on its own process. Without effect once the process has ended. */
export interface ProgramControl {
  readonly pid: number
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** What it inherited as descriptors 3, 4, 5, … */
  readonly inherit: readonly Descriptor[]
  /** Even chance in [0, 1), from a stream of this process's own. */
  random(): number
  write(data: string | Uint8Array, stream?: 'stdout' | 'stderr'): void
  /** Run `action` after `delayMs`, if the process still lives. Returns a function that cancels it. */
  after(delayMs: number, action: () => void): () => void
  exit(code?: number): void
  /** End as the signal's default action would, handled or not. */
  die(signal: Signal): void
  /** Handle a signal instead of its default action. Not for SIGKILL and SIGSTOP. */
  onSignal(signal: Signal, handler: () => void): void
  fork(program: Program, options?: ForkOptions): ForkedProcess
  /** While true, no signal has any effect; those that came meanwhile have it afterwards. */
  uninterruptible(state: boolean): void
  /** Tell how much memory and CPU time it takes. */
  use(amounts: { memoryBytes?: number; cpuMs?: number }): void
  /** Write to an inherited pipe, by its descriptor's number: 3, 4, 5, … */
  writeTo(descriptor: number, data: string | Uint8Array): void
  /** Bind an address such as `tcp://127.0.0.1:80` until the process ends; false when it is taken. */
  bind(address: string): boolean
  /** Accept connections on an inherited address, or on one that it binds; false when that is taken. */
  answer(address: string, answer: AnswerRequest): boolean
}

/** A request, as a program gets it. Names of headers are in lower case. */
export interface SimulatedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a program does with a request: answers (status 200 when it does not say), never answers, or closes. */
export type SimulatedAnswer =
  | 'hang'
  | 'close'
  | {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
      readonly afterMs?: number
    }

export type AnswerRequest = (request: SimulatedRequest) => SimulatedAnswer

export interface ForkOptions {
  /** Leader of a session and group of its own. */
  readonly setsid?: boolean
  /** With an empty environment, and so without the token. */
  readonly clearEnv?: boolean
  /** A child of process 1 from the start, as after a double fork. */
  readonly reparent?: boolean
  /** Its command line; default: its parent's. */
  readonly argv?: readonly [string, ...string[]]
}

export interface ForkedProcess {
  readonly pid: number
  isAlive(): boolean
  kill(signal: Signal): void
}

/** Runs until it is signalled. */
export const serve = (): Program => () => undefined

/** The program of a world that was given none. */
export const defaultProgram = serve()

/** Ends by itself. */
export const exitsAfter =
  (ms: number, code = 0): Program =>
  (self) => {
    if (ms <= 0) self.exit(code)
    else self.after(ms, () => self.exit(code))
  }

/** Ends by a signal of its own making, SIGSEGV by default. */
export const crashesAt =
  (ms: number, signal: Signal = 'SIGSEGV'): Program =>
  (self) => {
    self.after(ms, () => self.die(signal))
  }

/** Takes no notice of a signal, SIGTERM by default. */
export const ignoresSigterm =
  (signal: Signal = 'SIGTERM'): Program =>
  (self) =>
    self.onSignal(signal, () => undefined)

/** Ends cleanly, but only `ms` after it was asked to. */
export const stopsAfter =
  (ms: number, signal: Signal = 'SIGTERM'): Program =>
  (self) => {
    self.onSignal(signal, () => void self.after(ms, () => self.exit(0)))
  }

/** Writes once and goes on. */
export const prints =
  (data: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): Program =>
  (self) =>
    self.write(data, stream)

/** Accepts connections, from `afterMs` after its start on; ends with 1 when somebody else has the address. */
export const answers =
  (address: string, answer: AnswerRequest = () => ({}), afterMs = 0): Program =>
  (self) => {
    const begin = () => {
      if (!self.answer(address, answer)) self.exit(1)
    }
    if (afterMs === 0) begin()
    else self.after(afterMs, begin)
  }

/** Starts a program as its child, or, with options, as something that tries to get away. */
export const forks =
  (program: Program, options: ForkOptions = {}): Program =>
  (self) =>
    void self.fork(program, options)

/** Puts itself into the background: the work goes on in another session while the process that was started exits. */
export const daemonizes =
  (program: Program = serve()): Program =>
  (self) => {
    self.fork(program, { setsid: true, reparent: true })
    self.exit(0)
  }

/** Several behaviours of one process, set up in this order. */
export const all =
  (...programs: readonly Program[]): Program =>
  (self) => {
    for (const program of programs) program(self)
  }

/** Programs by `argv[0]`; every other name is `ENOENT`. */
export const programsByName =
  (programs: Readonly<Record<string, Program>>): Programs =>
  ({ argv }) =>
    (Object.hasOwn(programs, argv[0]) ? programs[argv[0]] : undefined) ??
    spawnFailure('ENOENT', `spawn ${argv[0]} ENOENT`)
