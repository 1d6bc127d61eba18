/**
 * Writes one stream of a program into its log files: the bytes as they are, their times and instances beside them.
 * Rotates by size. Never throws: what the disk does not take is counted, and the next line is tried again.
 */
import { HostError, type AppendFile, type Files } from '@systemg/core'
import { countAges, removeAge, renameAge } from './ages.ts'
import { bytesThatFit } from './cut.ts'
import { indexPath, instancesPath, logPath } from './layout.ts'
import { countNewlines, newline } from './lines.ts'
import { formatMark, parseMarks } from './marks.ts'
import { decodeRecord, encodeRecord, generationOf, recordBytes } from './time-index.ts'

export interface StreamLimits {
  /** Size at which a file is rotated. */
  readonly maxBytes: number
  /** Files kept, the one being written included. */
  readonly maxFiles: number
}

/** A place in a stream that stays the same when files are rotated. */
export interface Position {
  readonly generation: number
  readonly offset: number
}

export class StreamLog {
  /** Counted since this supervisor began. */
  readonly dropped = { lines: 0, bytes: 0 }
  /** Why nothing can be written at present. */
  trouble: HostError | undefined

  /** Who writes, or wrote last. */
  instance = ''
  readonly #files: Files
  readonly #base: string
  #limits: StreamLimits
  #log: AppendFile | undefined
  #index: AppendFile | undefined
  #generation = 1
  #size = 0
  /** The time of the latest index record. */
  #timeMs = 0
  /** A line ends here, whatever its last byte is: another instance begins, or bytes were dropped. */
  #isBreak = true
  /** The last byte written was a newline, or there is none. */
  #isAfterNewline = true
  /** The rest of a line whose beginning was dropped goes the same way. */
  #dropsRestOfLine = false
  #mustRotate = false

  private constructor(files: Files, base: string, limits: StreamLimits) {
    this.#files = files
    this.#base = base
    this.#limits = limits
  }

  /** Go on where an earlier supervisor stopped. Makes no file before there is something to write. */
  static async open(files: Files, base: string, limits: StreamLimits): Promise<StreamLog> {
    const log = new StreamLog(files, base, limits)
    await log.#recover()
    return log
  }

  get end(): Position {
    return { generation: this.#generation, offset: this.#size }
  }

  /** What follows is of another instance. */
  begin(instance: string): void {
    this.instance = instance
    this.#isBreak = true
    this.#dropsRestOfLine = false
  }

  /** Keep other amounts from now on. */
  async limit(limits: StreamLimits): Promise<void> {
    this.#limits = limits
    const ages = await countAges(this.#files, this.#base, limits.maxFiles)
    this.#try(() => {
      for (let age = limits.maxFiles; age < ages; age++) removeAge(this.#files, this.#base, age)
    })
  }

  write(chunk: Uint8Array, timeMs: number): void {
    let rest = this.#dropsRestOfLine ? this.#dropLine(chunk) : chunk
    while (rest.length > 0) {
      const fits = this.#mustRotate ? 0 : bytesThatFit(rest, this.#file())
      const isWritten = fits === 0 || this.#append(rest.subarray(0, fits), timeMs)
      if (isWritten) rest = rest.subarray(fits)
      if (isWritten && (rest.length === 0 || this.#rotate())) continue
      // What cannot be rotated goes on growing; what cannot be written is dropped.
      if (!isWritten || !this.#append(rest, timeMs)) this.#drop(rest)
      return
    }
  }

  /** Forget everything written so far. */
  async clear(): Promise<void> {
    const ages = await countAges(this.#files, this.#base)
    this.close()
    const isDone = this.#try(() => {
      for (let age = 0; age < ages; age++) removeAge(this.#files, this.#base, age)
    })
    if (isDone) this.#beginFile()
  }

  close(): void {
    this.#log?.close()
    this.#index?.close()
    this.#log = this.#index = undefined
  }

  #file() {
    return { size: this.#size, isLineStart: this.#isAfterNewline || this.#isBreak, maxBytes: this.#limits.maxBytes }
  }

  /** `false` when the disk does not take them. */
  #append(bytes: Uint8Array, timeMs: number): boolean {
    const isDone = this.#try(() => {
      this.#note(bytes, timeMs)
      this.#log ??= this.#files.append(logPath(this.#base, 0))
      this.#log.write(bytes)
    })
    if (!isDone) return false
    this.trouble = undefined
    this.#size += bytes.length
    this.#isAfterNewline = bytes[bytes.length - 1] === newline
    this.#isBreak = false
    return true
  }

  /** Time and instance of the bytes that come next. Written before them: a lost end then leaves no bytes without a time. */
  #note(bytes: Uint8Array, timeMs: number): void {
    const { isLineStart } = this.#file()
    this.#index ??= this.#files.append(indexPath(this.#base, 0))
    if (this.#index.size === 0) {
      this.#timeMs = Math.max(timeMs, this.#timeMs)
      this.#index.write(encodeRecord(this.#generation, this.#timeMs))
    }
    const beginsLine = isLineStart || bytes.subarray(0, -1).includes(newline)
    if (beginsLine && timeMs > this.#timeMs) {
      this.#index.write(encodeRecord(this.#size, timeMs))
      this.#timeMs = timeMs
    }
    if (!this.#isBreak) return
    const instances = this.#files.append(instancesPath(this.#base, 0))
    try {
      instances.write(new TextEncoder().encode(formatMark({ offset: this.#size, instance: this.instance })))
    } finally {
      instances.close()
    }
  }

  #drop(bytes: Uint8Array): void {
    this.dropped.bytes += bytes.length
    this.dropped.lines += countNewlines(bytes)
    this.#isBreak = true
    this.#dropsRestOfLine = bytes[bytes.length - 1] !== newline
  }

  /** Returns what is behind the end of the line. */
  #dropLine(chunk: Uint8Array): Uint8Array {
    const end = chunk.indexOf(newline) + 1
    const lost = end > 0 ? chunk.subarray(0, end) : chunk
    this.#drop(lost)
    return chunk.subarray(lost.length)
  }

  /** Every file becomes one older; the oldest goes. `false` when the files cannot be renamed: then the present one goes on. */
  #rotate(): boolean {
    this.close()
    const oldest = this.#limits.maxFiles - 1
    const isDone = this.#try(() => {
      removeAge(this.#files, this.#base, oldest)
      for (let age = oldest - 1; age >= 0; age--) renameAge(this.#files, this.#base, age)
    })
    if (isDone) this.#beginFile()
    return isDone
  }

  #try(body: () => void): boolean {
    try {
      body()
      return true
    } catch (thrown) {
      if (!(thrown instanceof HostError)) throw thrown
      this.trouble = thrown
      return false
    }
  }

  #beginFile(): void {
    this.#generation += 1
    this.#size = 0
    this.#isBreak = this.#isAfterNewline = true
    this.#mustRotate = false
  }

  /** A file whose index does not fit (a power cut, a hand that deleted it) is put aside by rotation. */
  async #recover(): Promise<void> {
    const files = this.#files
    this.#size = (await files.size(logPath(this.#base, 0))) ?? 0
    const indexSize = (await files.size(indexPath(this.#base, 0))) ?? 0
    const previous = await generationOf(files, indexPath(this.#base, 1))
    const generation = await generationOf(files, indexPath(this.#base, 0))
    this.#generation = generation ?? (previous ?? 0) + 1
    const last = decodeRecord(
      await files.read(indexPath(this.#base, 0), Math.max(0, indexSize - recordBytes), indexSize),
    )
    this.#timeMs = generation === undefined ? 0 : (last?.timeMs ?? 0)
    const isHeader = indexSize === recordBytes
    const fits = indexSize % recordBytes === 0 && last !== undefined && (isHeader || last.first <= this.#size)
    this.#mustRotate = this.#size + indexSize > 0 && !(generation !== undefined && fits)
    if (this.#size === 0) return
    const [lastByte] = await files.read(logPath(this.#base, 0), this.#size - 1, this.#size)
    this.#isAfterNewline = lastByte === newline
    this.#isBreak = false
    this.instance = parseMarks((await files.readText(instancesPath(this.#base, 0))) ?? '').at(-1)?.instance ?? ''
  }
}
