/**
 * The ports: everything the core and the plugins may ask of the world.
 *
 * `cli/src/host` implements them with real processes, `core/src/simulated` with a virtual clock. Both pass
 * `hostContract` of `@systemg/core/testing`. Times are milliseconds; what can go wrong is in the types.
 */
import { isOfClass } from './error-class.ts'

/** A signal by its POSIX name, for example `SIGTERM`. */
export type Signal = `SIG${string}`

/** Wall time, steady time, and a way to wait. */
export interface Clock {
  /** Milliseconds since 1970, as the wall clock says; may jump. For display and records, never for waiting. */
  now(): number
  /** Milliseconds since an arbitrary moment; never jumps. */
  monotonic(): number
  /** Run `fire` once after `delayMs` of steady time. Returns a function that cancels it. */
  timer(delayMs: number, fire: () => void): () => void
}

/**
 * A descriptor held by the host, as a value: a FIFO's write end, a listening socket, a file.
 * Plugins pass it on in a `LaunchSpec`; only the host that made it knows what is inside.
 */
export interface Descriptor {
  readonly kind: 'fifo' | 'socket' | 'file'
  /** What it stands for, for people: a path or an address. */
  readonly label: string
  close(): void
}

/** Where one of the three standard streams of a process leads. */
export type Stream = 'null' | 'inherit' | Descriptor

/** What the host needs to start a process. Made from a `LaunchSpec` by the core. */
export interface SpawnSpec {
  /** Program and arguments. Never run by a shell. */
  readonly argv: readonly [string, ...string[]]
  /**
   * So many words at the end of `argv` are the program itself; those before are what becomes it. When it can't be started, that
   * is the failure, not how what stands before ends. Default: all words.
   */
  readonly programWords?: number
  /** The whole environment; nothing is added to it. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly stdout: Stream
  readonly stderr: Stream
  /** Descriptors to inherit as 3, 4, 5, … in this order. stdin is always `/dev/null`. */
  readonly inherit: readonly Descriptor[]
  /** Found again in the environment of every descendant, as `SYSG_TOKEN`. */
  readonly token: string
  /** How it ends is to be known also when nobody looks: see `pastExit`. Default false. */
  readonly keepsExit?: boolean
}

/** One process for certain: a pid alone may be used again by a stranger. */
export interface ProcessRef {
  readonly pid: number
  /** The kernel's start time of the process, in its own unit; compared, never computed with. */
  readonly startTime: number
}

/**
 * The root of a process tree and the mark that all its members carry. Plain data: it can be stored. When nobody knows the
 * root, `pid` and `startTime` are 0 and `bootId` is empty: the tree is then whoever carries the token.
 */
export interface TreeRef extends ProcessRef {
  readonly token: string
  /** Identifies the boot during which the pid was given. */
  readonly bootId: string
}

/** How a process ended. `unknown` when only that it ended is known: an earlier supervisor had started it. */
export interface Exit {
  readonly code: number | null
  readonly signal: Signal | null
  readonly unknown?: true
  /** Nor is it known when: no supervisor ran. */
  readonly unseen?: true
  readonly oomKilled?: true
}

/** A living member of a tree. */
export interface ProcessInfo extends ProcessRef {
  readonly parentPid: number
  /** Command line, or the name in brackets when it has none. */
  readonly command: string
  readonly memoryBytes: number
  /** CPU time used since its start. */
  readonly cpuMs: number
  /** In a state no signal can end it (Linux: `D`). */
  readonly uninterruptible: boolean
}

/** A running process that the host started or adopted. */
export interface Spawned {
  readonly tree: TreeRef
  /** Settles once, when the tracked process itself has ended. Never rejects. */
  readonly exited: Promise<Exit>
}

/** A running process that an earlier supervisor started. */
export interface Adopted extends Spawned {
  /** What it was started with, as far as the system still shows it: a program may have written over it. */
  readonly env: Readonly<Record<string, string>>
}

/** What a tree uses at one moment. */
export interface TreeUsage {
  /**
   * CPU time since its start, ms: of those that live, and of those that they have waited for; of everything that ever was
   * in its cgroup, where it has one. May fall when a process ends that nobody waits for.
   */
  readonly cpuMs: number
  /** Resident memory. What processes share counts for each of them; where a cgroup accounts for memory, it is exact. */
  readonly memoryBytes: number
  /** How many processes live. */
  readonly processes: number
}

/** What the supervisor itself uses. */
export interface OwnUsage {
  readonly cpuMs: number
  readonly memoryBytes: number
  /** Wall clock, ms. */
  readonly startedAt: number
  /** Open descriptors, and how many there may be; undefined when that is not known. */
  readonly openFiles: number | undefined
  readonly mostOpenFiles: number | undefined
}

/** Why the host could not start a process. */
export interface SpawnFailure {
  /** errno name: `ENOENT`, `EACCES`, `EAGAIN`, `EMFILE`, `ENOEXEC`, … */
  readonly errno: string
  readonly message: string
}

/** Processes and their trees. Zombies count as dead everywhere. */
export interface Processes {
  /** Start a process as leader of a session of its own. */
  spawn(spec: SpawnSpec): Promise<Spawned | SpawnFailure>
  /** Take up a process that an earlier supervisor started; `undefined` when pid, start time, boot and token do not all agree or it is dead. */
  adopt(tree: TreeRef): Promise<Adopted | undefined>
  /** How the root of a tree ended while no supervisor ran; `undefined` when that is not known. */
  pastExit(tree: TreeRef): Promise<Exit | undefined>
  /** Every living process of the tree, escaped ones included (group, session, parents, token), the root first. */
  members(tree: TreeRef): Promise<readonly ProcessInfo[]>
  /** What trees use, all of them by one look at the machine, in the same order; `undefined` where nobody lives. */
  usage(trees: readonly TreeRef[]): Promise<readonly (TreeUsage | undefined)[]>
  /** What the supervisor uses itself. */
  own(): OwnUsage
  /** Send a signal to every living process of the tree; each one's identity is checked just before. Returns how many got it. */
  signal(tree: TreeRef, signal: Signal): Promise<number>
  /** Resolves when no process of the tree lives. Rejects with the signal's reason when aborted. */
  gone(tree: TreeRef, signal: AbortSignal): Promise<void>
  /**
   * Who listens on a TCP port of this machine, whatever the address. `undefined` when nobody does; those that may not be
   * looked at (another user's) are left out.
   */
  listening(port: number): Promise<readonly ProcessInfo[] | undefined>
}

/** A command that runs to its end: a hook, `skip`, `pre_start`, a probe. */
export interface RunSpec {
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Ends the command's whole tree. */
  readonly signal: AbortSignal
  /** At most so many bytes of output are kept (the last ones). Default 64 KiB. */
  readonly keepBytes?: number
  /** Told of what the command writes, as it comes. The chunk is valid during the call only: copy what you keep. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void
  /** Told when it runs, for those who must find it again after their own death. */
  readonly onStarted?: (tree: TreeRef) => void
}

export interface RunResult {
  readonly exit: Exit
  /** stdout and stderr as they came, decoded, at most `keepBytes` of them. */
  readonly output: string
  /** Set when the command could not be started at all. */
  readonly failure?: SpawnFailure
}

/** Receives what a process wrote. The chunk is only valid during the call: copy what you keep. */
export type OnChunk = (chunk: Uint8Array) => void

/**
 * Moves bytes of a pipe to the end of a file that this host has opened, at most so many, without anybody seeing them.
 * Returns how many; 0 when that is not possible. Throws nothing.
 */
export type MoveUnseen = (file: AppendFile, most: number) => number

/** Asked before bytes are read, by hosts that can move them unseen. `false`: they are to be seen, by `OnChunk`. */
export type TakeUnseen = (move: MoveUnseen) => boolean

/** The reading side of a service's output. */
export interface OutputPipe {
  /** Hand this to the process as stdout or stderr. */
  readonly writer: Descriptor
  /** Read everything that is there now; resolves when nothing is left. */
  drain(): Promise<void>
  /** Stop and start reading: what is not read waits in the pipe, and then the writer waits. */
  pause(): void
  resume(): void
  close(): Promise<void>
}

/** A file that only grows. Writes are complete when the call returns. */
export interface AppendFile {
  /** Bytes in the file. */
  readonly size: number
  /** Append; throws `HostError` (`ENOSPC`, `EIO`, …). A partial write is cut off again before it throws. */
  write(chunk: Uint8Array): void
  /** The last bytes of the file, at most so many. */
  readEnd(bytes: number): Uint8Array
  close(): void
}

/** Files below the folders that systemg owns, and those a config names. Paths are absolute. */
export interface Files {
  /** Text of a file; `undefined` when there is none. Throws `HostError` for any other failure. */
  readText(path: string): Promise<string | undefined>
  /** Open for appending; the folder is made when missing (0700, files 0600). */
  append(path: string): AppendFile
  /** Bytes `start` (inclusive) to `end` (exclusive); fewer at the end of the file; empty when there is no file. */
  read(path: string, start: number, end: number): Promise<Uint8Array>
  /** Size in bytes; `undefined` when there is no file. */
  size(path: string): Promise<number | undefined>
  rename(from: string, to: string): void
  remove(path: string): void
  /** Remove a folder in which nothing is; any other is left as it is. */
  removeFolder(path: string): void
  /** Names in a folder, sorted; empty when there is none. */
  list(path: string): Promise<readonly string[]>
}

/** A value that survives the supervisor. Must be JSON. */
export type Durable = null | boolean | number | string | readonly Durable[] | { readonly [key: string]: Durable }

/** Small durable values by key. A write is on disk when the call returns. */
export interface DurableTable {
  get(key: string): Durable | undefined
  set(key: string, value: Durable): void
  delete(key: string): void
  entries(): readonly (readonly [key: string, value: Durable])[]
}

/** A growing, bounded list of records, numbered by the one who appends. Written in batches. */
export interface DurableLog {
  /** Remember a record; it reaches the disk soon (at most 100 ms later), or at `flush`. */
  append(seq: number, timeMs: number, value: Durable): void
  flush(): void
  /** Records with `after < seq`, in order. `limit` keeps the newest of them, `first` the oldest. */
  read(options: {
    after?: number
    sinceMs?: number
    limit?: number
    first?: number
  }): readonly { seq: number; timeMs: number; value: Durable }[]
  /** The highest number ever appended; 0 when empty. */
  last(): number
  /** Forget all but the newest `keep` records. */
  trim(keep: number): void
  /** Forget one record, at once; `last` stays. */
  remove(seq: number): void
}

/** What the supervisor remembers over its own death. */
export interface Store {
  table(name: string): DurableTable
  log(name: string): DurableLog
  /**
   * Run several writes as one: all of them, or none.
   *
   * @param options.survives - What they must survive when this returns. `power-cut` (default) waits for the disk;
   * `crash` (of the supervisor) does not, for what a new boot makes worthless anyway.
   */
  transaction(body: () => void, options?: { readonly survives?: 'power-cut' | 'crash' }): void
  close(): void
}

/** One end of a stream connection. */
export interface Connection {
  /** Send bytes; resolves when the other side has room for more. */
  write(data: Uint8Array): Promise<void>
  onData(listener: (chunk: Uint8Array) => void): void
  /** Called once, however the connection ended. */
  onClose(listener: () => void): void
  close(): void
}

/** Where somebody listens. */
export type PeerAddress = { readonly host: string; readonly port: number } | { readonly path: string }

/** How a connection is made. */
export interface ConnectOptions {
  /** Gives up, and closes what was opened. */
  readonly signal: AbortSignal
  /** Only a process of this tree may have the other end: waits until somebody has accepted, and looks who it is. */
  readonly answeredBy?: TreeRef | undefined
}

/** One HTTP request, over a connection of its own. Never through a proxy, never redirected. */
export interface HttpRequest extends ConnectOptions {
  /** `http://…`, `https://…`, or `http+unix://%2Fpath%2Fto.sock/…` for a unix socket. */
  readonly url: string
  /** Default `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** At most so many bytes of the answer's body are read (the first ones). Default 64 KiB. */
  readonly keepBytes?: number
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case; several values of one name are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** There was more than `keepBytes`. */
  readonly isCut: boolean
}

/** A connection was made, and closed unused: `answeredBy` does not have its other end, or that can't be known. */
export class NotAnsweredBy extends Error {
  static override [Symbol.hasInstance] = isOfClass('NotAnsweredBy')
  override readonly name = 'NotAnsweredBy'
  /** `other`: another process has it. `unattributable`: it can't be known; the message says why. */
  readonly why: 'other' | 'unattributable'
  /** The process that has it, where that is known. */
  readonly pid: number | undefined
  constructor(why: 'other' | 'unattributable', message: string, pid?: number) {
    super(message)
    this.why = why
    this.pid = pid
  }
}

export interface Net {
  /** Connect. Rejects with `HostError` (`ECONNREFUSED`, `ENOTFOUND`, …), `NotAnsweredBy`, or the signal's reason. */
  connect(to: PeerAddress, options: ConnectOptions): Promise<Connection>
  /** Accept connections on a unix socket (0600). Resolves when it listens; returns how to stop. */
  serve(path: string, accept: (connection: Connection) => void): Promise<{ close(): Promise<void> }>
}

/** How a listening socket is made. */
export interface ListenOptions {
  /** Connections that wait until somebody accepts them; the kernel has a limit of its own. Default 4096. */
  readonly backlog?: number
  /** Permission bits of a unix socket. Default: what the umask of the supervisor leaves. */
  readonly mode?: number
  /** What the one who started the supervisor calls the socket, if it passed one on. */
  readonly name?: string
}

/** Listening sockets that the supervisor holds but never accepts on. */
export interface Sockets {
  /**
   * Bind and listen on `tcp://host:port` (a numeric host, IPv6 in brackets) or `unix:///path`. What this supervisor has
   * open there already, or what was left or passed to it, is taken up instead, with this backlog and mode.
   *
   * @throws {HostError} `EADDRINUSE` (with the `pids` that have it, as far as they can be found), `EACCES`, `EADDRNOTAVAIL`, …
   */
  listen(address: string, options: ListenOptions): Promise<Descriptor>
  /** Addresses that the supervisor before this one had open and that are open still: for `listen` to take up, or to be closed. */
  inherited(): readonly string[]
  /** Resolves when every socket closed until now is free again for others. */
  settled(): Promise<void>
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
