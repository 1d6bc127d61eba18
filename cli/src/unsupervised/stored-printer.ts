/**
 * Writes log lines from files to stdout: many at once and as the bytes they are, and no faster than they are taken. Looks
 * the same as what `log-printer.ts` writes.
 */
import { hasOverlong, linesOf, recordOf, type LogLine } from '@systemg/plugins/logs'
import { prefixesFor, type LogFormat } from '../terminal/log-printer.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** So much is written at once. */
const pieceBytes = 256 * 1024

export class StoredPrinter {
  readonly #terminal: Terminal
  readonly #bytesOf: (lines: LogLine) => Uint8Array
  readonly #piece = Buffer.allocUnsafeSlow(pieceBytes)
  #length = 0

  constructor(terminal: Terminal, format: LogFormat) {
    this.#terminal = terminal
    this.#bytesOf = formatter(terminal, format)
  }

  /** Take one line, or several of one stream and moment. */
  async add(lines: LogLine): Promise<void> {
    const parts = hasOverlong(lines.bytes) ? linesOf(lines) : [lines]
    for (const part of parts) await this.#put(withEnd(this.#bytesOf(part)))
  }

  async flush(): Promise<void> {
    if (this.#length === 0) return
    this.#terminal.out(this.#piece.subarray(0, this.#length))
    this.#length = 0
    await this.#terminal.drained()
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#length + bytes.length > pieceBytes) await this.flush()
    if (bytes.length <= pieceBytes) {
      this.#piece.set(bytes, this.#length)
      this.#length += bytes.length
    } else {
      this.#terminal.out(bytes)
      await this.#terminal.drained()
    }
  }
}

const formatter = (terminal: Terminal, format: LogFormat): ((lines: LogLine) => Uint8Array) => {
  if (format.json) return jsonOf
  const prefixOf = prefixesFor(terminal, format)
  return ({ timeMs, service, bytes }) => {
    const time = format.timestamps ? `${terminal.paint('dim', new Date(timeMs).toISOString())} ` : ''
    // Bytes are characters here, so that none is damaged.
    const head = Buffer.from(prefixOf(service) + time).toString('latin1')
    if (head === '') return bytes
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - endLength(bytes)).toString('latin1')
    return Buffer.from(`${head}${text.replaceAll('\n', `\n${head}`)}\n`, 'latin1')
  }
}

const jsonOf = (lines: LogLine): Uint8Array => {
  const record = recordOf(lines)
  if (!('line' in record))
    return Buffer.from(
      linesOf(lines)
        .map((line) => `${JSON.stringify(recordOf(line))}\n`)
        .join(''),
    )
  const { line: text, ...known } = record
  const head = `${JSON.stringify(known).slice(0, -1)},"line":`
  return Buffer.from(
    text
      .split('\n')
      .map((line) => `${head}${JSON.stringify(line)}}\n`)
      .join(''),
  )
}

const newline = 10

/** Bytes of the newline at the end, if there is one. */
const endLength = (bytes: Uint8Array): number => (bytes[bytes.length - 1] === newline ? 1 : 0)

const withEnd = (bytes: Uint8Array): Uint8Array =>
  endLength(bytes) === 1 ? bytes : Buffer.concat([bytes, new Uint8Array([newline])])
