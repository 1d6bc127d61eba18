/**
 * A machine in memory: time, processes, files and everything else that outlives a supervisor. `host()` is one
 * supervisor's view of it. The same seed and the same calls give the same world, byte for byte.
 */
import type { Connection, Exit, Host, Signal, SpawnSpec } from '../host.ts'
import { Addresses } from './addresses.ts'
import { spawnFailure, type Faults } from './faults.ts'
import { FileTree } from './files.ts'
import { createHost, type HostWorld, type SimulatedHost } from './host.ts'
import { Network } from './net.ts'
import type { ProcessRole, SimulatedProcess } from './process.ts'
import { ProcessTable } from './process-table.ts'
import { defaultProgram, type Programs } from './program.ts'
import { createStoredData } from './store.ts'
import { Streams } from './streams.ts'
import { Supervisor } from './supervisor.ts'
import { Timeline } from './timeline.ts'

export interface WorldOptions {
  /** Default 1. */
  readonly seed?: number
  /** Wall clock at the beginning, ms since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly startMs?: number
  /** What specs run. Default: everything is `defaultProgram`, which runs until it is signalled. */
  readonly programs?: Programs
  /** The environment supervisors are started with. */
  readonly env?: Readonly<Record<string, string>>
}

/** A living process, as tests see it. Plain data of this moment. */
export interface ProcessView {
  readonly pid: number
  readonly startTime: number
  readonly parentPid: number
  /** `spawn`: a service of a host; `run`: a one-shot command of one; `fork`: of another process. */
  readonly role: ProcessRole
  /** `SYSG_SERVICE` of its environment. */
  readonly service: string | undefined
  readonly token: string | undefined
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Leader of its session: what a host starts, and what calls `setsid`. */
  readonly isLeader: boolean
  readonly isUninterruptible: boolean
}

/** A process started (`exit` undefined) or ended. */
export interface ProcessChange {
  readonly process: ProcessView
  readonly exit: Exit | undefined
}

export type SimulatedWorld = ReturnType<typeof createWorld>

/** What is kept of the hosts' traces, lines. */
const traceLimit = 10_000

const defaultStartMs = Date.UTC(2026, 0, 1)
const defaultUntilMs = 24 * 60 * 60 * 1000

/** Make a world. Nothing in it moves but in `advance`, `settle` and `until`. */
export const createWorld = (options: WorldOptions = {}) => {
  const { seed = 1, startMs = defaultStartMs, env = { PATH: '/usr/bin:/bin', HOME: '/home/user' } } = options
  const faults: Faults = { diskFreeBytes: Infinity }
  const timeline = new Timeline(startMs)
  const table = new ProcessTable(timeline)
  const supervisors = new Map<Host, Supervisor>()
  const traceLines: string[] = []
  const spawnErrnos: string[] = []
  const spawnCounts = countSpawns(table)
  let programs: Programs = options.programs ?? (() => defaultProgram)
  let hostCount = 0

  const choose = (spec: SpawnSpec) => {
    const errno = spawnErrnos.shift()
    if (errno !== undefined) return spawnFailure(errno, `spawn ${spec.argv[0]} ${errno}`)
    return faults.spawn?.(spec) ?? programs(spec)
  }
  const trace: Host['trace'] = (level, message, facts) => {
    const details = facts === undefined ? '' : ` ${JSON.stringify(facts)}`
    if (traceLines.push(`${timeline.elapsedMs} ${level} ${message}${details}`) > traceLimit) traceLines.shift()
  }
  const shared: HostWorld = {
    seed,
    env,
    faults,
    timeline,
    table,
    choose,
    trace,
    streams: new Streams(),
    addresses: new Addresses(),
    files: new FileTree(faults),
    network: new Network(timeline),
    stored: createStoredData(),
  }
  const livingByPid = (pid: number): SimulatedProcess => {
    const process = table.byPid(pid)
    if (process === undefined) throw new Error(`There is no process ${pid}.`)
    return process
  }

  return {
    seed,
    /** Wall clock at the beginning, ms since 1970. */
    startMs,
    faults,
    /** The disk, as it is beneath all hosts. */
    files: shared.files,
    /** `<ms> <level> <message> <facts>` of every host, the newest 10,000. */
    traceLines: traceLines as readonly string[],

    /** The view of a supervisor that has just started. */
    host: (): SimulatedHost => {
      const supervisor = new Supervisor(table.takePid(), timeline, faults)
      const host = createHost(shared, supervisor, ++hostCount)
      supervisors.set(host, supervisor)
      supervisor.onKilled(() => {
        supervisors.delete(host)
        table.orphan(supervisor.pid)
      })
      return host
    },
    /** SIGKILL: its timers never fire, its promises never settle, what it had not written is lost. Processes live on. */
    crashSupervisor: (host: Host): void => supervisors.get(host)?.kill(),
    /** What kept the sockets of supervisors that were killed is killed, too. */
    loseSockets: (): void => shared.addresses.lose(),
    /** Lose power and start again: everything but files and the store is gone. */
    reboot: (): void => {
      for (const supervisor of [...supervisors.values()]) supervisor.kill()
      table.reboot()
      timeline.cancelAll()
      shared.streams.clear()
      shared.network.clear()
      shared.addresses.clear()
    },

    now: () => timeline.now(),
    /** Virtual ms since the world began. */
    elapsedMs: () => timeline.elapsedMs,
    /** Let time pass, running everything that comes due, in order. */
    advance: (ms: number): Promise<void> => timeline.advance(ms),
    /** Do what is due now and all that follows, without moving time. */
    settle: (): Promise<void> => timeline.settle(),
    /** Let time pass, event by event, until the condition holds. False when it does not within `limitMs` (default: a day). */
    until: (condition: () => boolean, limitMs = defaultUntilMs): Promise<boolean> => timeline.until(condition, limitMs),
    /** Set the wall clock forward or back. */
    jump: (ms: number): void => timeline.jump(ms),
    /** How many timers living supervisors, or one of them, have set. */
    pendingTimers: (host?: Host): number =>
      [...supervisors]
        .filter(([other]) => host === undefined || other === host)
        .reduce((sum, [, supervisor]) => sum + timeline.countOf(supervisor), 0),

    /** Choose differently from here on. */
    setPrograms: (next: Programs): void => void (programs = next),
    /** Make the next spawns and runs fail with an errno. */
    failSpawns: (errno: string, times = 1): void => void spawnErrnos.push(...Array<string>(times).fill(errno)),
    /** Give this pid, of a process that has ended, to the next process. */
    reusePid: (pid: number): void => table.reusePid(pid),
    /** How often a host started a process of this service (`SYSG_SERVICE`). */
    spawnCount: (service: string): number => spawnCounts.get(service) ?? 0,
    processes: {
      /** All living processes, or those of one service, in the order they started. */
      list: (service?: string): readonly ProcessView[] =>
        [...table.living()].map(viewOf).filter((view) => service === undefined || view.service === service),
      kill: (pid: number, signal: Signal): void => livingByPid(pid).receive(signal),
      /** Make a program end as if by itself. */
      exit: (pid: number, code = 0): void => livingByPid(pid).leave(code),
      setUninterruptible: (pid: number, state: boolean): void => livingByPid(pid).setUninterruptible(state),
      /** Be told of every start and end. Returns how to stop. */
      watch: (watcher: (change: ProcessChange) => void): (() => void) =>
        table.watch((process, exit) => watcher({ process: viewOf(process), exit })),
    },

    /** What processes wrote to `inherit` streams. */
    terminal: (): string => shared.streams.terminal,
    /** Bytes in a named pipe, and bytes whose writers wait for room. */
    pipe: (path: string): { readonly size: number; readonly blockedBytes: number } => shared.streams.pipe(path),
    /** Connect to what a host serves. */
    connect: (path: string): Promise<Connection> => shared.network.connect(path),
    isBound: (address: string): boolean => shared.addresses.isBound(address),
    /** Somebody outside takes an address, or gives it back. */
    occupy: (address: string, taken = true): void => shared.addresses.occupy(address, taken),
  }
}

/** How often a service was started, by `SYSG_SERVICE`. */
const countSpawns = (table: ProcessTable): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  table.watch((process, exit) => {
    const service = process.spec.env['SYSG_SERVICE']
    if (exit !== undefined || service === undefined || process.role !== 'spawn') return
    counts.set(service, (counts.get(service) ?? 0) + 1)
  })
  return counts
}

const viewOf = (process: SimulatedProcess): ProcessView => ({
  pid: process.pid,
  startTime: process.startTime,
  parentPid: process.parentPid,
  role: process.role,
  service: process.spec.env['SYSG_SERVICE'],
  token: process.token,
  argv: process.spec.argv,
  env: process.spec.env,
  isLeader: process.leader === process,
  isUninterruptible: process.isUninterruptible,
})
