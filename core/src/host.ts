/**
 * The ports: everything the core and the plugins may ask of the world.
 *
 * `cli/src/host` implements them with real processes, `core/src/simulated` with a virtual clock. Both pass
 * `hostContract` of `@systemg/core/testing`. Times are milliseconds; what can go wrong is in the types.
 */
import { isOfClass } from './error-class.ts'
import type { Processes, RunResult, RunSpec } from './host/processes.ts'
import type { OnChunk, OutputPipe, TakeUnseen } from './host/output.ts'
import type { Files } from './host/files.ts'
import type { Store } from './host/store.ts'
import type { HttpRequest, HttpResponse, Net } from './host/net.ts'
import type { Sockets } from './host/sockets.ts'

export type { Descriptor, Stream } from './host/descriptor.ts'
export type {
  Adopted,
  Exit,
  OwnUsage,
  ProcessInfo,
  ProcessRef,
  Processes,
  RunResult,
  RunSpec,
  Signal,
  SpawnFailure,
  SpawnSpec,
  Spawned,
  TreeRef,
  TreeUsage,
} from './host/processes.ts'
export type { MoveUnseen, OnChunk, OutputPipe, TakeUnseen } from './host/output.ts'
export type { AppendFile, Files } from './host/files.ts'
export type { Durable, DurableLog, DurableTable, Store } from './host/store.ts'
export {
  NotAnsweredBy,
  type ConnectOptions,
  type Connection,
  type HttpRequest,
  type HttpResponse,
  type Net,
  type PeerAddress,
} from './host/net.ts'
export type { ListenOptions, Sockets } from './host/sockets.ts'

/** Wall time, steady time, and a way to wait. */
export interface Clock {
  /** Milliseconds since 1970, as the wall clock says; may jump. For display and records, never for waiting. */
  now(): number
  /** Milliseconds since an arbitrary moment; never jumps. */
  monotonic(): number
  /** Run `fire` once after `delayMs` of steady time. Returns a function that cancels it. */
  timer(delayMs: number, fire: () => void): () => void
}

/** A line of the host's own trace: for developers of plugins and of systemg, shown by `--log-level`. */
export interface Trace {
  (level: 'error' | 'warn' | 'info' | 'debug', message: string, facts?: Readonly<Record<string, unknown>>): void
}

/** A failure of the machine, with its errno name. */
export class HostError extends Error {
  static override [Symbol.hasInstance] = isOfClass('HostError')
  override readonly name = 'HostError'
  readonly errno: string
  /** Processes that are in the way. */
  readonly pids: readonly number[]
  constructor(errno: string, message: string, options?: { cause?: unknown; pids?: readonly number[] }) {
    super(message, options)
    this.errno = errno
    this.pids = options?.pids ?? []
  }
}

/** The outside world. */
export interface Host {
  readonly clock: Clock
  /** Even chance in [0, 1). */
  random(): number
  /** A new unguessable name: at least 128 bits, `[0-9a-f]+`. */
  token(): string
  /** The environment the supervisor was started with. */
  readonly env: Readonly<Record<string, string>>
  readonly processes: Processes
  run(spec: RunSpec): Promise<RunResult>
  /** Open the named pipe that carries one stream of one replica. Made when missing; reading goes on where an earlier supervisor stopped. */
  output(path: string, onChunk: OnChunk, takeUnseen?: TakeUnseen): Promise<OutputPipe>
  readonly files: Files
  readonly store: Store
  readonly net: Net
  readonly sockets: Sockets
  /**
   * Ask over HTTP. Resolves with any complete answer, whatever its status. Rejects with `HostError` (`ECONNREFUSED`,
   * `ECONNRESET`, `EPROTO`, …), `NotAnsweredBy`, or the signal's reason.
   */
  http(request: HttpRequest): Promise<HttpResponse>
  readonly trace: Trace
}
