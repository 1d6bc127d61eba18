/**
 * After the supervisor was killed: its holder brings it back, by itself or when it is told to. What that one held open goes on
 * with it; a supervisor that a command starts would have to bind anew what services still have.
 */
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { silent, tryConnect, type Supervisor } from '../client/connect.ts'
import { Failure } from '../failures.ts'
import { holderRecordName, type HolderRecord } from '../host/held.ts'
import { readStat } from '../host/process-stat.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { lastWords } from './daemon.ts'

/** How long a supervisor may take until it can be spoken to, ms. */
const bootLimitMs = 30_000
const lookEveryMs = 10

/** Have the project's holder bring its supervisor back: also one that waits for a word. `undefined` when none lives. */
export const wake = (paths: ProjectPaths): Promise<Supervisor | undefined> => bringBack(paths, true)

/** Wait for a holder that brings the supervisor back by itself. `undefined` when none lives, or it waits for a word. */
export const waitForComeback = (paths: ProjectPaths, limitMs?: number): Promise<Supervisor | undefined> =>
  bringBack(paths, false, limitMs)

/** As `waitForComeback`, until it has taken everything over: one that dies on the way is followed by another. */
export const waitForSuccessor = async (paths: ProjectPaths, limitMs: number): Promise<Supervisor | undefined> => {
  for (const deadline = Date.now() + limitMs; ;) {
    const supervisor = await waitForComeback(paths, Math.max(0, deadline - Date.now()))
    if (supervisor === undefined) return undefined
    const over = new AbortController()
    void supervisor.closed.then(() => {
      over.abort()
    })
    while (!over.signal.aborted && Date.now() < deadline) {
      const holder = livingHolder(paths)
      // It starts a holder of its own when it needs nothing more from that of the one before.
      if (holder !== undefined && readStat(holder.pid)?.parentPid === supervisor.pid) return supervisor
      await pause(lookEveryMs)
    }
    supervisor.close()
  }
}

/** Not exported: Rollup (4.67) takes `knock` for always true when one caller imports it dynamically. */
const bringBack = async (
  paths: ProjectPaths,
  knock: boolean,
  limitMs = bootLimitMs,
): Promise<Supervisor | undefined> => {
  let answer: 'none' | 'heard' | 'opened' = 'none'
  for (const deadline = Date.now() + limitMs; Date.now() < deadline;) {
    await pause(lookEveryMs)
    const holder = livingHolder(paths)
    const supervisor = await tryConnect(paths)
    if (supervisor !== undefined) return supervisor
    // A supervisor records its holder before it kills the one before: with none alive now, there is none.
    if (holder === undefined && livingHolder(paths) === undefined) return undefined
    const waits = holder !== undefined && existsSync(holder.door)
    if (answer === 'heard' && !waits) answer = 'opened'
    if (!waits) continue
    if (!knock) return undefined
    // It waits again: what it started has died.
    if (answer === 'opened')
      throw new Failure('SYSG_SUPERVISOR_DIED', { log: paths.boot, words: lastWords(paths.boot) })
    if (answer === 'none' && say(holder.door)) answer = 'heard'
  }
  throw await silent(paths, limitMs)
}

const livingHolder = (paths: ProjectPaths): HolderRecord | undefined => {
  try {
    const path = join(paths.folder, 'run', holderRecordName)
    const record = JSON.parse(readFileSync(path, 'utf8')) as HolderRecord
    const stat = readStat(record.pid)
    return stat?.isLiving === true && stat.startTime === record.startTime ? record : undefined
  } catch {
    return undefined
  }
}

/** Say `go`. False while nobody reads. */
const say = (door: string): boolean => {
  try {
    const fd = openSync(door, constants.O_WRONLY | constants.O_NONBLOCK)
    try {
      writeSync(fd, 'go\n')
    } finally {
      closeSync(fd)
    }
    return true
  } catch {
    return false
  }
}
