/**
 * Writes one stream of a program into its log files: the bytes as they are, their times and instances beside them.
 * Rotates by size. Never throws: what the disk does not take is counted, and the next line is tried again.
 */
import { HostError, type AppendFile, type Files, type MoveUnseen } from '@systemg/core'
import { countAges, removeAge, renameAge } from './ages.ts'
import { bytesThatFit } from './cut.ts'
import { indexPath, instancesPath, logPath } from './layout.ts'
import { countNewlines, longestLine, newline } from './lines.ts'
import { formatMark, parseMarks } from './marks.ts'
import { decodeRecord, encodeRecord, generationOf, lastTimeAt, recordBytes } from './time-index.ts'

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

/** Near the end of a file its last line is looked for: what is there for the next one must be seen. */
const seenBytes = 256 * 1024

/** Index records that are looked at for the time of the last line. */
const recentRecords = 256

const nothing = new Uint8Array(0)

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
  /** The last byte written was a newline, or there is none. `undefined`: nobody has looked. */
  #endsInNewline: boolean | undefined = true
  /** Where the latest instance began, in this file. */
  #begun = 0
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

  /**
   * Have output moved into the file without looking at it. `false`, and nothing is done, where it must be looked at: at the
   * borders of files and instances, and when the disk is in trouble.
   */
  writeUnseen(move: MoveUnseen, timeMs: number): boolean {
    const room = this.#limits.maxBytes - this.#size
    const isPlain = !this.#isBreak && !this.#mustRotate && !this.#dropsRestOfLine && this.trouble === undefined
    if (!isPlain || room < seenBytes || this.#log === undefined || this.#index === undefined) return false
    if (timeMs > this.#timeMs && !this.#try(() => this.#noteTime(timeMs))) return false
    const moved = move(this.#log, room)
    if (moved === 0) return false
    this.#size += moved
    this.#endsInNewline = undefined
    return true
  }

  /** The line at the end that is not finished, and when it began; empty when it is too long, or began before `from`. */
  unfinished(from: Position): { readonly bytes: Uint8Array; readonly timeMs: number } {
    const none = { bytes: nothing, timeMs: this.#timeMs }
    if (this.#isBreak || this.#size === 0 || this.#mustRotate || !this.#try(() => this.#openBoth())) return none
    if (this.#log === undefined || this.#index === undefined) return none
    const begun = Math.max(this.#begun, from.generation === this.#generation ? from.offset : 0)
    const end = readEnd(this.#log, Math.min(longestLine + 1, this.#size - begun))
    const bytes = end.subarray(end.lastIndexOf(newline) + 1)
    if (bytes.length > longestLine) return none
    const records = readEnd(this.#index, recentRecords * recordBytes)
    return { bytes, timeMs: lastTimeAt(records, this.#size - bytes.length, this.#index.size) }
  }

  /** Forget everything written so far. */
  async clear(): Promise<void> {
    const ages = await countAges(this.#files, this.#base)
    this.close()
    const isDone = this.#try(() => {
      for (let age = 0; age < ages; age++) removeAge(this.#files, this.#base, age)
    })
    if (!isDone) return
    this.#beginFile()
    // Who reads on with the next supervisor knows by it that what follows is not what was there before.
    this.#try(() => this.#beginIndex())
  }

  close(): void {
    this.#log?.close()
    this.#index?.close()
    this.#log = this.#index = undefined
  }

  #file() {
    return { size: this.#size, isLineStart: this.#isBreak || this.#isAfterNewline, maxBytes: this.#limits.maxBytes }
  }

  /** `false` when the disk does not take them. */
  #append(bytes: Uint8Array, timeMs: number): boolean {
    const isDone = this.#try(() => {
      this.#note(bytes, timeMs)
      this.#openBoth()
      this.#log?.write(bytes)
    })
    if (!isDone) return false
    this.trouble = undefined
    this.#size += bytes.length
    this.#endsInNewline = bytes[bytes.length - 1] === newline
    this.#isBreak = false
    return true
  }

  /** Time and instance of the bytes that come next. Written before them: a lost end then leaves no bytes without a time. */
  #note(bytes: Uint8Array, timeMs: number): void {
    const { isLineStart } = this.#file()
    this.#beginIndex(timeMs)
    const beginsLine = isLineStart || bytes.subarray(0, -1).includes(newline)
    if (beginsLine && timeMs > this.#timeMs) {
      this.#noteTime(timeMs)
    }
    if (!this.#isBreak) return
    this.#begun = this.#size
    const instances = this.#files.append(instancesPath(this.#base, 0))
    try {
      instances.write(new TextEncoder().encode(formatMark({ offset: this.#size, instance: this.instance })))
    } finally {
      instances.close()
    }
  }

  #beginIndex(timeMs = 0): void {
    this.#index ??= this.#files.append(indexPath(this.#base, 0))
    if (this.#index.size > 0) return
    this.#timeMs = Math.max(timeMs, this.#timeMs)
    this.#index.write(encodeRecord(this.#generation, this.#timeMs))
  }

  #openBoth(): void {
    this.#index ??= this.#files.append(indexPath(this.#base, 0))
    this.#log ??= this.#files.append(logPath(this.#base, 0))
  }

  #noteTime(timeMs: number): void {
    this.#index?.write(encodeRecord(this.#size, timeMs))
    this.#timeMs = timeMs
  }

  get #isAfterNewline(): boolean {
    return (this.#endsInNewline ??= this.#log !== undefined && readEnd(this.#log, 1)[0] === newline)
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
    this.#begun = 0
    this.#isBreak = this.#endsInNewline = true
    this.#mustRotate = false
  }

  /** A file whose index does not fit (a power cut, a hand that deleted it) is put aside by rotation. */
  async #recover(): Promise<void> {
    const files = this.#files
    this.#size = (await files.size(logPath(this.#base, 0))) ?? 0
    const indexSize = (await files.size(indexPath(this.#base, 0))) ?? 0
    const previous = await generationOf(files, indexPath(this.#base, 1))
    // Most streams of most programs are silent: what there is nothing of need not be read.
    if (this.#size + indexSize === 0) {
      this.#generation = (previous ?? 0) + 1
      return
    }
    const generation = await generationOf(files, indexPath(this.#base, 0))
    this.#generation = generation ?? (previous ?? 0) + 1
    const last = decodeRecord(
      await files.read(indexPath(this.#base, 0), Math.max(0, indexSize - recordBytes), indexSize),
    )
    this.#timeMs = generation === undefined ? 0 : (last?.timeMs ?? 0)
    const isHeader = indexSize === recordBytes
    const fits = indexSize % recordBytes === 0 && last !== undefined && (isHeader || last.first <= this.#size)
    this.#mustRotate = !(generation !== undefined && fits)
    if (this.#size === 0) return
    const [lastByte] = await files.read(logPath(this.#base, 0), this.#size - 1, this.#size)
    this.#endsInNewline = lastByte === newline
    this.#isBreak = false
    const mark = parseMarks((await files.readText(instancesPath(this.#base, 0))) ?? '').at(-1)
    this.instance = mark?.instance ?? ''
    this.#begun = mark?.offset ?? 0
  }
}

/** Empty when the disk gives nothing back. */
const readEnd = (file: AppendFile, bytes: number): Uint8Array => {
  try {
    return file.readEnd(bytes)
  } catch (thrown) {
    if (!(thrown instanceof HostError)) throw thrown
    return nothing
  }
}
