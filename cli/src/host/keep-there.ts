/** Puts a file back that somebody removes, alone or with its folder. The kernel tells of it (inotify(7)): nothing polls. */
import { existsSync, watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'

/** Not before a supervisor that comes back has answered who waits: to watch takes longer than to listen. */
const beginAfterMs = 1_000
/** After what could not be done: for want of room, descriptors or watches, which the kernel limits. */
const againAfterMs = 5_000

/** @param renew - Makes the file. May throw. @returns what ends it. */
export const keepThere = (path: string, renew: () => void): (() => void) => {
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  const lookIn = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(look, ms).unref()
  }
  const look = (): void => {
    watcher?.close()
    try {
      if (!existsSync(path)) renew()
      watcher = watch(dirname(path), { persistent: false }, () => {
        if (!existsSync(path)) lookIn(0)
      })
      watcher.once('error', () => lookIn(againAfterMs))
      if (!existsSync(path)) lookIn(0)
    } catch {
      lookIn(againAfterMs)
    }
  }
  lookIn(beginAfterMs)
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}
