/** Which living processes belong to a tree: found as on Linux, with what can be seen of them. */
import type { TreeRef } from '../host.ts'
import type { SimulatedProcess } from './process.ts'
import type { ProcessTable } from './process-table.ts'

/** One supervisor's memory of which processes it has seen in which trees. It makes membership stick. */
export class Sightings {
  readonly #byTree = new Map<string, WeakSet<SimulatedProcess>>()

  of(tree: TreeRef): WeakSet<SimulatedProcess> {
    const key = `${tree.bootId}/${tree.pid}/${tree.startTime}/${tree.token}`
    const seen = this.#byTree.get(key) ?? new WeakSet()
    this.#byTree.set(key, seen)
    return seen
  }

  forget(tree: TreeRef): void {
    this.#byTree.delete(`${tree.bootId}/${tree.pid}/${tree.startTime}/${tree.token}`)
  }
}

/**
 * The living members of a tree, its root first: by group and session, by token, by having been seen in it, and every
 * child of one and whoever is in a session that one leads. A process that left all of these before it was seen is not found.
 */
export const membersOf = (
  table: ProcessTable,
  tree: TreeRef,
  seen: WeakSet<SimulatedProcess>,
): readonly SimulatedProcess[] => {
  const isKnownByToken = tree.pid === 0 && tree.bootId === ''
  if (tree.bootId !== table.bootId && !isKnownByToken) return []
  const members = new Set<SimulatedProcess>()
  for (const process of table.living()) {
    const isMember =
      (process.leader.pid === tree.pid && process.leader.startTime === tree.startTime) ||
      (tree.token !== '' && process.token === tree.token) ||
      seen.has(process) ||
      members.has(process.leader) ||
      (process.parent !== undefined && members.has(process.parent))
    if (!isMember) continue
    members.add(process)
    seen.add(process)
  }
  return rootFirst([...members], tree)
}

/** Others can be older than the root: those of a service whose token a later run was given again. */
const rootFirst = (members: readonly SimulatedProcess[], tree: TreeRef): readonly SimulatedProcess[] => {
  const isRoot = ({ pid, startTime }: SimulatedProcess) => pid === tree.pid && startTime === tree.startTime
  return [...members.filter(isRoot), ...members.filter((process) => !isRoot(process))]
}
