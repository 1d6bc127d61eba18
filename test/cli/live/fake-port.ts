/** A terminal for the live view: what was written, and what happens to it. */
import type { ScreenPort } from '../../../cli/src/live/screen.ts'

export interface FakePort extends ScreenPort {
  readonly written: string
  readonly signals: readonly string[]
  /** Somebody listens to what is typed. */
  readonly isListening: boolean
  type(text: string): void
  hangUp(): void
  resize(columns: number, rows: number): void
  /** A signal comes, or the process ends. */
  happens(what: NodeJS.Signals | 'exit'): void
  /** Resolves when this was written. */
  shows(text: string): Promise<void>
}

export const fakePort = (columns = 80, rows = 12): FakePort => {
  let written = ''
  let typed: ((text: string) => void) | undefined
  let ended: (() => void) | undefined
  const signals: string[] = []
  const listeners = new Map<string, Set<() => void>>()
  const waiting = new Set<() => void>()
  const on = (what: string, listener: () => void) => {
    const those = listeners.get(what) ?? new Set()
    listeners.set(what, those.add(listener))
    return () => void those.delete(listener)
  }
  const tell = (what: string) => [...(listeners.get(what) ?? [])].forEach((listener) => listener())
  const size = { columns, rows }
  return {
    write(text) {
      written += text
      for (const look of waiting) look()
    },
    get columns() {
      return size.columns
    },
    get rows() {
      return size.rows
    },
    listen(onText, onEnd) {
      ;[typed, ended] = [onText, onEnd]
      return () => void (typed = undefined)
    },
    onResize: (listener) => on('resize', listener),
    onSignal: (signal, listener) => on(signal, listener),
    onExit: (listener) => on('exit', listener),
    signal: (signal, to) => void signals.push(`${signal} ${to}`),
    get written() {
      return written
    },
    signals,
    get isListening() {
      return typed !== undefined
    },
    type: (text) => typed?.(text),
    hangUp: () => ended?.(),
    resize(toColumns, toRows) {
      Object.assign(size, { columns: toColumns, rows: toRows })
      tell('resize')
    },
    happens: tell,
    shows: (text) =>
      new Promise((resolve) => {
        const look = () => {
          if (!written.includes(text)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}
