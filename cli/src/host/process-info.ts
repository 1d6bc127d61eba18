/** What people see of a process: its command line, memory and CPU time. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { ProcessInfo } from '@systemg/core'
import { units } from './kernel.ts'
import type { ProcessStat } from './process-stat.ts'

/** Longer command lines are cut. */
const commandBytes = 4096
const buffer = Buffer.alloc(commandBytes)

export const processInfo = (stat: ProcessStat): ProcessInfo => ({
  pid: stat.pid,
  startTime: stat.startTime,
  parentPid: stat.parentPid,
  command: commandLine(stat.pid) ?? `[${stat.name}]`,
  memoryBytes: stat.residentPages * units().pageBytes,
  cpuMs: stat.cpuTicks * units().tickMs,
  uninterruptible: stat.uninterruptible,
})

/** Arguments joined by spaces; `undefined` when the process has none or is gone. */
export const commandLine = (pid: number): string | undefined => {
  const text = readStart(`/proc/${pid}/cmdline`).replace(/\0+$/, '').replaceAll('\0', ' ')
  return text === '' ? undefined : text
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
