/** A supervisor in the background, from the beginning of its process to the end: `sysg __supervise`, no command for people. */
import { exitCodeOf, exitCodes } from '../exit-codes.ts'
import { isCoded } from '../failures.ts'
import { runDaemon } from './run-daemon.ts'

/** Supervise, or rehearse that, and end the process. */
export const main = async ([how]: readonly string[]): Promise<void> => {
  const code = await runDaemon(how).catch(failed)
  // A plugin may have left something open; nothing of the system is.
  process.exit(code)
}

const failed = async (thrown: unknown): Promise<number> => {
  const [{ printThrown }, { createTerminal }] = await Promise.all([
    import('../terminal/print-error.ts'),
    import('../terminal/terminal.ts'),
  ])
  printThrown(createTerminal({ color: false }), thrown, { stack: false })
  return isCoded(thrown) ? exitCodeOf(thrown.code) : exitCodes.failed
}
