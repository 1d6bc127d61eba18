/**
 * What trees use: as the kernel counts it for their cgroups, where they have some, and else as one look at `/proc` shows
 * it. A group costs a few small files, however many processes the machine has; what no controller counts there is added
 * up of its processes.
 */
import { readFileSync } from 'node:fs'
import type { TreeRef, TreeUsage } from '@systemg/core'
import type { Cgroups, GroupAccount } from './cgroups.ts'
import { units } from './kernel.ts'
import { readStat, type ProcessStat } from './process-stat.ts'
import type { ProcessTrees } from './process-trees.ts'

export const usageOfTrees = (
  all: readonly TreeRef[],
  trees: Pick<ProcessTrees, 'look'>,
  cgroups: Pick<Cgroups, 'account'>,
): Promise<readonly (TreeUsage | undefined)[]> =>
  // Whoever asks for a look in the same turn shares it.
  Promise.all(
    all.map(async (tree) => {
      const account = cgroups.account(tree)
      return account === undefined ? usageOf((await trees.look(tree)).members) : usageIn(account)
    }),
  )

/** What processes use together. */
export const usageOf = (members: readonly ProcessStat[]): TreeUsage | undefined =>
  members.length === 0
    ? undefined
    : {
        cpuMs: cpuOf(members),
        memoryBytes: sum(members, ({ residentPages }) => residentPages) * units().pageBytes,
        processes: members.length,
      }

const usageIn = ({ pids, cpuMs, memoryBytes }: GroupAccount): TreeUsage => ({
  cpuMs: cpuMs ?? cpuOf(pids.flatMap((pid) => readStat(pid) ?? [])),
  memoryBytes: memoryBytes ?? sum(pids, residentPages) * units().pageBytes,
  processes: pids.length,
})

const cpuOf = (members: readonly ProcessStat[]): number =>
  sum(members, ({ cpuTicks, childTicks }) => cpuTicks + childTicks) * units().tickMs

/** The second number of `statm`; 0 when the process has ended. */
const residentPages = (pid: number): number => {
  try {
    const text = readFileSync(`/proc/${pid}/statm`, 'latin1')
    return Number.parseInt(text.slice(text.indexOf(' ')), 10)
  } catch {
    return 0
  }
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0)
