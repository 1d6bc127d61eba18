/** The folders that hold state, made before anything is started, and what it means when they cannot be. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { HostError } from '@systemg/core'
import { Failure } from '../failures.ts'
import { attempt, errnoOf } from '../host/host-error.ts'

/** @throws {Failure} `SYSG_STATE_FOLDER`. */
export const makeStateFolder = (folder: string): void => {
  try {
    make(folder)
  } catch (thrown) {
    throw stateFailure(folder, thrown)
  }
}

/** As people understand it: what the disk or the system refused of a folder for state. */
export const stateFailure = (folder: string, thrown: unknown): unknown =>
  thrown instanceof HostError ? new Failure('SYSG_STATE_FOLDER', { folder, why: thrown.message }) : thrown

/** Nothing more can be written there. */
export const isFull = (folder: string): boolean => {
  try {
    const { bavail, ffree, files } = statfsSync(folder)
    return bavail === 0 || (files > 0 && ffree === 0)
  } catch {
    return false
  }
}

/**
 * One folder after the other: Node's `recursive` calls a read-only file system a folder that does not exist, and never
 * comes back from below /proc.
 */
const make = (folder: string): void => {
  if (existsSync(folder)) return
  make(dirname(folder))
  attempt(`make ${folder}`, () => {
    try {
      mkdirSync(folder, { mode: 0o700 })
    } catch (thrown) {
      // Another command was faster.
      if (errnoOf(thrown) !== 'EEXIST') throw thrown
    }
  })
}
