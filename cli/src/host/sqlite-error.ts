/** What SQLite's result codes mean for us. @see https://sqlite.org/rescode.html */
import { HostError } from '@systemg/core'

const errnoByCode: Readonly<Record<number, string>> = {
  3: 'EACCES',
  5: 'EBUSY',
  6: 'EBUSY',
  7: 'ENOMEM',
  8: 'EROFS',
  10: 'EIO',
  11: 'EBADMSG',
  13: 'ENOSPC',
  14: 'EACCES',
  15: 'ENOLCK',
  22: 'ENOLCK',
  26: 'EBADMSG',
}

/** `undefined` for errors that are not SQLite's. */
const extendedCode = (thrown: unknown): number | undefined =>
  thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode : undefined

/** The primary result code. */
const sqliteCode = (thrown: unknown): number | undefined => {
  const code = extendedCode(thrown)
  return code === undefined ? undefined : code & 0xff
}

/** The file is damaged, or no database. */
export const isCorrupt = (thrown: unknown): boolean => [11, 26].includes(sqliteCode(thrown) ?? 0)

/** Who opened it to read cannot undo what a writer that was killed had begun in a rollback journal. */
export const isUnfinished = (thrown: unknown): boolean => extendedCode(thrown) === readOnlyRollback

/** SQLITE_READONLY_ROLLBACK. */
const readOnlyRollback = 776

/** Somebody else holds the lock. */
export const isBusy = (thrown: unknown): boolean => [5, 6].includes(sqliteCode(thrown) ?? 0)

/** As a `HostError`, if it is SQLite's; any other error as it is. */
export const databaseError = (path: string, thrown: unknown): unknown => {
  const code = sqliteCode(thrown)
  if (code === undefined) return thrown
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  return new HostError(errnoByCode[code] ?? 'EIO', `${path}: ${why}`, { cause: thrown })
}
