/** Which sockets of this machine listen, where, and whose they are: from `/proc/net` and the descriptors of processes. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { endianness } from 'node:os'
import type { ProcessInfo } from '@systemg/core'
import { processInfo } from './process-info.ts'
import { readStat } from './process-stat.ts'

/** A socket that listens. */
export interface Listener {
  readonly inode: string
  /** `tcp://host:port` or `unix:///path`. */
  readonly address: string
}

/** Everything that listens in this network namespace. */
export const listeners = (): readonly Listener[] => [
  ...rows('tcp').flatMap(tcpListener),
  ...rows('tcp6').flatMap(tcpListener),
  ...rows('unix').flatMap(unixListener),
]

/** The inode of a descriptor of this process; `undefined` when it is no socket. */
export const socketInode = (fd: number): string | undefined => inodeOf(`/proc/self/fd/${fd}`)

/** Processes that have one of these sockets open, as far as we may look. The lowest pid first. */
export const ownersOf = (inodes: ReadonlySet<string>): readonly number[] =>
  inodes.size === 0
    ? []
    : namesIn('/proc')
        .map(Number)
        .filter((pid) => pid > 0 && has(pid, inodes))
        .sort((a, b) => a - b)

/** Who listens on a TCP port; `undefined` when nobody does. Those whose descriptors this user may not see are left out. */
export const listenersOn = (port: number): readonly ProcessInfo[] | undefined => {
  const found = listeners().filter(({ address }) => address.startsWith('tcp://') && address.endsWith(`:${port}`))
  if (found.length === 0) return undefined
  return ownersOf(new Set(found.map(({ inode }) => inode))).flatMap((pid) => {
    const stat = readStat(pid)
    return stat?.isLiving === true ? [processInfo(stat)] : []
  })
}

const listenState = '0A'
/** `SO_ACCEPTCON`. */
const acceptsFlag = 0x10000

const rows = (table: string): readonly (readonly string[])[] => {
  try {
    const [, ...lines] = readFileSync(`/proc/net/${table}`, 'utf8').split('\n')
    return lines.map((line) => line.trim().split(/\s+/))
  } catch {
    return []
  }
}

const tcpListener = (row: readonly string[]): readonly Listener[] => {
  const [, local = '', , state, , , , , , inode = ''] = row
  const [host = '', port = ''] = local.split(':')
  if (state !== listenState) return []
  return [{ inode, address: `tcp://${hostOf(host)}:${Number.parseInt(port, 16)}` }]
}

const unixListener = (row: readonly string[]): readonly Listener[] => {
  const [, , , flags = '', , , inode = '', ...path] = row
  if ((Number.parseInt(flags, 16) & acceptsFlag) === 0 || path.length === 0) return []
  return [{ inode, address: `unix://${path.join(' ')}` }]
}

/** The kernel prints addresses as words of 32 bits in the machine's own order. */
const hostOf = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex')
  if (endianness() === 'LE') bytes.swap32()
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname
}

const has = (pid: number, inodes: ReadonlySet<string>): boolean =>
  namesIn(`/proc/${pid}/fd`).some((fd) => inodes.has(inodeOf(`/proc/${pid}/fd/${fd}`) ?? ''))

const inodeOf = (link: string): string | undefined => {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1]
  } catch {
    return undefined
  }
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
