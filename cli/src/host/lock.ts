/**
 * One supervisor per project: an exclusive lock on an empty database, held for life.
 *
 * The kernel frees it however the supervisor ends. Nothing else may ever open `lock.db`: closing any descriptor of a
 * file drops all locks that the process holds on it (fcntl(2)).
 */
import { chmodSync, mkdirSync, statfsSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HostError, SysgError } from '@systemg/core'
import { attempt } from './host-error.ts'
import { databaseError, isBusy, isCorrupt } from './sqlite-error.ts'

export interface Lock {
  release(): void
}

/** Long enough for several that start at once to agree on one winner. */
const agreeMs = 100

/** A database that nobody refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>()

/** File systems whose locks do not reach other machines, or that cannot share memory, by statfs(2). */
const unsuitable: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9p',
  0x5346414f: 'AFS',
  0x73757245: 'Coda',
}

/**
 * Become the project's supervisor. The folder is made when missing.
 *
 * @returns `undefined` when another supervisor lives.
 * @throws {SysgError} `SYSG_LOCK_UNSUPPORTED` on a file system without working locks.
 * @throws {HostError} When the file can't be made.
 */
export const acquireLock = (folder: string): Lock | undefined => {
  attempt(`make ${folder}`, () => mkdirSync(folder, { recursive: true, mode: 0o700 }))
  refuseUnsuitable(folder)
  return take(folder, join(folder, 'lock.db'))
}

const take = (folder: string, path: string, isMended = false): Lock | undefined => {
  const database = open(path)
  try {
    // Without a journal file: this database never has a page to restore.
    database.exec(`PRAGMA busy_timeout = ${agreeMs}; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE`)
    chmodSync(path, 0o600)
  } catch (thrown) {
    database.close()
    if (isBusy(thrown)) return undefined
    if (isCorrupt(thrown) && !isMended) {
      // Nothing is ever in it. Emptied, not removed: whoever has the lock has it on this very file.
      attempt(`empty ${path}`, () => truncateSync(path))
      return take(folder, path, true)
    }
    const error = databaseError(path, thrown)
    throw error instanceof HostError && error.errno === 'ENOLCK' ? unsupported(folder, 'no lock') : error
  }
  held.add(database)
  return {
    release() {
      if (held.delete(database)) database.close()
    },
  }
}

const open = (path: string): DatabaseSync => {
  try {
    return new DatabaseSync(path)
  } catch (thrown) {
    throw databaseError(path, thrown)
  }
}

const refuseUnsuitable = (folder: string): void => {
  const type = unsuitable[attempt(`look at ${folder}`, () => statfsSync(folder).type)]
  if (type !== undefined) throw unsupported(folder, type)
}

const unsupported = (folder: string, type: string): SysgError =>
  SysgError.of('SYSG_LOCK_UNSUPPORTED', {
    message: `${folder} is on a file system without reliable locks (${type}), so two supervisors could run at once.`,
    hint: 'Set SYSG_HOME to a folder on a local disk.',
  })
