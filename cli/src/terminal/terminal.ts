/** Where a command writes: stdout for results, stderr for everything else, colours only on a terminal. */
import type { styleText } from 'node:util'
import { util } from '../builtin.ts'

export type Style = Parameters<typeof styleText>[0]

export interface Terminal {
  /** Results. Parseable when asked for `--json`. Bytes are written as they are. */
  out(text: string | Uint8Array): void
  /** Resolves when all results have been taken: until then they are in memory. */
  drained(): Promise<void>
  /** Messages for people. */
  err(text: string): void
  /** Width of the terminal in cells, stdout's or else stderr's; 80 when there is none. */
  readonly columns: number
  /** Its height in lines; left out when there is none. */
  readonly rows?: number | undefined
  /** stdout is a terminal. */
  readonly isInteractive: boolean
  /** stderr is a terminal, so progress may be drawn there. */
  readonly canDraw: boolean
  /** Colour for stdout; plain text when colours are off. */
  paint(style: Style, text: string): string
  /** Colour for stderr. */
  paintErr(style: Style, text: string): string
  /** stdin is a terminal, so questions may be asked. */
  readonly canAsk: boolean
}

/**
 * The real one. `color: false` turns colours off everywhere; so does `NO_COLOR`, and a stream that is no terminal. Each
 * of Node's streams is opened when it is first asked for: most commands need one of the three.
 */
export const createTerminal = (options: { color: boolean }): Terminal => {
  const { env } = process
  const isAllowed = options.color && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  const paint = (isTTY: boolean, style: Style, text: string): string =>
    isAllowed && isTTY ? util.styleText(style, text, { validateStream: false }) : text
  return {
    out: (text) => void process.stdout.write(text),
    drained: () => new Promise((resolve) => void process.stdout.write('', () => resolve())),
    err: (text) => void process.stderr.write(text),
    get columns() {
      return [process.stdout, process.stderr].find(({ columns }) => columns > 0)?.columns ?? 80
    },
    get rows() {
      return [process.stdout, process.stderr].find(({ rows }) => rows > 0)?.rows
    },
    get isInteractive() {
      return process.stdout.isTTY
    },
    get canDraw() {
      return process.stderr.isTTY && env['TERM'] !== 'dumb'
    },
    get canAsk() {
      return process.stdin.isTTY && process.stdout.isTTY
    },
    paint: (style, text) => paint(process.stdout.isTTY, style, text),
    paintErr: (style, text) => paint(process.stderr.isTTY, style, text),
  }
}
