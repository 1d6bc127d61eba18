/** What a holder keeps open, as it tells the supervisor that it starts: which descriptor is what. */
import { fstatSync, readFileSync } from 'node:fs'

/** A listening socket. */
export interface HeldSocket {
  readonly kind: 'socket'
  /** Its address. */
  readonly label: string
  readonly fd: number
  readonly backlog: number
  /** Of the file of a unix socket that was bound by a supervisor: only that one is removed at the end. */
  readonly inode?: number
}

/** The pipe of one stream of one replica. */
export interface HeldPipe {
  readonly kind: 'fifo'
  /** Its path. */
  readonly label: string
  readonly fd: number
}

export type HeldEntry = HeldSocket | HeldPipe

/** Keeps descriptors open beyond this process. */
export interface Keeper {
  /** Keep this one. Returns how to let go of it. */
  keep(entry: HeldEntry): () => void
  /**
   * Resolves when those of these descriptors that are kept stay open also if this process dies, as far as that is possible.
   * To be waited for before a program gets them: it may end before there is anybody who could open them again.
   */
  secured(fds: readonly number[]): Promise<void>
  /** Resolves when what was let go of is closed for good. */
  settled(): Promise<void>
}

/** For hosts whose sockets and pipes end with them. */
export const keepsNothing: Keeper = {
  keep: () => () => undefined,
  secured: () => Promise.resolve(),
  settled: () => Promise.resolve(),
}

/** The living holder, as commands find it. */
export interface HolderRecord {
  readonly pid: number
  readonly startTime: number
  /** Where it waits for `go`, when it does. */
  readonly door: string
}

/** In the run folder. */
export const holderRecordName = 'holder.json'

/** Variables between a holder and the supervisor that it starts. */
export const holderVariables = {
  /** The folder of the project: holders are found by it. */
  mark: 'SYSG_HOLDER',
  /** Path of the list of what is open. */
  list: 'SYSG_HELD',
  /** How often a supervisor has come back in a row without having lived for long. */
  tries: 'SYSG_RESPAWNS',
} as const

/** What this process got from a holder. */
export interface Inheritance {
  readonly entries: readonly HeldEntry[]
  readonly tries: number
}

/** Read what the environment says, and take it out: nothing that is started from here on is to believe it. */
export const takeInheritance = (env: NodeJS.ProcessEnv): Inheritance | undefined => {
  const path = env[holderVariables.list]
  const tries = Number(env[holderVariables.tries] ?? 0)
  for (const name of Object.values(holderVariables)) Reflect.deleteProperty(env, name)
  if (path === undefined) return undefined
  return { entries: readList(path).filter(isOpen), tries: Number.isSafeInteger(tries) ? tries : 0 }
}

/** The list in a file; empty when there is none. */
export const readList = (path: string): readonly HeldEntry[] => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as readonly HeldEntry[]
  } catch {
    return []
  }
}

/** The socket or the pipe behind a descriptor: the same for every descriptor of it. */
export const openedBy = (fd: number): string => {
  const { dev, ino } = fstatSync(fd)
  return `${dev}:${ino}`
}

const isOpen = ({ kind, fd }: HeldEntry): boolean => {
  try {
    const stats = fstatSync(fd)
    return kind === 'socket' ? stats.isSocket() : stats.isFIFO()
  } catch {
    return false
  }
}
