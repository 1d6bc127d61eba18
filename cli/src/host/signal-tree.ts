/**
 * Sends a signal to the members of a tree.
 *
 * Each member gets it once, right after its pid and start time were compared again. The root's process group is
 * signalled as one, so that a process forked at that moment gets it as well; all others one by one.
 */
import type { ProcessRef, Signal, TreeRef } from '@systemg/core'
import { errnoOf } from './host-error.ts'
import { readStat } from './process-stat.ts'
import type { TreeLook } from './process-trees.ts'

/** @returns How many processes got the signal. Those that may not be signalled (`EPERM`) are left out. */
export const signalMembers = (tree: TreeRef, { members, table }: TreeLook, signal: Signal): number => {
  const pids = new Set(members.map(({ pid }) => pid))
  // In a container, processes from outside of it seem to have the group 0.
  const group = tree.pid > 1 ? members.filter((one) => one.group === tree.pid) : []
  // A group holds processes of one session only; a stranger in it means that this is not the tree's group.
  const strangers = (table.bySession.get(group[0]?.session ?? -1) ?? []).some(
    (one) => one.group === tree.pid && !pids.has(one.pid),
  )
  const together = strangers ? [] : group.filter(isUnchanged)
  const wasGroup = together.length > 0 && send(-tree.pid, signal)
  const alone = wasGroup ? members.filter((one) => one.group !== tree.pid) : members
  const reached = alone.filter((one) => isUnchanged(one) && send(one.pid, signal))
  return reached.length + (wasGroup ? together.length : 0)
}

const isUnchanged = ({ pid, startTime }: ProcessRef): boolean => {
  try {
    const stat = readStat(pid)
    return stat?.isLiving === true && stat.startTime === startTime
  } catch {
    // Not known for certain, so not signalled.
    return false
  }
}

const send = (pid: number, signal: Signal): boolean => {
  try {
    return process.kill(pid, signal)
  } catch (thrown) {
    if (['ESRCH', 'EPERM'].includes(errnoOf(thrown))) return false
    throw thrown
  }
}
