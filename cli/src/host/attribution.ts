/**
 * Whether the process that answers on a connection is the one that was asked: the socket at its other end, looked for
 * among the open files of the tree, and then of everybody, so that the message can name who it was.
 */
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { NotAnsweredBy, type TreeRef } from '@systemg/core'
import { findPeer } from './peer-socket.ts'
import { allPids, readStat } from './process-stat.ts'
import type { ProcessTrees } from './process-trees.ts'
import { holds } from './socket-holders.ts'

const firstPollMs = 1
const longestPollMs = 50

/** Who answered last in the place of another: with a shared socket it is often the same again. */
let usualOther: number | undefined

/** Wait until somebody has accepted. @throws {NotAnsweredBy} when it is nobody of the tree. @throws the signal's reason. */
export const requireAnsweredBy = async (
  socket: Socket,
  tree: TreeRef,
  trees: ProcessTrees,
  signal: AbortSignal,
): Promise<void> => {
  const accepted = new Set([await acceptedSocket(socket, signal)])
  const unreadable = await notHeldBy(tree, trees, accepted)
  if (unreadable === undefined) return
  const other = findOther(accepted)
  if (other !== undefined) throw new NotAnsweredBy('other', `answered by pid ${other}`, other)
  const [pid] = unreadable
  if (pid === undefined) throw new NotAnsweredBy('other', 'answered by a process that cannot be looked into')
  throw unattributable(`the open files of pid ${pid} cannot be read: it runs as another user`)
}

const acceptedSocket = async (socket: Socket, signal: AbortSignal): Promise<string> => {
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  if (localAddress === undefined || localPort === undefined || remoteAddress === undefined || remotePort === undefined)
    throw unattributable('who answers on a unix socket cannot be looked up')
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const peer = findPeer({ localAddress, localPort, remoteAddress, remotePort })
    if (typeof peer === 'object') return peer.inode
    if (peer === 'elsewhere') throw unattributable(`who answers at ${remoteAddress} is not on this machine`)
    if (peer === 'closed') throw unattributable('the connection was closed before it was known who had accepted it')
    await pause(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

const unattributable = (why: string): NotAnsweredBy => new NotAnsweredBy('unattributable', why)

/** `undefined` when a process of the tree has the socket; else those whose open files can't be read. */
const notHeldBy = async (
  tree: TreeRef,
  trees: ProcessTrees,
  accepted: Inodes,
): Promise<readonly number[] | undefined> => {
  if (readStat(tree.pid)?.startTime === tree.startTime && holds(tree.pid, accepted) === true) return undefined
  const unreadable: number[] = []
  for (const { pid } of (await trees.look(tree)).members) {
    const held = holds(pid, accepted)
    if (held === true) return undefined
    if (held === undefined) unreadable.push(pid)
  }
  return unreadable
}

const findOther = (accepted: Inodes): number | undefined => {
  if (usualOther !== undefined && holds(usualOther, accepted) === true) return usualOther
  usualOther = allPids().find((pid) => holds(pid, accepted) === true)
  return usualOther
}

type Inodes = ReadonlySet<string>
