/** CPU time that processes have taken, with what the kernel has done for them. */
import { readFileSync } from 'node:fs'

const ticksPerSecond = 100

/** Together, of processes that live. */
export const cpuSeconds = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + ofProcess(pid), 0)

const ofProcess = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
