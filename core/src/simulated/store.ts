/**
 * What supervisors remember: tables, written at once, and logs, written in batches.
 *
 * `StoredData` is the disk and belongs to the world; `createStore` is one supervisor's hold on it.
 */
import type { Durable, DurableLog, DurableTable, Store } from '../host.ts'
import type { Faults } from './faults.ts'
import type { Supervisor } from './supervisor.ts'
import type { Timeline } from './timeline.ts'

interface StoredRecord {
  readonly seq: number
  readonly timeMs: number
  readonly json: string
}

interface StoredLog {
  records: StoredRecord[]
  lastSeq: number
}

/** Values are kept as JSON, so nobody can change what is stored by changing an object. */
export interface StoredData {
  readonly tables: Map<string, Map<string, string>>
  readonly logs: Map<string, StoredLog>
}

export const createStoredData = (): StoredData => ({ tables: new Map(), logs: new Map() })

export interface StoreWorld {
  readonly stored: StoredData
  readonly timeline: Timeline
  readonly faults: Faults
}

/** The longest a record stays in memory, ms. */
const flushDelayMs = 100

export const createStore = (world: StoreWorld, supervisor: Supervisor): Store => {
  const logs = new Map<string, DurableLog>()
  const undo = new UndoList()
  const openLog = (name: string): DurableLog => {
    const log = logs.get(name) ?? createLog(world, supervisor, orCreate(world.stored.logs, name, emptyLog), undo)
    logs.set(name, log)
    return log
  }
  const flushAll = () => {
    for (const log of logs.values()) log.flush()
  }
  supervisor.onKilled(() => undo.rollBack())
  return {
    table: (name) =>
      createTable(
        world,
        supervisor,
        orCreate(world.stored.tables, name, () => new Map<string, string>()),
        undo,
      ),
    log: openLog,
    transaction: (body) =>
      supervisor.effect('store.transaction', () => {
        undo.run(body)
        if (!undo.isRecording) flushAll()
      }),
    close: flushAll,
  }
}

const createTable = (
  { faults }: StoreWorld,
  supervisor: Supervisor,
  rows: Map<string, string>,
  undo: UndoList,
): DurableTable => {
  const put = (key: string, json: string | undefined) => {
    if (faults.store !== undefined) throw faults.store
    const before = rows.get(key)
    undo.record(() => write(rows, key, before))
    write(rows, key, json)
  }
  return {
    get: (key) => parse(rows.get(key)),
    set: (key, value) => supervisor.effect('store.set', () => put(key, JSON.stringify(value))),
    delete: (key) => supervisor.effect('store.delete', () => put(key, undefined)),
    entries: () => [...rows].sort(byKey).map(([key, json]) => [key, JSON.parse(json) as Durable] as const),
  }
}

const createLog = (
  { timeline, faults }: StoreWorld,
  supervisor: Supervisor,
  stored: StoredLog,
  undo: UndoList,
): DurableLog => {
  /** In memory only: lost with the supervisor. */
  let pending: StoredRecord[] = []
  let lastSeq = stored.lastSeq
  let cancelFlush: (() => void) | undefined
  const scheduleFlush = () => {
    cancelFlush ??= timeline.after(flushDelayMs, () => {
      cancelFlush = undefined
      if (supervisor.isAlive) flush()
    })
  }
  const flush = () => {
    // Within a transaction, records wait for its end.
    if (pending.length === 0 || !supervisor.isAlive || undo.isRecording) return
    cancelFlush?.()
    cancelFlush = undefined
    if (faults.store !== undefined) {
      scheduleFlush()
      return
    }
    stored.records = inOrder([...stored.records, ...pending])
    stored.lastSeq = lastSeq
    pending = []
  }
  const append = (record: StoredRecord) => {
    const lastBefore = lastSeq
    undo.record(() => {
      pending = pending.filter((other) => other !== record)
      lastSeq = lastBefore
    })
    pending.push(record)
    lastSeq = Math.max(lastSeq, record.seq)
    scheduleFlush()
  }
  return {
    append: (seq, timeMs, value) =>
      supervisor.effect('store.append', () => append({ seq, timeMs, json: JSON.stringify(value) })),
    flush: () => supervisor.effect('store.flush', flush),
    read: ({ after = -Infinity, sinceMs = -Infinity, limit = Infinity, first }) => {
      const found = inOrder([...stored.records, ...pending]).filter(
        ({ seq, timeMs }) => seq > after && timeMs >= sinceMs,
      )
      return (first === undefined ? found.slice(Math.max(0, found.length - limit)) : found.slice(0, first)).map(
        ({ seq, timeMs, json }) => ({ seq, timeMs, value: JSON.parse(json) as Durable }),
      )
    },
    last: () => lastSeq,
    trim: (keep) =>
      supervisor.effect('store.trim', () => {
        flush()
        stored.records.splice(0, stored.records.length - keep)
      }),
    remove: (seq) =>
      supervisor.effect('store.remove', () => {
        if (faults.store !== undefined) throw faults.store
        pending = pending.filter((record) => record.seq !== seq)
        stored.records = stored.records.filter((record) => record.seq !== seq)
      }),
  }
}

/** How to take back what the open transaction has done. A transaction within one is part of it, unless it throws itself. */
class UndoList {
  #steps: (() => void)[] = []
  #depth = 0

  get isRecording(): boolean {
    return this.#depth > 0
  }

  record(step: () => void): void {
    if (this.isRecording) this.#steps.push(step)
  }

  run(body: () => void): void {
    const begin = this.#steps.length
    this.#depth++
    try {
      body()
    } catch (error) {
      this.rollBack(begin)
      throw error
    } finally {
      if (--this.#depth === 0) this.#steps = []
    }
  }

  rollBack(to = 0): void {
    for (const step of this.#steps.splice(to).reverse()) step()
  }
}

const emptyLog = (): StoredLog => ({ records: [], lastSeq: 0 })

const inOrder = (records: StoredRecord[]): StoredRecord[] => records.sort((a, b) => a.seq - b.seq)

const byKey = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1)

const parse = (json: string | undefined): Durable | undefined =>
  json === undefined ? undefined : (JSON.parse(json) as Durable)

const write = (rows: Map<string, string>, key: string, json: string | undefined): void => {
  if (json === undefined) rows.delete(key)
  else rows.set(key, json)
}

const orCreate = <V>(map: Map<string, V>, key: string, create: () => V): V => {
  const value = map.get(key) ?? create()
  map.set(key, value)
  return value
}
