import { describe, expect, it } from 'vitest'
import { blockOn, LiveBlock, writeAbove } from '../../../cli/src/terminal/live-block.ts'
import { fakeTerminal } from './fake-terminal.ts'
import { screenOf } from './screen.ts'

const blockOnScreen = (rows = 10) => {
  let text = 'before\n'
  const block = new LiveBlock({ write: (more) => void (text += more), rows })
  return { block, print: (more: string) => void (text += more), screen: () => screenOf(text) }
}

describe('lines that are drawn in place', () => {
  it('replace each other, longer by shorter and more by fewer', () => {
    const { block, screen } = blockOnScreen()
    block.draw(['one', 'a long line', 'three'])
    block.draw(['1', '2'])
    expect(screen()).toEqual(['before', '1', '2', ''])
  })

  it('leave the cursor at the beginning of the line below, so that whatever comes next is in its place', () => {
    const { block, print, screen } = blockOnScreen()
    block.draw(['one', 'two'])
    print('error: interrupted\n')
    expect(screen()).toEqual(['before', 'one', 'two', 'error: interrupted', ''])
  })

  it('take away the ^C that the terminal writes behind them', () => {
    const { block, print, screen } = blockOnScreen()
    block.draw(['one'])
    print('^C')
    block.draw(['one', 'two'])
    expect(screen()).toEqual(['before', 'one', 'two', ''])
  })

  it('vanish when they are cleared, and stay when they are kept', () => {
    const { block, screen } = blockOnScreen()
    block.draw(['one'])
    block.clear()
    block.clear()
    block.draw(['two'])
    block.keep()
    block.draw(['three'])
    expect(screen()).toEqual(['before', 'two', 'three', ''])
  })

  it('are never more than there is room for', () => {
    const { block, screen } = blockOnScreen(3)
    block.draw(['one', 'two', 'three', 'four', 'five'])
    expect(screen()).toEqual(['before', 'one', 'two', '… 3 more lines', ''])
  })

  it('move down when something is written above them', () => {
    const { block, print, screen } = blockOnScreen()
    block.draw(['one', 'two'])
    block.above(() => print('log line\n'))
    expect(screen()).toEqual(['before', 'log line', 'one', 'two', ''])
  })
})

describe('writing above a block', () => {
  it('goes above the one that is drawn on the same terminal', () => {
    const terminal = fakeTerminal({ interactive: true })
    const block = blockOn(terminal)
    block.draw(['progress'])
    writeAbove(terminal, Buffer.from('log\n'))
    expect(terminal.stdout).toBe('log\n')
    expect(screenOf(terminal.stderr)).toEqual(['progress', ''])
    expect(terminal.stderr.split('progress')).toHaveLength(3)
  })

  it('is just writing where stdout is no terminal', () => {
    const terminal = { ...fakeTerminal({ interactive: true }), isInteractive: false }
    let drawn = ''
    const watched = { ...terminal, err: (text: string) => void (drawn += text) }
    blockOn(watched).draw(['progress'])
    const before = drawn
    writeAbove(watched, 'log\n')
    expect(drawn).toBe(before)
  })
})
