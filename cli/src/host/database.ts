/**
 * A database file that is always usable: made when missing, set aside and made anew when it cannot be read.
 *
 * Write-ahead logging, so that others may read while the supervisor writes.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { SysgError, whyOf, type Trace } from '@systemg/core'
import { attempt, errnoOf } from './host-error.ts'
import { databaseError, isCorrupt, isUnfinished } from './sqlite-error.ts'

export interface DatabaseOptions {
  readonly path: string
  /** Statements that make the tables of an empty database. */
  readonly schema: string
  /** Number of the schema, kept in `user_version`. A higher one in the file is refused. */
  readonly version: number
  /** `FULL`: a write is on disk when it returns. `NORMAL`: a power cut may take the last ones. */
  readonly synchronous: 'FULL' | 'NORMAL'
  /** Read every page when opening. For small databases. */
  readonly check?: boolean
  readonly readOnly?: boolean
  readonly trace: Trace
}

export type Row = Readonly<Record<string, SQLOutputValue>>

const busyMs = 1000
/** Kept small: the cost of a fork grows with resident memory. */
const cacheKib = 256

export class Database {
  readonly #options: DatabaseOptions
  #open: DatabaseSync
  #statements = new Map<string, StatementSync>()
  #isInTransaction = false

  /** @throws {SysgError} `SYSG_STATE_NEWER`. @throws {HostError} When it can be neither opened nor made. */
  constructor(options: DatabaseOptions) {
    this.#options = options
    this.#open = this.#openOrReplace()
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#attempt(() => this.#prepare(sql).run(...values))
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    return this.#attempt(() => this.#prepare(sql).all(...values))
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#attempt(() => this.#prepare(sql).get(...values))
  }

  /** All writes of `body`, or none. Inside another transaction it is a part of that one. `waits: false`: not for the disk. */
  transaction(body: () => void, { waits = true } = {}): void {
    if (this.#isInTransaction) {
      body()
      return
    }
    this.#attempt(() => {
      if (!waits) this.#open.exec('PRAGMA synchronous = NORMAL')
      this.#open.exec('BEGIN IMMEDIATE')
      this.#isInTransaction = true
      try {
        body()
        this.#open.exec('COMMIT')
      } catch (thrown) {
        this.#rollBack()
        throw thrown
      } finally {
        this.#isInTransaction = false
        if (!waits) this.#open.exec(`PRAGMA synchronous = ${this.#options.synchronous}`)
      }
    })
  }

  close(): void {
    this.#statements.clear()
    if (this.#open.isOpen) this.#open.close()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#open.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** Do it; when the database turns out to be damaged, do it again with a new one. */
  #attempt<T>(body: () => T): T {
    if (this.#isInTransaction) return body()
    const { path } = this.#options
    try {
      return body()
    } catch (thrown) {
      if (!isCorrupt(thrown) || this.#options.readOnly === true) throw databaseError(path, thrown)
      this.close()
      this.#setAside(thrown)
      this.#open = this.#openOrReplace()
    }
    try {
      return body()
    } catch (thrown) {
      throw databaseError(path, thrown)
    }
  }

  /** SQLite itself has rolled back already after some failures, a full disk for example. */
  #rollBack(): void {
    try {
      if (this.#open.isTransaction) this.#open.exec('ROLLBACK')
    } catch (thrown) {
      this.#options.trace('debug', 'rollback failed', { why: whyOf(thrown) })
    }
  }

  #openOrReplace(): DatabaseSync {
    const { path, readOnly } = this.#options
    try {
      return openFile(this.#options)
    } catch (thrown) {
      // Write-ahead logging is begun with a rollback journal, before there is anything in the file.
      if (readOnly === true && isUnfinished(thrown)) return emptyDatabase(this.#options.schema)
      if (!isCorrupt(thrown)) throw databaseError(path, thrown)
      if (readOnly === true) return this.#openNothing(thrown)
      this.#setAside(thrown)
    }
    try {
      return openFile(this.#options)
    } catch (thrown) {
      throw databaseError(path, thrown)
    }
  }

  /** A reader leaves a damaged file to the supervisor, and sees nothing in it. */
  #openNothing(why: unknown): DatabaseSync {
    this.#options.trace('warn', `${this.#options.path} can't be read`, { why: whyOf(why) })
    return emptyDatabase(this.#options.schema)
  }

  #setAside(why: unknown): void {
    const { path, trace } = this.#options
    const aside = `${path}.corrupt-${new Date().toISOString().replace(/[:.]/g, '-')}`
    attempt(`set ${path} aside`, () => {
      for (const part of ['', '-wal']) if (exists(path + part)) renameSync(path + part, aside + part)
      rmSync(`${path}-shm`, { force: true })
    })
    trace('warn', `${path} was damaged; it is kept as ${aside}, and a new one was begun`, { why: whyOf(why) })
  }
}

const openFile = (options: DatabaseOptions): DatabaseSync => {
  const { path, readOnly = false, synchronous } = options
  if (readOnly && !exists(path)) return emptyDatabase(options.schema)
  if (!readOnly) createPrivate(path)
  const database = new DatabaseSync(path, { readOnly })
  try {
    database.exec(`PRAGMA busy_timeout = ${busyMs}; PRAGMA cache_size = -${cacheKib}`)
    const found = formatOf(database, options)
    if (readOnly) return readable(database, options.schema)
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`)
    if (options.check === true) checkPages(database)
    if (found !== options.version) {
      database.exec(`BEGIN IMMEDIATE; ${options.schema}; PRAGMA user_version = ${options.version}; COMMIT`)
    }
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

/** 0 when it was just made. */
const formatOf = (database: DatabaseSync, { path, version }: DatabaseOptions): number => {
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (found <= version) return found
  throw SysgError.of('SYSG_STATE_NEWER', {
    message: `${path} was written by a newer systemg: it has format ${found}, this one knows ${version}.`,
    hint: 'Use the newer systemg, or stop the system with it first and then move that file away.',
  })
}

/** A database whose tables somebody is just making reads as an empty one. */
const readable = (database: DatabaseSync, schema: string): DatabaseSync => {
  if (database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() !== undefined) return database
  database.close()
  return emptyDatabase(schema)
}

const emptyDatabase = (schema: string): DatabaseSync => {
  const database = new DatabaseSync(':memory:')
  database.exec(`${schema}; PRAGMA query_only = ON`)
  return database
}

const checkPages = (database: DatabaseSync): void => {
  const result = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (result !== 'ok') throw Object.assign(new Error(String(result)), { errcode: 11 })
}

/** SQLite gives its other files the mode of this one. */
const createPrivate = (path: string): void => {
  attempt(`make ${path}`, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    try {
      closeSync(openSync(path, 'wx', 0o600))
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST') throw thrown
    }
  })
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
