/** What people see of a process: its command line, memory and CPU time. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { ProcessInfo } from '@systemg/core'
import { units } from './kernel.ts'
import type { ProcessStat } from './process-stat.ts'

/** Longer command lines are cut. */
const commandBytes = 4096
const buffer = Buffer.alloc(commandBytes)

/** @param keepsExit - Whether a process with these arguments stands above a program only to keep its exit. Default: none does. */
export const processInfo = (
  stat: ProcessStat,
  keepsExit: (argv: readonly string[]) => boolean = () => false,
): ProcessInfo => {
  const argv = argumentsOf(stat.pid)
  return {
    pid: stat.pid,
    startTime: stat.startTime,
    parentPid: stat.parentPid,
    command: argv?.join(' ') ?? `[${stat.name}]`,
    memoryBytes: stat.residentPages * units().pageBytes,
    cpuMs: stat.cpuTicks * units().tickMs,
    uninterruptible: stat.uninterruptible,
    ...(argv !== undefined && keepsExit(argv) ? { keepsExit: true } : {}),
  }
}

/** Arguments joined by spaces; `undefined` when the process has none or is gone. */
export const commandLine = (pid: number): string | undefined => argumentsOf(pid)?.join(' ')

const argumentsOf = (pid: number): readonly string[] | undefined => {
  const text = readStart(`/proc/${pid}/cmdline`).replace(/\0+$/, '')
  return text === '' ? undefined : text.split('\0')
}

const readStart = (path: string): string => {
  try {
    const fd = openSync(path, 'r')
    try {
      return buffer.toString('utf8', 0, readSync(fd, buffer, 0, commandBytes, null))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}
