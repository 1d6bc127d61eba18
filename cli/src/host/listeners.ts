/**
 * Who listens on a TCP port: the kernel names sockets by inode, and processes show which sockets they have open.
 *
 * @see proc_net_tcp in proc(5)
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { ProcessInfo } from '@systemg/core'
import { errnoOf } from './host-error.ts'
import { processInfo } from './process-info.ts'
import { readStat } from './process-stat.ts'

/** `undefined` when nobody listens; without those whose descriptors this user may not see. */
export const listenersOn = (port: number): readonly ProcessInfo[] | undefined => {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => listeningInodes(textOf(path), port)))
  if (inodes.size === 0) return undefined
  const sockets = new Set([...inodes].map((inode) => `socket:[${inode}]`))
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && hasOneOf(name, sockets))
    .flatMap((name) => {
      const stat = readStat(Number(name))
      return stat?.isLiving === true ? [processInfo(stat)] : []
    })
}

/** Inodes of sockets that listen on `port`, from the text of `/proc/net/tcp`. */
export const listeningInodes = (text: string, port: number): readonly string[] =>
  text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    const isIt = state === stateListen && Number.parseInt(local.slice(local.indexOf(':') + 1), 16) === port
    return isIt && inode !== undefined ? [inode] : []
  })

const stateListen = '0A'

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch (thrown) {
    // A kernel without IPv6.
    if (errnoOf(thrown) === 'ENOENT') return ''
    throw thrown
  }
}

const hasOneOf = (pid: string, sockets: ReadonlySet<string>): boolean => {
  const folder = `/proc/${pid}/fd`
  const open = (): readonly string[] => {
    try {
      return readdirSync(folder)
    } catch {
      return []
    }
  }
  return open().some((fd) => {
    try {
      return sockets.has(readlinkSync(`${folder}/${fd}`))
    } catch {
      return false
    }
  })
}
