/** How an operation on services ended, for people: everything goes to stderr. */
import type { Outcome } from '@systemg/core'
import { printError, printWarning } from './print-error.ts'
import type { Terminal } from './terminal.ts'
import { plain } from './text.ts'

/** Every problem with its hint and the last lines of output, then the warnings. Nothing when all went well. */
export const printOutcome = (
  terminal: Terminal,
  { problems, warnings }: Pick<Outcome, 'problems' | 'warnings'>,
): void => {
  for (const { message, hint, code, last_lines: lastLines } of problems) {
    printError(terminal, { message: plain(message), hint, code })
    for (const line of lastLines) terminal.err(`${terminal.paintErr('dim', '  │ ')}${plain(line)}`.trimEnd() + '\n')
  }
  for (const warning of warnings) printWarning(terminal, warning)
}
