/**
 * What the supervisor remembers: `state.db` for small values that must be on disk at once, `history.db` for records.
 *
 * Both may be read while a supervisor writes them.
 */
import { join } from 'node:path'
import type { Durable, DurableTable, Store, Trace } from '@systemg/core'
import { Database } from './database.ts'
import { History } from './history.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS entries (
    name TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, key)
  ) WITHOUT ROWID`

/**
 * Open the store in a project's state folder, made when missing. Damaged files are set aside as `<file>.corrupt-<time>`.
 *
 * @param options.readOnly - For commands beside a supervisor, or without one: nothing is made, changed or set aside.
 * @throws {SysgError} `SYSG_STATE_NEWER` when a newer systemg has written it.
 * @throws {HostError} When the disk does not allow it. Writing methods throw it, too.
 */
export const openStore = (folder: string, options: { readOnly?: boolean; trace?: Trace } = {}): Store => {
  const { readOnly = false, trace = () => undefined } = options
  const path = join(folder, 'state.db')
  const state = new Database({ path, schema, version: 1, synchronous: 'FULL', check: !readOnly, readOnly, trace })
  const history = openHistory(join(folder, 'history.db'), readOnly, trace, state)
  return {
    table: (name) => tableOf(state, name),
    log: (name) => history.log(name),
    transaction(body, { survives = 'power-cut' } = {}) {
      const { pendingCount } = history
      try {
        state.transaction(body, { waits: survives === 'power-cut' })
      } catch (thrown) {
        history.dropAfter(pendingCount)
        throw thrown
      }
    },
    close() {
      history.close()
      state.close()
    },
  }
}

const openHistory = (path: string, readOnly: boolean, trace: Trace, state: Database): History => {
  try {
    return new History(path, readOnly, trace)
  } catch (thrown) {
    state.close()
    throw thrown
  }
}

const tableOf = (database: Database, name: string): DurableTable => ({
  get(key) {
    const row = database.get('SELECT value FROM entries WHERE name = ? AND key = ?', name, key)
    return row === undefined ? undefined : parse(row['value'])
  },
  set(key, value) {
    const json = JSON.stringify(value)
    database.run('INSERT OR REPLACE INTO entries VALUES (?, ?, ?)', name, key, json)
  },
  delete(key) {
    database.run('DELETE FROM entries WHERE name = ? AND key = ?', name, key)
  },
  entries() {
    return database
      .all('SELECT key, value FROM entries WHERE name = ? ORDER BY key', name)
      .map((row) => [String(row['key']), parse(row['value'])] as const)
  },
})

const parse = (json: unknown): Durable => JSON.parse(String(json)) as Durable
