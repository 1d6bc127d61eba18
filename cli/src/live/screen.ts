/**
 * The terminal while the live view has it: its other screen, keys as they are typed, and only lines that changed.
 *
 * However the command ends (also by a signal, a hangup or a mistake), the terminal is given back as it was; suspended with
 * Ctrl-Z, it is given back meanwhile.
 */
import { changes } from './changes.ts'
import { keyReader, type Key } from './keys.ts'

/** What the view needs of a process on a terminal. */
export interface ScreenPort {
  write(text: string): void
  readonly columns: number
  readonly rows: number
  /** Give text as it is typed; returns how to stop. `onEnd`: nothing more will come. */
  listen(onText: (text: string) => void, onEnd: () => void): () => void
  onResize(listener: () => void): () => void
  onSignal(signal: NodeJS.Signals, listener: () => void): () => void
  /** Before the process ends, in whatever way. */
  onExit(listener: () => void): () => void
  /** Send a signal to this process, or to all of its job. */
  signal(signal: NodeJS.Signals, to: 'self' | 'job'): void
}

export interface ScreenEvents {
  onKey(key: Key): void
  /** It has another size, or must be drawn anew. */
  onResize(): void
  onHangup(): void
}

/** How long a terminal may take for the rest of a key, ms. */
const keyMs = 50

export class Screen {
  readonly #port: ScreenPort
  readonly #events: ScreenEvents
  readonly #releases: (() => void)[] = []
  #stopListening: (() => void) | undefined
  #drawn: readonly string[] = []

  constructor(port: ScreenPort, events: ScreenEvents) {
    this.#port = port
    this.#events = events
  }

  get columns(): number {
    return this.#port.columns
  }

  get rows(): number {
    return this.#port.rows
  }

  open(): void {
    const port = this.#port
    this.#releases.push(
      port.onExit(() => this.#giveBack()),
      port.onResize(() => this.redraw()),
      port.onSignal('SIGCONT', () => this.#take()),
      port.onSignal('SIGINT', () => this.#events.onKey('ctrl-c')),
      ...(['SIGTERM', 'SIGHUP'] as const).map((signal) => port.onSignal(signal, () => this.#endBy(signal))),
    )
    this.#releases.push(this.#stopsBySignal())
    this.#take()
  }

  close(): void {
    this.#giveBack()
    for (const release of this.#releases.splice(0)) release()
  }

  /** Lines are not wider than the screen, and not more than it has. */
  draw(lines: readonly string[]): void {
    if (this.#stopListening === undefined) return
    const text = changes(this.#drawn, lines, this.columns)
    this.#drawn = lines
    if (text !== '') this.#port.write(text)
  }

  /** What is on the screen is not what was drawn. */
  redraw(): void {
    if (this.#stopListening === undefined) return
    this.#drawn = []
    this.#port.write(clear)
    this.#events.onResize()
  }

  /** As a terminal does it for a program that lets it. */
  suspend(): void {
    this.#port.signal('SIGTSTP', 'job')
  }

  #take(): void {
    if (this.#stopListening !== undefined) {
      // Continued after a SIGSTOP that nobody could hear: a shell may have written meanwhile.
      this.#stopListening()
      this.#stopListening = undefined
    }
    this.#stopListening = this.#listen()
    this.#port.write(enter)
    this.redraw()
  }

  #giveBack(): void {
    if (this.#stopListening === undefined) return
    this.#stopListening()
    this.#stopListening = undefined
    this.#port.write(leave)
  }

  #listen(): () => void {
    const keys = keyReader()
    let timer: NodeJS.Timeout | undefined
    const tell = (found: readonly Key[]) => found.forEach((key) => this.#events.onKey(key))
    const stop = this.#port.listen(
      (text) => {
        clearTimeout(timer)
        tell(keys.read(text))
        if (keys.isWaiting) timer = setTimeout(() => tell(keys.flush()), keyMs)
      },
      () => this.#events.onHangup(),
    )
    return () => {
      clearTimeout(timer)
      stop()
    }
  }

  /** Stop as a process does that handles nothing, with the terminal given back. */
  #stopsBySignal(): () => void {
    let release = () => undefined as void
    let timer: NodeJS.Timeout | undefined
    const handle = () => {
      release = this.#port.onSignal('SIGTSTP', () => {
        this.#giveBack()
        release()
        this.#port.signal('SIGTSTP', 'self')
        // Here again: it was continued, or nobody is there who could, and the kernel did not stop it.
        timer = setTimeout(() => {
          handle()
          if (this.#stopListening === undefined) this.#take()
        }, keyMs)
      })
    }
    handle()
    return () => {
      clearTimeout(timer)
      release()
    }
  }

  #endBy(signal: NodeJS.Signals): void {
    this.close()
    this.#port.signal(signal, 'self')
  }
}

/** Another screen, no cursor, no line broken by the terminal. */
const enter = '\u001B[?1049h\u001B[?25l\u001B[?7l'
const leave = '\u001B[?7h\u001B[?25h\u001B[?1049l'
const clear = '\u001B[H\u001B[2J'

/** The process's own. */
export const processPort = (): ScreenPort => ({
  write: (text) => void process.stdout.write(text),
  get columns() {
    return process.stdout.columns || 80
  },
  get rows() {
    return process.stdout.rows || 24
  },
  listen(onText, onEnd) {
    const { stdin } = process
    stdin.setEncoding('utf8')
    stdin.setRawMode(true)
    stdin.on('data', onText)
    // A terminal that is gone gives an error.
    stdin.on('end', onEnd)
    stdin.on('error', onEnd)
    stdin.resume()
    return () => {
      stdin.off('data', onText)
      stdin.off('end', onEnd)
      stdin.pause()
      try {
        stdin.setRawMode(false)
      } catch {
        // It is gone.
      }
    }
  },
  onResize: (listener) => subscribed(process.stdout, 'resize', listener),
  onSignal: (signal, listener) => subscribed(process, signal, listener),
  onExit(listener) {
    const releases = [subscribed(process, 'exit', listener), subscribed(process, 'uncaughtExceptionMonitor', listener)]
    return () => releases.forEach((release) => release())
  },
  signal: (signal, to) => void process.kill(to === 'self' ? process.pid : 0, signal),
})

const subscribed = (emitter: NodeJS.EventEmitter, name: string, listener: () => void): (() => void) => {
  emitter.on(name, listener)
  return () => void emitter.off(name, listener)
}
