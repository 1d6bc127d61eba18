/**
 * Which processes there are, and one of them as `/proc/<pid>/stat` shows it.
 *
 * @see proc_pid_stat(5)
 */
import { readdirSync, readFileSync } from 'node:fs'
import { errnoOf } from './host-error.ts'

export interface ProcessStat {
  readonly pid: number
  /** The kernel's name of the program: at most 15 bytes, any bytes. */
  readonly name: string
  readonly parentPid: number
  readonly group: number
  readonly session: number
  /** Clock ticks between boot and its start. */
  readonly startTime: number
  /** It runs code or could: neither a zombie nor dead. */
  readonly isLiving: boolean
  readonly uninterruptible: boolean
  readonly cpuTicks: number
  /** Of children that it has waited for, and of those that these had waited for. */
  readonly childTicks: number
  readonly residentPages: number
  /** Differs after an `exec`; 0 where the kernel hides it. */
  readonly image: number
}

/** Read one process. `undefined` when there is none; throws when it could not be read for another reason (`EMFILE`). */
export const readStat = (pid: number): ProcessStat | undefined => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(thrown))) return undefined
    throw thrown
  }
}

/** Whether a number is that of a thread other than the first of its process. True also when there is no such thing any more. */
export const isThread = (pid: number): boolean => {
  try {
    return Number(/^Tgid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) !== pid
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(thrown))) return true
    throw thrown
  }
}

/** Every process of the machine. Throws when `/proc` can't be read (`EMFILE`). */
export const allPids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => name.charCodeAt(0) <= 57 && /^\d+$/.test(name))
    .map(Number)

/** Parse the text of a `stat` file. The name may hold spaces, parentheses and line ends. */
export const parseStat = (text: string): ProcessStat => {
  const nameStart = text.indexOf('(')
  const nameEnd = text.lastIndexOf(')')
  const fields = text.slice(nameEnd + 2).split(' ')
  const field = (number: number): string => fields[number - 3] ?? '0'
  const state = field(3)
  const threads = Number(field(20))
  return {
    pid: Number(text.slice(0, nameStart - 1)),
    name: text.slice(nameStart + 1, nameEnd),
    parentPid: Number(field(4)),
    group: Number(field(5)),
    session: Number(field(6)),
    startTime: Number(field(22)),
    // A program whose first thread has ended shows as zombie while its other threads go on.
    isLiving: state === 'Z' ? threads > 1 : state !== 'X' && state !== 'x',
    uninterruptible: state === 'D',
    cpuTicks: Number(field(14)) + Number(field(15)),
    childTicks: Number(field(16)) + Number(field(17)),
    residentPages: Number(field(24)),
    // Random addresses of the stack, the arguments and the environment, as one number: it is kept for every process.
    image: Number(field(28)) + 3 * Number(field(48)) + 5 * Number(field(50)) + 7 * Number(field(51)),
  }
}
