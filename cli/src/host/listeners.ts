/** Which sockets of this machine listen, and where. */
import type { ProcessInfo } from '@systemg/core'
import { processInfo } from './process-info.ts'
import { readStat } from './process-stat.ts'
import { holdersOf } from './socket-holders.ts'
import { hostOf, readSocketTable, type SocketTable } from './socket-tables.ts'

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

/** Who listens on a TCP port; `undefined` when nobody does. Those whose descriptors this user may not see are left out. */
export const listenersOn = (port: number): readonly ProcessInfo[] | undefined => {
  const found = listeners().filter(({ address }) => address.startsWith('tcp://') && address.endsWith(`:${port}`))
  if (found.length === 0) return undefined
  return holdersOf(new Set(found.map(({ inode }) => inode))).flatMap((pid) => {
    const stat = readStat(pid)
    return stat?.isLiving === true ? [processInfo(stat)] : []
  })
}

const listenState = '0A'
/** `SO_ACCEPTCON`. */
const acceptsFlag = 0x10000

const rows = (table: SocketTable): readonly (readonly string[])[] => {
  const [, ...lines] = readSocketTable(table).split('\n')
  return lines.map((line) => line.trim().split(/\s+/))
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
