/**
 * Processes that carry the mark of a project's service and belong to no instance that is recorded: their state was removed,
 * or an older systemg lost sight of them.
 */
import type { ProcessRef, TreeRef } from '@systemg/core'
import { Failure } from '../failures.ts'
import { commandMark, instanceMark, readEnvironment, readMarks } from '../host/process-environment.ts'
import { commandLine } from '../host/process-info.ts'
import { allPids, readStat } from '../host/process-stat.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { recordedTokens } from '../unsupervised/recorded-services.ts'

export interface StrayProcess extends ProcessRef {
  /** Of its service; null when it does not say. */
  readonly service: string | null
  readonly command: string
}

/** @param isSupervised - A supervisor runs: then commands of its plugins (probes, hooks) are no strays. */
export const strayProcesses = (paths: ProjectPaths, isSupervised: boolean): readonly StrayProcess[] => {
  const ancestors = ownAncestors()
  const marked = allPids().flatMap((pid) => {
    if (ancestors.has(pid)) return []
    const mark = markOf(pid, paths)
    return mark === undefined ? [] : [mark]
  })
  if (marked.length === 0) return []
  // Read behind the processes: an instance is recorded before it runs.
  const tokens = recordedTokens(paths)
  return marked
    .filter(({ token, isCommand }) => !tokens.has(token) && !(isCommand && isSupervised))
    .map(({ pid, startTime, service }) => ({ pid, startTime, service, command: commandLine(pid) ?? '' }))
}

/** Of services that run and are not recorded a start would make second copies, and a stop would leave them. @throws {Failure} `SYSG_STATE_LOST`. */
export const requireNoStrays = (paths: ProjectPaths): void => {
  const pids = strayProcesses(paths, true).map(({ pid }) => pid)
  if (pids.length > 0) throw new Failure('SYSG_STATE_LOST', { folder: paths.folder, pids })
}

/** The process as the root of a tree, so that what it starts meanwhile ends with it. */
export const treeOfStray = ({ pid, startTime }: ProcessRef, bootId: string): TreeRef => ({
  pid,
  startTime,
  bootId,
  token: '',
})

interface Mark extends ProcessRef {
  readonly token: string
  readonly service: string | null
  readonly isCommand: boolean
}

const markOf = (pid: number, { socket }: ProjectPaths): Mark | undefined => {
  const stat = readStat(pid)
  if (stat?.isLiving !== true || readMarks(pid, ['SYSG_SOCKET'])[0] !== socket) return undefined
  const env = readEnvironment(pid)
  const token = env[instanceMark]
  if (token === undefined || token === '') return undefined
  const { startTime } = stat
  return { pid, startTime, token, service: env['SYSG_SERVICE'] ?? null, isCommand: env[commandMark] !== undefined }
}

/** Whoever runs `sysg` from inside of a service is left alone. */
const ownAncestors = (): ReadonlySet<number> => {
  const pids = new Set<number>()
  for (
    let at: number | undefined = process.pid;
    at !== undefined && at > 0 && !pids.has(at);
    at = readStat(at)?.parentPid
  ) {
    pids.add(at)
  }
  return pids
}
