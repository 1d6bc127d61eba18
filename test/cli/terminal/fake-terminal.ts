/** A terminal that remembers what it was told. Colours are shown as `<green running>`. */
import type { Style, Terminal } from '../../../cli/src/terminal/terminal.ts'

export interface FakeTerminal extends Terminal {
  /** All of stdout so far. */
  readonly stdout: string
  readonly stdoutBytes: Uint8Array
  readonly stderr: string
  /** Resolves when stdout holds this text. */
  shows(text: string): Promise<void>
  /** Resolves when stderr holds this text. */
  says(text: string): Promise<void>
}

export interface FakeOptions {
  readonly columns?: number
  readonly rows?: number
  /** stdout and stderr are a terminal. */
  readonly interactive?: boolean
  readonly color?: boolean
  /** stdin is a terminal, too; default: as `interactive`. */
  readonly typed?: boolean
}

export const fakeTerminal = (options: FakeOptions = {}): FakeTerminal => {
  const { columns = 80, rows, interactive = false, color = false, typed = interactive } = options
  const out: Buffer[] = []
  let err = ''
  let waiting: { has: () => boolean; resolve: () => void }[] = []
  const wake = () => {
    const [done, left] = [waiting.filter(({ has }) => has()), waiting.filter(({ has }) => !has())]
    waiting = left
    for (const { resolve } of done) resolve()
  }
  const until = (has: () => boolean) =>
    new Promise<void>((resolve) => {
      waiting.push({ has, resolve })
      wake()
    })
  const paint = (style: Style, text: string) => (color ? `<${[style].flat().join(' ')} ${text}>` : text)
  const stdoutBytes = () => Buffer.concat(out)
  return {
    out: (data) => {
      out.push(Buffer.from(data as string))
      wake()
    },
    drained: () => Promise.resolve(),
    err: (text) => {
      err += text
      wake()
    },
    columns,
    rows,
    isInteractive: interactive,
    canDraw: interactive,
    canAsk: typed,
    paint,
    paintErr: paint,
    get stdout() {
      return stdoutBytes().toString()
    },
    get stdoutBytes() {
      return stdoutBytes()
    },
    get stderr() {
      return err
    },
    shows: (text) => until(() => stdoutBytes().includes(text)),
    says: (text) => until(() => err.includes(text)),
  }
}
