/**
 * Finds the socket at the other end of a TCP connection on this machine, without native code: the kernel lists both
 * ends in `/proc/net/tcp` and `/proc/net/tcp6`, the peer's with our two addresses the other way round.
 *
 * @see proc_net_tcp(5)
 */
import { bytesOf, hexOf, hexPort, readSocketTable } from './socket-tables.ts'

/** Both ends of a connection, as seen from here. */
export interface Ends {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

/**
 * What the kernel says of the other end: nobody has accepted yet; the number of the socket that did; it has been
 * closed again; or it is not on this machine.
 */
export type PeerSocket = 'waiting' | { readonly inode: string } | 'closed' | 'elsewhere'

/** Look at the tables now. */
export const findPeer = (ends: Ends, read = readSocketTable): PeerSocket => {
  for (const [table, text] of tablesFor(ends)) {
    const found = inTable(read(table), text)
    if (found !== undefined) return found
  }
  return 'elsewhere'
}

/** `local_address rem_address` of the peer. A server that listens on `::` has IPv4 peers in the table of IPv6. */
const tablesFor = ({ localAddress, localPort, remoteAddress, remotePort }: Ends) => {
  const [local, remote] = [bytesOf(localAddress), bytesOf(remoteAddress)]
  const entry = (map: (bytes: readonly number[]) => readonly number[]) =>
    `${hexOf(map(remote))}:${hexPort(remotePort)} ${hexOf(map(local))}:${hexPort(localPort)} `
  const asIs = entry((bytes) => bytes)
  return local.length === 4
    ? ([
        ['tcp', asIs],
        ['tcp6', entry(mapped)],
      ] as const)
    : ([['tcp6', asIs]] as const)
}

/** Fields: local and remote address, state, queues, timer, retransmits, uid, timeout, inode. */
const inTable = (table: string, entry: string): PeerSocket | undefined => {
  const at = table.indexOf(entry)
  if (at === -1) return undefined
  const [, , state, , , , , , inode = '0'] = table.slice(at, table.indexOf('\n', at)).split(/\s+/)
  if (inode !== '0') return { inode }
  // Established, or not even that on the other side: in the backlog. Everything else is on its way out.
  return state === '01' || state === '03' ? 'waiting' : 'closed'
}

const mapped = (bytes: readonly number[]): readonly number[] => [...Array<number>(10).fill(0), 255, 255, ...bytes]
