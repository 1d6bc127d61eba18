/**
 * Which processes belong to a tree: a pure search in a table of processes.
 *
 * - the root itself, if pid and start time agree, and it does not carry the mark of another tree;
 * - its session, which it leads: also processes whose parents have ended;
 * - whoever carries the token: those that have left the session, too;
 * - whoever was seen in the tree before, even if it has since cleared its environment;
 * - whoever is in its cgroup, where it has one;
 * - all children of these, and the sessions they lead.
 */
import type { TreeRef } from '@systemg/core'
import type { ProcessStat } from './process-stat.ts'
import type { ProcessTable } from './process-table.ts'

/** A tree, and what is known of it from earlier looks. */
export interface KnownTree {
  readonly tree: TreeRef
  /** Pid and start time of the members of the last look. */
  seen: ReadonlyMap<number, number>
  /**
   * The session numbered like the root is the tree's. The kernel gives a pid to nobody else while a session has its
   * number, so this holds from the moment the root was seen until the session was seen empty.
   */
  ownsSession: boolean
}

/** The living members, the root first, then in order of their start. Updates what is known. */
export const findMembers = (
  known: KnownTree,
  table: ProcessTable,
  grouped: readonly ProcessStat[] = [],
): readonly ProcessStat[] => {
  const { tree } = known
  const found = new Map<number, ProcessStat>()
  const pending: ProcessStat[] = []
  const add = (processes: readonly ProcessStat[] | undefined): void => {
    for (const one of processes ?? []) {
      if (!one.isLiving || found.has(one.pid) || table.untouchable.has(one.pid)) continue
      found.set(one.pid, one)
      pending.push(one)
    }
  }

  const marked = tree.token === '' ? [] : (table.byToken.get(tree.token) ?? [])
  const root = table.byPid.get(tree.pid)
  const marks = table.marks.get(tree.pid) ?? []
  const isAnothers = tree.token !== '' && marks.length > 0 && !marks.includes(tree.token)
  const isRoot = root?.startTime === tree.startTime && !isAnothers
  known.ownsSession = root === undefined ? known.ownsSession || marked.some(inSession(tree.pid)) : isRoot
  if (root !== undefined && isRoot) add([root])
  if (known.ownsSession) add(table.bySession.get(tree.pid)?.filter(({ startTime }) => startTime >= tree.startTime))
  add(marked)
  add(grouped)
  for (const [pid, startTime] of known.seen) {
    const one = table.byPid.get(pid)
    if (one?.startTime === startTime) add([one])
  }
  for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
    add(table.byParent.get(one.pid))
    if (one.session === one.pid) add(table.bySession.get(one.pid))
  }

  known.seen = new Map([...found.values()].map(({ pid, startTime }) => [pid, startTime]))
  return [...found.values()].sort((a, b) => rank(a, tree) - rank(b, tree) || a.startTime - b.startTime || a.pid - b.pid)
}

const inSession = (session: number) => (one: ProcessStat) => one.session === session

const rank = (one: ProcessStat, tree: TreeRef): number => (one.pid === tree.pid ? 0 : 1)
