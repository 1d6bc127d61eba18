/** Errors as people see them: one line what, one line what to do; never a stack unless asked for. */
import { isCoded } from '../failures.ts'
import { machineFailure } from '../machine-failure.ts'
import { tellAbove } from './live-block.ts'
import type { Terminal } from './terminal.ts'

/** One coded error: `error: …`, then its hint and its code. */
export const printError = (
  terminal: Terminal,
  error: { message: string; hint?: string | null | undefined; code?: string },
): void => {
  const code = error.code === undefined ? '' : ` [${error.code}]`
  const what = `${terminal.paintErr(['bold', 'red'], 'error:')} ${error.message}${terminal.paintErr('dim', code)}\n`
  const isHinted = error.hint !== null && error.hint !== undefined
  tellAbove(terminal, isHinted ? `${what}${terminal.paintErr('cyan', ' hint:')} ${error.hint}\n` : what)
}

/** Something worth knowing that is no failure. */
export const printWarning = (terminal: Terminal, message: string): void => {
  tellAbove(terminal, `${terminal.paintErr(['bold', 'yellow'], 'warning:')} ${message}\n`)
}

/** Anything that was thrown. Without a code it is a mistake in systemg, and says so. */
export const printThrown = (terminal: Terminal, thrown: unknown, options: { stack: boolean }): void => {
  const known = isCoded(thrown) ? thrown : machineFailure(thrown)
  if (known !== undefined) printError(terminal, known)
  else {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    const hint = 'This is a bug in systemg, or a plugin. `--log-level debug` shows the stack; please report it.'
    printError(terminal, { message, hint, code: 'SYSG_INTERNAL' })
  }
  if (!options.stack) return
  // What a plugin threw is the cause of the error that names the plugin.
  for (let error = thrown; error instanceof Error; error = error.cause) terminal.err(`${error.stack ?? ''}\n`)
}
