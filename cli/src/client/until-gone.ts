/** Waits until a process has ended: the last thing a supervisor gives back is its lock. */
import { fs } from '../builtin.ts'

/** A supervisor that has let go of everything ends within milliseconds. */
const limitMs = 5_000

/** Resolves when the process is gone, or with `false` when it goes on; a zombie counts as gone, since PID 1 of a container may never reap it. */
export const untilGone = async (pid: number): Promise<boolean> => {
  for (const end = Date.now() + limitMs; isRunning(pid) && Date.now() < end;) await pause()
  return !isRunning(pid)
}

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5))

const isRunning = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}
