/** Finds the marks that the processes of a tree carry in their environment. */
import { readFileSync } from 'node:fs'
import { errnoOf } from './host-error.ts'
import type { ProcessStat } from './process-stat.ts'

/** Set by the core for every process of an instance. */
export const instanceMark = 'SYSG_TOKEN'
/** Set by `run`, whose commands may carry the mark of an instance as well without being part of it. */
export const commandMark = 'SYSG_RUN'

/**
 * The marks of processes, each environment read once.
 *
 * A process can change its environment's first copy only by `exec`, and that changes `image`. So both answers may be
 * kept as long as pid, start time and image stay the same.
 */
export class MarkCache {
  #known = new Map<number, Entry>()
  #next = new Map<number, Entry>()

  /** Values of the marks in the environment of a process; none when it may not be read. */
  marksOf(process: ProcessStat): readonly string[] {
    const { pid, startTime, image } = process
    const known = this.#known.get(pid)
    const isKnown = known?.startTime === startTime && known.image === image
    const entry = isKnown ? known : { startTime, image, marks: readMarks(pid, [instanceMark, commandMark]) }
    this.#next.set(pid, entry)
    return entry.marks
  }

  /** Forget every process that was not asked about since the last call. */
  prune(): void {
    this.#known = this.#next
    this.#next = new Map()
  }
}

/** Read values out of a process's environment now. Throws when this process is out of descriptors or memory. */
export const readMarks = (pid: number, names: readonly string[]): readonly string[] => {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`)
    const values = names.flatMap((name) => findVariable(environment, name) ?? []).filter((value) => value !== '')
    return values.length === 0 ? none : values
  } catch (thrown) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EIO'].includes(errnoOf(thrown))) return none
    throw thrown
  }
}

/** What a process was started with; nothing of what it has written over, and nothing when it may not be read. */
export const readEnvironment = (pid: number): Record<string, string> => {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
    return Object.fromEntries(
      pairs.flatMap((pair) => (/^[^=\0]+=/.test(pair) ? [splitAt(pair, pair.indexOf('='))] : [])),
    )
  } catch {
    return {}
  }
}

const splitAt = (pair: string, at: number): [string, string] => [pair.slice(0, at), pair.slice(at + 1)]

/** Search an environment: `name=value` pairs, each ended by a zero byte. */
export const findVariable = (environment: Buffer, name: string): string | undefined => {
  const start = `${name}=`
  for (let at = environment.indexOf(start); at !== -1; at = environment.indexOf(start, at + 1)) {
    if (at !== 0 && environment[at - 1] !== 0) continue
    const end = environment.indexOf(0, at)
    return environment.toString('latin1', at + start.length, end === -1 ? environment.length : end)
  }
  return undefined
}

interface Entry {
  readonly startTime: number
  readonly image: number
  readonly marks: readonly string[]
}

/** Shared by nearly all processes of the machine. */
const none: readonly string[] = []
