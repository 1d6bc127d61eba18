/** Holders that no supervisor needs any more: of one that was killed, once another one has taken over or everything has ended. */
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { holderRecordName, holderVariables, readList } from './held.ts'
import { readMarks } from './process-environment.ts'
import { readStat, type ProcessStat } from './process-stat.ts'

/**
 * A supervisor has taken over, with a holder of its own: a child of it, and not always the same one, since what is to be kept
 * may change meanwhile.
 */
export const endOtherHolders = async (folder: string): Promise<void> => {
  await killHolders(folder, ({ parentPid }) => parentPid !== process.pid)
  removeFiles(folder, (name) => !name.startsWith(`holder-${process.pid}-`))
}

/** Everything has ended without a supervisor, and what was kept for one is not needed. */
export const endHolders = async (folder: string): Promise<void> => {
  const run = join(folder, 'run')
  const entries = names(run)
    .filter(isList)
    .flatMap((name) => readList(join(run, name)))
  await killHolders(folder, () => true)
  for (const entry of entries) if (entry.kind === 'socket') removeSocketFile(entry.label, entry.inode)
  removeFiles(folder, () => true)
  rmSync(join(run, holderRecordName), { force: true })
}

/** Remove the file of a unix socket, if it is still the one that was made for it. */
export const removeSocketFile = (address: string, inode: number | undefined): void => {
  const path = /^unix:\/\/(.+)$/.exec(address)?.[1]
  if (path === undefined || inode === undefined) return
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats?.isSocket() === true && stats.ino === inode) rmSync(path, { force: true })
}

/** Also what they have started meanwhile. Resolves when they are gone. */
const killHolders = async (folder: string, isEnded: (stat: ProcessStat) => boolean): Promise<void> => {
  for (let round = 0; round < mostRounds; round++) {
    const living = await livingHolders(folder, isEnded)
    if (living.length === 0) return
    for (const pid of living) kill(pid)
    await pause(5)
  }
}

const mostRounds = 200

const isList = (name: string): boolean => /^holder-\d+-\d+\.json$/.test(name)
const isDoor = (name: string): boolean => /^holder-\d+-\d+\.door$/.test(name)

const removeFiles = (folder: string, isOld: (name: string) => boolean): void => {
  const run = join(folder, 'run')
  for (const name of names(run))
    if ((isList(name) || isDoor(name)) && isOld(name)) rmSync(join(run, name), { force: true })
}

/** A machine has thousands of processes, and a supervisor that looks at them all answers others in between. */
const livingHolders = async (folder: string, isMeant: (stat: ProcessStat) => boolean): Promise<readonly number[]> => {
  const found: number[] = []
  for (const [index, pid] of names('/proc').map(Number).entries()) {
    if (index % looksPerTurn === 0) await nextTurn()
    if (pid > 1 && pid !== process.pid && isHolderOf(pid, folder)) found.push(pid)
  }
  return found.filter((pid) => {
    const stat = readStat(pid)
    return stat?.isLiving === true && isMeant(stat)
  })
}

const looksPerTurn = 32

const isHolderOf = (pid: number, folder: string): boolean => readMarks(pid, [holderVariables.mark]).includes(folder)

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

const names = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
