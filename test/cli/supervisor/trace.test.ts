/** What the supervisor says of itself, where progress is drawn on the same terminal. */
import { describe, expect, it } from 'vitest'
import { createTrace } from '../../../cli/src/supervisor/trace.ts'
import { blockOn, tellAbove } from '../../../cli/src/terminal/live-block.ts'
import { printError, printWarning } from '../../../cli/src/terminal/print-error.ts'
import { fakeTerminal } from '../terminal/fake-terminal.ts'
import { screenOf } from '../terminal/screen.ts'

const withoutTime = (lines: readonly string[]) => lines.map((line) => line.replace(/^\d{4}-\S+ /, ''))

describe('the trace of a supervisor in the foreground', () => {
  it('goes above the progress, and no later draw takes it away', () => {
    const terminal = fakeTerminal({ interactive: true })
    const { trace } = createTrace('warn', (line) => tellAbove(terminal, line))
    const block = blockOn(terminal)
    trace('warn', 'before anything was drawn')
    block.draw(['  db   starting', '  api  waiting'])
    trace('warn', 'Output of db cannot be written: no space', { stream: 'stdout' })
    trace('info', 'not for this level')
    block.draw(['  db   running', '  api  starting'])
    trace('error', 'second')
    block.draw(['  db   running', '  api  running'])
    block.keep()
    trace('warn', 'after it')
    expect(withoutTime(screenOf(terminal.stderr))).toEqual([
      'warn before anything was drawn',
      'warn Output of db cannot be written: no space {"stream":"stdout"}',
      'error second',
      '  db   running',
      '  api  running',
      'warn after it',
      '',
    ])
    expect(terminal.stdout).toBe('')
  })

  it('is as it was where nothing is drawn', () => {
    const terminal = fakeTerminal()
    createTrace('warn', (line) => tellAbove(terminal, line)).trace('warn', 'plain')
    expect(terminal.stderr).toMatch(/^\S+ warn plain\n$/)
  })
})

describe('warnings and errors of a command', () => {
  it('go above the progress, too', () => {
    const terminal = fakeTerminal({ interactive: true })
    const block = blockOn(terminal)
    block.draw(['  db   starting'])
    printWarning(terminal, '12 lines are missing here')
    printError(terminal, { message: 'It failed.', hint: 'Try again.', code: 'SYSG_X' })
    block.draw(['  db   running'])
    expect(screenOf(terminal.stderr)).toEqual([
      'warning: 12 lines are missing here',
      'error: It failed. [SYSG_X]',
      ' hint: Try again.',
      '  db   running',
      '',
    ])
  })
})
