import { describe, expect, it, vi } from 'vitest'
import { Screen } from '../../../cli/src/live/screen.ts'
import { fakePort } from './fake-port.ts'

const enter = '\u001B[?1049h'
const leave = '\u001B[?7h\u001B[?25h\u001B[?1049l'

const open = () => {
  const port = fakePort()
  const keys: string[] = []
  const events = { onKey: (key: string) => void keys.push(key), onResize: vi.fn(), onHangup: vi.fn() }
  const screen = new Screen(port, events)
  screen.open()
  return { port, screen, keys, events }
}

const count = (text: string, part: string) => text.split(part).length - 1

describe('the screen', () => {
  it('is taken, draws what changed, and is given back once', () => {
    const { port, screen } = open()
    expect(port.written.startsWith(enter)).toBe(true)
    const begun = port.written.length
    screen.draw(['a', 'b'])
    screen.draw(['a', 'c'])
    expect(port.written.slice(begun)).toBe('\u001B[1;1Ha\u001B[2;1Hb\u001B[2;1Hc')
    screen.close()
    screen.close()
    port.happens('exit')
    expect(count(port.written, leave)).toBe(1)
    expect(port.isListening).toBe(false)
    screen.draw(['late'])
    expect(port.written).not.toContain('late')
  })

  it('is given back however the process ends', () => {
    const { port } = open()
    port.happens('exit')
    expect(port.written.endsWith(leave)).toBe(true)
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)('is given back by %s, which then does what it does to anybody', (signal) => {
    const { port } = open()
    port.happens(signal)
    expect(port.written.endsWith(leave)).toBe(true)
    expect(port.signals).toEqual([`${signal} self`])
    // Nobody handles it any more.
    port.happens(signal)
    expect(port.signals).toHaveLength(1)
  })

  it('is drawn anew when its size changes, and after it was stopped by a signal that nobody hears', () => {
    const { port, screen, events } = open()
    screen.draw(['a'])
    port.resize(20, 5)
    expect(events.onResize).toHaveBeenCalledTimes(2)
    screen.draw(['a'])
    expect(count(port.written, '\u001B[1;1Ha')).toBe(2)
    port.happens('SIGCONT')
    expect(count(port.written, enter)).toBe(2)
    expect(port.isListening).toBe(true)
  })

  it('is given back while it is suspended, and taken when it goes on', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { port, screen } = open()
      screen.suspend()
      expect(port.signals).toEqual(['SIGTSTP job'])
      port.happens('SIGTSTP')
      expect(port.written.endsWith(leave)).toBe(true)
      expect(port.signals.at(-1)).toBe('SIGTSTP self')
      port.resize(20, 5)
      expect(port.written.endsWith(leave)).toBe(true)
      port.happens('SIGCONT')
      vi.advanceTimersByTime(1_000)
      expect(count(port.written, enter)).toBe(2)
      // And again.
      port.happens('SIGTSTP')
      vi.advanceTimersByTime(1_000)
      expect(count(port.written, enter)).toBe(3)
      screen.close()
    } finally {
      vi.useRealTimers()
    }
  })

  it('takes an ESC for itself when nothing follows', async () => {
    const { port, keys } = open()
    port.type('\u001B[')
    port.type('A')
    port.type('\u001B')
    expect(keys).toEqual(['up'])
    await expect.poll(() => keys).toEqual(['up', 'escape'])
  })
})
