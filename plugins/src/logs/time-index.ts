/**
 * When the bytes of a log file came: a file of 16-byte records beside it.
 *
 * Each record is two little-endian doubles. The first is the header: the file's generation (grows by one at each
 * rotation, so a file is known again under its new name) and the time of its first byte. Every other one says from which
 * offset on which time holds. Offsets and times never fall. There is one for each chunk in which a line begins, or that
 * nobody looked at, but not more than one a millisecond. Times are milliseconds since 1970.
 */
import type { Files } from '@systemg/core'

export const recordBytes = 16

/** Records read at once. */
const pageRecords = 1024

export const encodeRecord = (first: number, timeMs: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(recordBytes))
  view.setFloat64(0, first, true)
  view.setFloat64(8, timeMs, true)
  return new Uint8Array(view.buffer)
}

/** The two numbers of the record at the beginning of `bytes`; `undefined` when it is cut short. */
export const decodeRecord = (bytes: Uint8Array): { readonly first: number; readonly timeMs: number } | undefined => {
  if (bytes.length < recordBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, recordBytes)
  return { first: view.getFloat64(0, true), timeMs: view.getFloat64(8, true) }
}

/** The generation of a log file; `undefined` when it has no index. */
export const generationOf = async (files: Files, path: string): Promise<number | undefined> => {
  const header = decodeRecord(await files.read(path, 0, recordBytes))
  return header !== undefined && Number.isSafeInteger(header.first) ? header.first : undefined
}

/**
 * When the byte at `offset` came.
 *
 * @param records - The last ones of an index. When it came before all of them, the time of the first is the answer.
 * @param indexBytes - The size of the index: its first record is the header.
 */
export const lastTimeAt = (records: Uint8Array, offset: number, indexBytes: number): number => {
  let timeMs = 0
  for (let at = records.length - recordBytes; at >= 0; at -= recordBytes) {
    const record = decodeRecord(records.subarray(at))
    if (record === undefined) break
    timeMs = record.timeMs
    const isHeader = at === 0 && records.length === indexBytes
    if (isHeader || record.first <= offset) break
  }
  return timeMs
}

/** Reads an index a page at a time. A missing or damaged one answers as well as it can. */
export class TimeIndex {
  readonly #read: (start: number, end: number) => Promise<Uint8Array>
  readonly #count: number
  /** The record that was found last. */
  #near = -1
  #page: { readonly from: number; readonly bytes: Uint8Array } = { from: 0, bytes: new Uint8Array(0) }

  /**
   * @param read - Bytes of the index file.
   * @param size - Bytes in it; an incomplete last record is left out.
   */
  constructor(read: (start: number, end: number) => Promise<Uint8Array>, size: number) {
    this.#read = read
    this.#count = Math.floor(size / recordBytes)
  }

  /**
   * How long the time of the byte at `offset` holds: its time, and the first offset behind it that has another one
   * (`Infinity` when there is none). Quick for the next one after it.
   */
  async timeAt(offset: number): Promise<{ readonly timeMs: number; readonly until: number }> {
    // In most cases it is the record behind the one that was found last.
    let at = this.#near + 1
    let present = await this.#record(at)
    let next = await this.#record(at + 1)
    if (present === undefined || present.offset > offset || (next !== undefined && next.offset <= offset)) {
      at = Math.max(0, (await this.#search((record) => record.offset > offset)) - 1)
      present = await this.#record(at)
      next = await this.#record(at + 1)
    }
    this.#near = at
    return { timeMs: present?.timeMs ?? 0, until: next?.offset ?? Number.POSITIVE_INFINITY }
  }

  /** The first offset whose byte came at `timeMs` or later; `undefined` when all came before. */
  async offsetSince(timeMs: number): Promise<number | undefined> {
    const at = await this.#search((record) => record.timeMs >= timeMs)
    return (await this.#record(at))?.offset
  }

  /** The number of the first record for which `isBehind` holds; the number of records when there is none. */
  async #search(isBehind: (record: IndexRecord) => boolean): Promise<number> {
    let [low, high] = [0, this.#count]
    while (low < high) {
      const middle = (low + high) >>> 1
      const record = await this.#record(middle)
      if (record === undefined || isBehind(record)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The header counts as the record of offset 0. */
  async #record(at: number): Promise<IndexRecord | undefined> {
    if (at < 0 || at >= this.#count) return undefined
    const known = this.#inPage(at)
    if (known !== undefined) return known
    const from = at - (at % pageRecords)
    const end = Math.min(from + pageRecords, this.#count)
    this.#page = { from, bytes: await this.#read(from * recordBytes, end * recordBytes) }
    return this.#inPage(at)
  }

  #inPage(at: number): IndexRecord | undefined {
    const { from, bytes } = this.#page
    if (at < from) return undefined
    const record = decodeRecord(bytes.subarray((at - from) * recordBytes))
    return record && { offset: at === 0 ? 0 : record.first, timeMs: record.timeMs }
  }
}

interface IndexRecord {
  readonly offset: number
  readonly timeMs: number
}
