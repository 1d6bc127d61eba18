/**
 * Answers who lives in which tree, with one look at `/proc` for everybody who asks in the same turn of the event loop.
 *
 * Who is in the cgroup of a tree is in the tree, too. It looks when it is asked, when somebody waits for a tree's end (often at first, then every 100 ms), and twice
 * shortly after a start, so that processes which later leave their tree have been seen in it. Else it is idle.
 */
import type { Trace, TreeRef } from '@systemg/core'
import { whyOf } from '@systemg/core'
import { Cgroups } from './cgroups.ts'
import { bootId } from './kernel.ts'
import { MarkCache } from './process-environment.ts'
import { readStat, type ProcessStat } from './process-stat.ts'
import { readProcessTable, type ProcessTable } from './process-table.ts'
import { findMembers, type KnownTree } from './tree-members.ts'

/** What one look found in a tree. */
export interface TreeLook {
  readonly members: readonly ProcessStat[]
  readonly table: ProcessTable
}

const firstPollMs = 5
const longestPollMs = 100
/** After a failed look, usually for want of descriptors. */
const retryMs = 100
/** How long after a start to look (up to twice as long: starts share looks), for children that leave the tree later. */
const recordAfterMs = [200, 1000] as const
/** Looks in a row at a tree that seems empty while processes are being forked. */
const mostLooks = 3

interface Request {
  readonly known: KnownTree
  readonly settle: (look: TreeLook) => void
}

export class ProcessTrees {
  /** How often `/proc` has been read. */
  lookCount = 0

  readonly #trace: Trace
  readonly #afterLook: (table: ProcessTable) => void
  readonly #cgroups: Cgroups
  readonly #marks = new MarkCache()
  /** Trees in which nobody new may go on, by token: how many want that. */
  readonly #halting = new Map<string, number>()
  readonly #known = new Map<string, KnownTree>()
  readonly #waiting = new Set<Request>()
  #requests: Request[] = []
  #turn: NodeJS.Immediate | undefined
  #poll: NodeJS.Timeout | undefined
  #pollMs = firstPollMs
  #isFailing = false
  /** By the moment they fire, so that many starts share a few. */
  readonly #recording = new Map<number, NodeJS.Timeout>()

  /** @param afterLook - Told of every look, for those who wait for single processes. */
  constructor(
    trace: Trace,
    afterLook: (table: ProcessTable) => void = () => undefined,
    cgroups = new Cgroups(undefined),
  ) {
    this.#trace = trace
    this.#afterLook = afterLook
    this.#cgroups = cgroups
  }

  /** Remember a tree whose root has just been seen alive: its session is its own. */
  track(tree: TreeRef): void {
    this.#knownOf(tree).ownsSession = true
    for (const delayMs of recordAfterMs) this.#recordAfter(delayMs)
  }

  /** Look at one tree now. */
  look(tree: TreeRef): Promise<TreeLook> {
    const { promise, resolve } = Promise.withResolvers<TreeLook>()
    this.#requests.push({ known: this.#knownOf(tree), settle: resolve })
    this.#lookSoon()
    return promise
  }

  /** From here on whoever is forked in the tree during a look is stopped (SIGSTOP) when it is seen. Returns how to end that. */
  halt({ token }: TreeRef): () => void {
    this.#halting.set(token, (this.#halting.get(token) ?? 0) + 1)
    return () => {
      const others = (this.#halting.get(token) ?? 1) - 1
      if (others > 0) this.#halting.set(token, others)
      else this.#halting.delete(token)
    }
  }

  /** Resolves when nobody lives in the tree. Rejects with the signal's reason. */
  gone(tree: TreeRef, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal.aborted) {
      reject(signal.reason as Error)
      return promise
    }
    const stop = (): void => {
      this.#waiting.delete(request)
      signal.removeEventListener('abort', onAbort)
    }
    const onAbort = (): void => {
      stop()
      reject(signal.reason as Error)
    }
    const settle = ({ members }: TreeLook): void => {
      if (members.length > 0) return
      stop()
      resolve()
    }
    const request = { known: this.#knownOf(tree), settle }
    signal.addEventListener('abort', onAbort)
    this.#waiting.add(request)
    this.nudge()
    return promise
  }

  /** Something has ended or was signalled: whoever waits for an end wants a look now. */
  nudge(): void {
    this.#pollMs = firstPollMs
    if (this.#waiting.size > 0) this.#lookSoon()
  }

  dispose(): void {
    clearImmediate(this.#turn)
    clearTimeout(this.#poll)
    for (const timer of this.#recording.values()) clearTimeout(timer)
    this.#recording.clear()
    this.#requests = []
    this.#waiting.clear()
  }

  #knownOf(tree: TreeRef): KnownTree {
    const key = keyOf(tree)
    const known = this.#known.get(key) ?? { tree, seen: new Map<number, number>(), ownsSession: false }
    this.#known.set(key, known)
    return known
  }

  #lookSoon(): void {
    this.#turn ??= setImmediate(() => this.#look())
  }

  #look(): void {
    this.#turn = undefined
    clearTimeout(this.#poll)
    this.#poll = undefined
    try {
      this.#answer()
      if (this.#waiting.size > 0) this.#pollAfter(this.#pollMs)
      this.#pollMs = Math.min(this.#pollMs * 2, longestPollMs)
      this.#isFailing = false
    } catch (thrown) {
      if (!this.#isFailing) this.#trace('warn', `processes can't be listed, trying again: ${whyOf(thrown)}`)
      this.#isFailing = true
      this.#pollAfter(retryMs)
    }
  }

  #pollAfter(delayMs: number): void {
    this.#poll = setTimeout(() => this.#lookSoon(), delayMs)
  }

  #answer(): void {
    const asking = new Set([...this.#requests, ...this.#waiting].map(({ known }) => known))
    const { table, members } = this.#readUntilSure(asking)
    const requests = [...this.#requests, ...this.#waiting]
    this.#requests = []
    for (const [key, known] of this.#known) {
      const isBelieved = !table.isBlurred || asking.has(known)
      if (!isBelieved || membersIn(members, known).length > 0) continue
      this.#known.delete(key)
      if (asking.has(known)) this.#cgroups.remove(known.tree)
    }
    for (const { known, settle } of requests) settle({ table, members: membersIn(members, known) })
    this.#afterLook(table)
  }

  /** A process forked by one that ends meanwhile can be missed; so an empty tree is believed only when nothing was forked. */
  #readUntilSure(asking: ReadonlySet<KnownTree>): {
    table: ProcessTable
    members: ReadonlyMap<KnownTree, readonly ProcessStat[]>
  } {
    for (let looks = 1; ; looks++) {
      this.lookCount++
      const table = readProcessTable(this.#marks, this.#onNew)
      // Groups are read last, so that who has been forked meanwhile is in them.
      const grouped = (known: KnownTree) => (asking.has(known) ? this.#grouped(known.tree, table) : [])
      const members = new Map(
        [...this.#known.values(), ...asking].map((known) => [known, search(known, table, grouped(known))]),
      )
      const isSure = !table.isBlurred || ![...asking].some((known) => membersIn(members, known).length === 0)
      if (isSure || looks === mostLooks) return { table, members }
    }
  }

  readonly #onNew = ({ pid }: ProcessStat, marks: readonly string[]): void => {
    if (!marks.some((mark) => this.#halting.has(mark))) return
    try {
      process.kill(pid, 'SIGSTOP')
    } catch {
      // It has ended, or may not be signalled.
    }
  }

  #grouped(tree: TreeRef, { byPid }: ProcessTable): readonly ProcessStat[] {
    return this.#cgroups.pidsOf(tree).flatMap((pid) => byPid.get(pid) ?? readStat(pid) ?? [])
  }

  #recordAfter(delayMs: number): void {
    const nowMs = performance.now()
    const dueMs = (Math.floor(nowMs / delayMs) + 2) * delayMs
    if (this.#recording.has(dueMs)) return
    const record = (): void => {
      this.#recording.delete(dueMs)
      this.#lookSoon()
    }
    this.#recording.set(dueMs, setTimeout(record, dueMs - nowMs))
  }
}

const keyOf = ({ pid, startTime, token, bootId: boot }: TreeRef): string => `${pid}/${startTime}/${boot}/${token}`

const membersIn = (members: ReadonlyMap<KnownTree, readonly ProcessStat[]>, known: KnownTree): readonly ProcessStat[] =>
  members.get(known) ?? []

/** A tree of another boot is empty, and so is one that no process can be the root of. */
const search = (known: KnownTree, table: ProcessTable, grouped: readonly ProcessStat[]): readonly ProcessStat[] =>
  isOfThisBoot(known.tree) || isKnownByToken(known.tree) ? findMembers(known, table, grouped) : []

const isOfThisBoot = ({ bootId: boot, pid }: TreeRef): boolean => boot === bootId() && Number.isInteger(pid) && pid > 1

const isKnownByToken = ({ bootId: boot, pid, token }: TreeRef): boolean => boot === '' && pid === 0 && token !== ''
