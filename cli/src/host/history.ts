/**
 * Growing lists of records in `history.db`: events, metrics, deliveries.
 *
 * Writing each record at once would stop the supervisor on a slow disk, so records are gathered and written in one
 * transaction every 100 ms. A disk that takes no more makes it keep the newest records and try again each second.
 */
import { whyOf, type Durable, type DurableLog, type Trace } from '@systemg/core'
import { Database } from './database.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS records (
    log TEXT NOT NULL, seq INTEGER NOT NULL, time_ms REAL NOT NULL, value TEXT NOT NULL, PRIMARY KEY (log, seq)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS logs (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID`

const batchMs = 100
const retryMs = 1000
/** Records kept in memory while the disk takes none. */
const mostPending = 10_000

interface Pending {
  readonly log: string
  readonly seq: number
  readonly timeMs: number
  readonly json: string
}

export class History {
  readonly #database: Database
  readonly #trace: Trace
  #pending: Pending[] = []
  #timer: NodeJS.Timeout | undefined
  #isFailing = false

  constructor(path: string, readOnly: boolean, trace: Trace) {
    this.#database = new Database({ path, schema, version: 1, synchronous: 'NORMAL', readOnly, trace })
    this.#trace = trace
  }

  log(name: string): DurableLog {
    return {
      append: (seq, timeMs, value) => this.#append({ log: name, seq, timeMs, json: JSON.stringify(value) }),
      flush: () => this.flush(),
      read: (options) => this.#read(name, options),
      last: () => this.#last(name),
      trim: (keep) => this.#trim(name, keep),
      remove: (seq) => this.#remove(name, seq),
    }
  }

  /** How many records wait to be written. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /** Forget records that were appended after there were `count`. */
  dropAfter(count: number): void {
    this.#pending.length = Math.min(this.#pending.length, count)
  }

  /** Write what is pending. @throws {HostError} When the disk takes none; the records are kept and tried again. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.length === 0) return
    try {
      this.#database.transaction(() => this.#insert(this.#pending))
      this.#pending = []
      this.#isFailing = false
    } catch (thrown) {
      this.#keepNewest()
      this.#timer = setTimeout(() => this.#flushQuietly(), retryMs)
      throw thrown
    }
  }

  /** Write what is pending, if possible, and close. */
  close(): void {
    this.#flushQuietly()
    clearTimeout(this.#timer)
    this.#database.close()
  }

  #append(record: Pending): void {
    // One that can't be stored would keep back all that come with it.
    if (!Number.isSafeInteger(record.seq) || !Number.isFinite(record.timeMs)) throw new RangeError('not a number')
    this.#pending.push(record)
    this.#timer ??= setTimeout(() => this.#flushQuietly(), batchMs)
  }

  #flushQuietly(): void {
    try {
      this.flush()
    } catch (thrown) {
      if (!this.#isFailing) this.#trace('error', `history can't be written: ${whyOf(thrown)}`)
      this.#isFailing = true
    }
  }

  #insert(records: readonly Pending[]): void {
    for (const { log, seq, timeMs, json } of records) {
      this.#database.run('INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)', log, seq, timeMs, json)
    }
    for (const [log, last] of highest(records)) {
      this.#database.run(
        'INSERT INTO logs VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = max(last, excluded.last)',
        log,
        last,
      )
    }
  }

  #keepNewest(): void {
    const excess = this.#pending.length - mostPending
    if (excess <= 0) return
    this.#pending.splice(0, excess)
    this.#trace('error', 'history records were dropped', { count: excess })
  }

  #read(name: string, options: Parameters<DurableLog['read']>[0]): ReturnType<DurableLog['read']> {
    this.#flushQuietly()
    const { after = -1, sinceMs = Number.MIN_SAFE_INTEGER, limit = -1, first } = options
    const [order, most] = first === undefined ? (['DESC', limit] as const) : (['ASC', first] as const)
    const rows = this.#database
      .all(
        `SELECT seq, time_ms, value FROM records WHERE log = ? AND seq > ? AND time_ms >= ? ORDER BY seq ${order} LIMIT ?`,
        ...[name, after, sinceMs, most],
      )
      .map((row) => recordOf(Number(row['seq']), Number(row['time_ms']), String(row['value'])))
    const stored = first === undefined ? rows.reverse() : rows
    const pending = this.#pending
      .filter(({ log, seq, timeMs }) => log === name && seq > after && timeMs >= sinceMs)
      .map(({ seq, timeMs, json }) => recordOf(seq, timeMs, json))
    const all = [...stored, ...pending]
    if (first !== undefined) return all.slice(0, first)
    return limit < 0 ? all : all.slice(Math.max(0, all.length - limit))
  }

  #last(name: string): number {
    const row = this.#database.get('SELECT last FROM logs WHERE name = ?', name)
    return Math.max(Number(row?.['last'] ?? 0), highest(this.#pending).get(name) ?? 0)
  }

  #trim(name: string, keep: number): void {
    this.flush()
    this.#database.run(
      'DELETE FROM records WHERE log = ?1 AND seq <= (SELECT seq FROM records WHERE log = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)',
      name,
      keep,
    )
  }

  #remove(log: string, seq: number): void {
    this.#pending = this.#pending.filter((record) => record.log !== log || record.seq !== seq)
    this.#database.run('DELETE FROM records WHERE log = ? AND seq = ?', log, seq)
  }
}

const highest = (records: readonly Pending[]): ReadonlyMap<string, number> => {
  const byLog = new Map<string, number>()
  for (const { log, seq } of records) byLog.set(log, Math.max(seq, byLog.get(log) ?? 0))
  return byLog
}

const recordOf = (seq: number, timeMs: number, json: string) => ({ seq, timeMs, value: JSON.parse(json) as Durable })
