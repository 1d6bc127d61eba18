/** Who has a socket open: from the descriptors of processes, as far as we may look. */
import { readdirSync, readlinkSync } from 'node:fs'
import { errnoOf } from './host-error.ts'
import { allPids } from './process-stat.ts'

/** The inode of a descriptor of this process; `undefined` when it is no socket. */
export const socketInode = (fd: number): string | undefined => inodeOf(`/proc/self/fd/${fd}`)

/** Processes that have one of these sockets open. The lowest pid first. */
export const holdersOf = (inodes: ReadonlySet<string>): readonly number[] => {
  if (inodes.size === 0) return []
  try {
    return allPids().filter((pid) => holds(pid, inodes) === true)
  } catch {
    return []
  }
}

/** Whether a process has one of these sockets open; `undefined` when its open files can't be read. */
export const holds = (pid: number, inodes: ReadonlySet<string>): boolean | undefined => {
  const folder = `/proc/${pid}/fd`
  try {
    return readdirSync(folder).some((fd) => inodes.has(inodeOf(`${folder}/${fd}`) ?? ''))
  } catch (thrown) {
    return ['EACCES', 'EPERM'].includes(errnoOf(thrown)) ? undefined : false
  }
}

const inodeOf = (link: string): string | undefined => {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1]
  } catch {
    return undefined
  }
}
