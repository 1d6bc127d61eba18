/**
 * SIGKILL for a whole tree, also for one whose members fork faster than anybody can look.
 *
 * Everybody is stopped first (SIGSTOP), again and again until nobody new is found: who is stopped forks no more, and its
 * children still say whose they are. Then all are killed. Where the tree has a cgroup, the kernel does it at once.
 * That it has begun is written down: who is stopped must not stay so when this process dies on the way.
 */
import type { TreeRef } from '@systemg/core'
import type { Cgroups } from './cgroups.ts'
import { lastPid } from './process-table.ts'
import type { ProcessTrees, TreeLook } from './process-trees.ts'
import { signalMembers } from './signal-tree.ts'
import type { UnfinishedKills } from './unfinished-kills.ts'

export interface KillTools {
  readonly trees: ProcessTrees
  readonly cgroups?: Cgroups | undefined
  /** Default: nobody is told that a kill was cut off. */
  readonly unfinished?: UnfinishedKills | undefined
}

/** Stops in a row; whoever is left is met by the next SIGKILL. */
const mostRounds = 20

/** @returns How many processes got the signal. */
export const killMembers = async (tree: TreeRef, { trees, cgroups, unfinished }: KillTools): Promise<number> => {
  const finish = unfinished?.begin(tree)
  const resume = trees.halt(tree)
  try {
    const look = await untilNobodyNew(tree, trees)
    const reached = signalMembers(tree, look, 'SIGKILL')
    // A group that this process is in itself, by whatever way, is not killed as one.
    const isApart = cgroups?.pidsOf(tree).every((pid) => !look.table.untouchable.has(pid))
    if (isApart === true && look.members.length > 0) cgroups?.kill(tree)
    finish?.()
    return reached
  } finally {
    resume()
  }
}

const untilNobodyNew = async (tree: TreeRef, trees: ProcessTrees): Promise<TreeLook> => {
  const stopped = new Set<string>()
  for (let round = 1; ; round++) {
    const look = await trees.look(tree)
    const found = look.members.map(({ pid, startTime }) => `${pid}/${startTime}`)
    if (round === mostRounds || found.every((one) => stopped.has(one))) return look
    signalMembers(tree, look, 'SIGSTOP')
    // Nothing was forked on this machine meanwhile.
    if (!look.table.isBlurred && lastPid() === look.table.newestPid) return look
    for (const one of found) stopped.add(one)
  }
}
