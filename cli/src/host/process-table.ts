/** All processes of the machine at one moment, indexed for searching trees. */
import { readFileSync } from 'node:fs'
import type { MarkCache } from './process-environment.ts'
import { allPids, readStat, type ProcessStat } from './process-stat.ts'

export interface ProcessTable {
  readonly byPid: ReadonlyMap<number, ProcessStat>
  readonly byParent: ReadonlyMap<number, readonly ProcessStat[]>
  readonly bySession: ReadonlyMap<number, readonly ProcessStat[]>
  readonly byToken: ReadonlyMap<string, readonly ProcessStat[]>
  /** This process, its ancestors, and PID 1: never part of any tree. */
  readonly untouchable: ReadonlySet<number>
  /** Something was forked while the table was read, so a process may be missing from it. */
  readonly isBlurred: boolean
}

/** Read `/proc` once. Throws when this process is out of descriptors or memory. */
export const readProcessTable = (marks: MarkCache): ProcessTable => {
  const lastBefore = lastPid()
  const processes = allPids().flatMap((pid) => readStat(pid) ?? [])
  const table = indexProcesses(processes, (one) => marks.marksOf(one), process.pid)
  marks.prune()
  return { ...table, isBlurred: lastPid() !== lastBefore }
}

/** Index processes. `ownPid` and its ancestors become untouchable. */
export const indexProcesses = (
  processes: readonly ProcessStat[],
  marksOf: (one: ProcessStat) => readonly string[],
  ownPid: number,
): Omit<ProcessTable, 'isBlurred'> => {
  const byPid = new Map<number, ProcessStat>()
  const byParent = new Map<number, ProcessStat[]>()
  const bySession = new Map<number, ProcessStat[]>()
  const byToken = new Map<string, ProcessStat[]>()
  for (const one of processes) {
    byPid.set(one.pid, one)
    if (!one.isLiving) continue
    push(byParent, one.parentPid, one)
    push(bySession, one.session, one)
    for (const token of marksOf(one)) push(byToken, token, one)
  }
  return { byPid, byParent, bySession, byToken, untouchable: ancestorsOf(ownPid, byPid) }
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

/** The pid given last on this machine. It stands at the end of `/proc/loadavg`. */
const lastPid = (): string | undefined => readFileSync('/proc/loadavg', 'utf8').trim().split(' ').at(-1)
