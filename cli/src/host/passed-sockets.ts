/** Sockets that whoever started this process has opened for it, by the protocol of systemd: sd_listen_fds(3). */
import { listeners } from './listeners.ts'
import { socketInode } from './socket-holders.ts'

export interface PassedSocket {
  readonly fd: number
  readonly address: string
  /** From `LISTEN_FDNAMES`. */
  readonly name: string | undefined
}

const firstFd = 3

/** Those among the descriptors from 3 on that listen. None when they were meant for another process. */
export const passedSockets = (
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly PassedSocket[] => {
  const count = Number(env['LISTEN_FDS'] ?? 0)
  if (Number(env['LISTEN_PID']) !== pid || !Number.isSafeInteger(count) || count < 1) return []
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':')
  const byInode = new Map(listeners().map(({ inode, address }) => [inode, address]))
  return Array.from({ length: Math.min(count, 1024) }, (_, index) => index).flatMap(
    (index): readonly PassedSocket[] => {
      const fd = firstFd + index
      const address = byInode.get(socketInode(fd) ?? '')
      return address === undefined ? [] : [{ fd, address, name: names[index] }]
    },
  )
}
