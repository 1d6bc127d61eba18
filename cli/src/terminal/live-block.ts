/**
 * Lines that are drawn again in place, below everything else.
 *
 * Between two draws the cursor stands at the beginning of the line behind the block, and nothing about the terminal is
 * changed: however a command ends, the terminal is as it was. Each draw is one write.
 */
import type { Terminal } from './terminal.ts'

export interface BlockTarget {
  /** On the terminal that the block is drawn on. */
  write(text: string): void
  /** Lines that may be drawn; one line stays free for the cursor. */
  readonly rows: number
}

/** The part of a terminal's height that a block may take. */
export const blockRows = ({ rows }: Pick<Terminal, 'rows'>): number => Math.max(1, (rows ?? 24) - 1)

export class LiveBlock {
  readonly #target: BlockTarget
  #lines: readonly string[] = []
  #drawn = 0

  constructor(target: BlockTarget) {
    this.#target = target
  }

  /** Replace what was drawn. No line may be wider than the terminal; lines that are too many are left out. */
  draw(lines: readonly string[]): void {
    this.#lines = lines
    const shown = fitLines(lines, this.#target.rows)
    this.#target.write(`${this.#up()}${shown.map((line) => `${eraseLine}${line}\n`).join('')}${eraseBelow}`)
    this.#drawn = shown.length
  }

  /** Take the block away. */
  clear(): void {
    this.#lines = []
    this.#erase()
  }

  /** Leave what is drawn where it is; the next draw begins below. */
  keep(): void {
    this.#lines = []
    this.#drawn = 0
  }

  /** Do `write`, which writes whole lines to the same terminal, above the block. */
  above(write: () => void): void {
    const lines = this.#lines
    this.#erase()
    write()
    if (lines.length > 0) this.draw(lines)
  }

  #erase(): void {
    if (this.#drawn > 0) this.#target.write(`${this.#up()}${eraseBelow}`)
    this.#drawn = 0
  }

  #up(): string {
    return this.#drawn === 0 ? '' : `\r\u001B[${this.#drawn}A`
  }
}

const eraseLine = '\u001B[K'
const eraseBelow = '\u001B[J'

const fitLines = (lines: readonly string[], rows: number): readonly string[] =>
  lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`]

/** The block that is drawn on a terminal's stderr, if any. */
const blocks = new WeakMap<Terminal, LiveBlock>()

/** A block on stderr. What `writeAbove` and `tellAbove` write goes above the one made last. */
export const blockOn = (terminal: Terminal): LiveBlock => {
  const block = new LiveBlock({
    write: (text) => terminal.err(text),
    get rows() {
      return blockRows(terminal)
    },
  })
  blocks.set(terminal, block)
  return block
}

/** Write whole lines to stdout, above a block that may be drawn below. */
export const writeAbove = (terminal: Terminal, data: string | Uint8Array): void => {
  const block = terminal.isInteractive ? blocks.get(terminal) : undefined
  if (block === undefined) terminal.out(data)
  else block.above(() => terminal.out(data))
}

/** Write whole lines to stderr, above a block that may be drawn there. */
export const tellAbove = (terminal: Terminal, text: string): void => {
  const block = blocks.get(terminal)
  if (block === undefined) terminal.err(text)
  else block.above(() => terminal.err(text))
}
