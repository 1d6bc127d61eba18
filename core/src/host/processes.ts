/** Processes, their trees, and commands that run to their end. */
import type { Descriptor, Stream } from './descriptor.ts'

/** A signal by its POSIX name, for example `SIGTERM`. */
export type Signal = `SIG${string}`

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
  /** It is of the host: all it does is to keep how the program below it ends. */
  readonly keepsExit?: true
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
  /** errno name: `ENOENT`, `EACCES`, `EISDIR`, `EAGAIN`, `EMFILE`, `ENOEXEC`, … */
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
