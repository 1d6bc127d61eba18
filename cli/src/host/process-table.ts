/** All processes of the machine at one moment, indexed for searching trees. */
import { readFileSync } from 'node:fs'
import type { MarkCache } from './process-environment.ts'
import { allPids, isThread, readStat, type ProcessStat } from './process-stat.ts'

export interface ProcessTable {
  readonly byPid: ReadonlyMap<number, ProcessStat>
  readonly byParent: ReadonlyMap<number, readonly ProcessStat[]>
  readonly bySession: ReadonlyMap<number, readonly ProcessStat[]>
  readonly byToken: ReadonlyMap<string, readonly ProcessStat[]>
  /** By pid: the marks of those that have any. */
  readonly marks: ReadonlyMap<number, readonly string[]>
  /** This process, its ancestors, and PID 1: never part of any tree. */
  readonly untouchable: ReadonlySet<number>
  /** More was forked while the table was read than could be followed, so a process may be missing from it. */
  readonly isBlurred: boolean
  /** The pid given last when the table was complete. */
  readonly newestPid: number
}

/** How long a look follows what is being forked meanwhile, ms. */
const followMs = 10

/**
 * Read `/proc` once, and then what was forked meanwhile, until nothing was: a chain of processes that each start the next
 * and end would otherwise always be where nobody looks. Throws when this process is out of descriptors or memory.
 *
 * @param onNew - Told at once of each process that was forked meanwhile, with its marks.
 */
export const readProcessTable = (
  marks: MarkCache,
  onNew: (one: ProcessStat, marks: readonly string[]) => void = () => undefined,
): ProcessTable => {
  const lastBefore = lastPid()
  const processes = new Map<number, ProcessStat>()
  for (const pid of allPids()) {
    const one = readStat(pid)
    if (one !== undefined) processes.set(pid, one)
  }
  const { isComplete, newestPid } = follow(lastBefore, (pid) => {
    const one = readStat(pid)
    if (one?.isLiving !== true || isThread(pid)) return
    processes.set(pid, one)
    onNew(one, marks.marksOf(one))
  })
  const table = indexProcesses([...processes.values()], (one) => marks.marksOf(one), process.pid)
  marks.prune()
  return { ...table, isBlurred: !isComplete, newestPid }
}

/** Visit every pid given after `last`, until no more is. Not complete when that did not come true in time, or pids began anew. */
const follow = (last: number, visit: (pid: number) => void): { isComplete: boolean; newestPid: number } => {
  const endMs = performance.now() + followMs
  for (let visited = last; ;) {
    const newestPid = lastPid()
    if (newestPid === visited) return { isComplete: true, newestPid }
    if (newestPid < visited || performance.now() > endMs) return { isComplete: false, newestPid }
    while (visited < newestPid) visit(++visited)
  }
}

/** Index processes. `ownPid` and its ancestors become untouchable. */
export const indexProcesses = (
  processes: readonly ProcessStat[],
  marksOf: (one: ProcessStat) => readonly string[],
  ownPid: number,
): Omit<ProcessTable, 'isBlurred' | 'newestPid'> => {
  const byPid = new Map<number, ProcessStat>()
  const byParent = new Map<number, ProcessStat[]>()
  const bySession = new Map<number, ProcessStat[]>()
  const byToken = new Map<string, ProcessStat[]>()
  const marks = new Map<number, readonly string[]>()
  for (const one of processes) {
    byPid.set(one.pid, one)
    if (!one.isLiving) continue
    push(byParent, one.parentPid, one)
    push(bySession, one.session, one)
    const own = marksOf(one)
    if (own.length > 0) marks.set(one.pid, own)
    for (const token of own) push(byToken, token, one)
  }
  return { byPid, byParent, bySession, byToken, marks, untouchable: ancestorsOf(ownPid, byPid) }
}

const push = <K>(index: Map<K, ProcessStat[]>, key: K, one: ProcessStat): void => {
  const list = index.get(key)
  if (list === undefined) index.set(key, [one])
  else list.push(one)
}

const ancestorsOf = (pid: number, byPid: ReadonlyMap<number, ProcessStat>): ReadonlySet<number> => {
  const pids = new Set([0, 1])
  for (let at: number | undefined = pid; at !== undefined && !pids.has(at); at = byPid.get(at)?.parentPid) pids.add(at)
  return pids
}

/** The pid given last on this machine, to a process or a thread. It stands at the end of `/proc/loadavg`. */
export const lastPid = (): number => Number(readFileSync('/proc/loadavg', 'utf8').trim().split(' ').at(-1))
