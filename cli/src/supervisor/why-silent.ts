/** Why a supervisor that has the project does not answer, as far as the kernel shows it to others. Loaded when that happens. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { holderRecordName, type HolderRecord } from '../host/held.ts'
import { readStat } from '../host/process-stat.ts'
import type { ProjectPaths } from '../project/state-root.ts'

export interface Silence {
  readonly pid: number
  /** In words, with what helps; missing when nothing is to be seen. */
  readonly why?: string
  readonly remedy?: string
}

type Cause = Required<Omit<Silence, 'pid'>>

/** `undefined` when it is not known which process it is. */
export const whySilent = (paths: ProjectPaths): Silence | undefined => {
  try {
    const pid = supervisorOf(paths)
    if (pid === undefined) return undefined
    return { pid, ...(frozen(pid) ?? outOfDescriptors(pid)) }
  } catch {
    return undefined
  }
}

/** It is the parent of its holder. */
const supervisorOf = ({ folder }: ProjectPaths): number | undefined => {
  const record = JSON.parse(readFileSync(join(folder, 'run', holderRecordName), 'utf8')) as HolderRecord
  const holder = readStat(record.pid)
  if (holder?.isLiving !== true || holder.startTime !== record.startTime || holder.parentPid <= 1) return undefined
  return holder.parentPid
}

const frozen = (pid: number): Cause | undefined => {
  const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (state === 'T') return { why: 'it was stopped (SIGSTOP)', remedy: `\`kill -CONT ${pid}\` lets it go on.` }
  if (state === 'D')
    return { why: 'it waits for the kernel, probably for a disk', remedy: 'It goes on when that answers.' }
  return undefined
}

/** Somebody lowered its limit below what it has open: it can accept nobody. */
const outOfDescriptors = (pid: number): Cause | undefined => {
  const open = readdirSync(`/proc/${pid}/fd`).length
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1])
  if (!(open >= limit)) return undefined
  return {
    why: `it has ${open} file descriptors open and may have ${limit}`,
    remedy: `\`prlimit --pid ${pid} --nofile=${Math.max(1024, 4 * open)}\` gives it more; it goes on by itself.`,
  }
}
