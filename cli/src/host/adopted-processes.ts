/**
 * Processes that an earlier supervisor started. They are nobody's children here, so no event tells of their end: one
 * timer looks at all of them once a second, and every look at `/proc` that happens anyway is used, too.
 */
import type { Exit, ProcessRef, TreeRef } from '@systemg/core'
import { bootId } from './kernel.ts'
import { instanceMark, readMarks } from './process-environment.ts'
import { readStat, type ProcessStat } from './process-stat.ts'

const lookEveryMs = 1000

/** Nobody could see how it ended. */
const unknownExit: Exit = { code: null, signal: null, unknown: true }

export class AdoptedProcesses {
  readonly #ends = new Map<ProcessRef, (exit: Exit) => void>()
  readonly #onEnd: () => void
  #timer: NodeJS.Timeout | undefined

  /** @param onEnd - Called when any of them has ended. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  /** Settles within a second of the end of the process. */
  watch(process: ProcessRef): Promise<Exit> {
    const { promise, resolve } = Promise.withResolvers<Exit>()
    this.#ends.set(process, resolve)
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs)
    return promise
  }

  /** Use what somebody else has just read. */
  compare(statOf: (pid: number) => ProcessStat | undefined): void {
    for (const [process, end] of this.#ends) {
      if (isSame(process, statOf(process.pid))) continue
      this.#ends.delete(process)
      end(unknownExit)
      this.#onEnd()
    }
    if (this.#ends.size === 0) this.dispose()
  }

  dispose(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    try {
      this.compare(readStat)
    } catch {
      // Out of descriptors: nothing is known, the next look is in a second.
    }
  }
}

/**
 * Whether the process of a stored tree lives: same boot, pid and start time, no zombie, and not marked as another's.
 * A process without any mark passes: servers that write a title over their environment (nginx, PostgreSQL) lose it.
 */
export const isStillThere = (tree: TreeRef): boolean => {
  if (tree.bootId !== bootId() || !Number.isInteger(tree.pid) || tree.pid <= 1) return false
  if (!isSame(tree, readStat(tree.pid))) return false
  const [token] = readMarks(tree.pid, [instanceMark])
  return token === undefined || token === tree.token
}

const isSame = (process: ProcessRef, stat: ProcessStat | undefined): boolean =>
  stat?.isLiving === true && stat.startTime === process.startTime
