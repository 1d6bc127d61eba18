/** Looks at real files, by chokidar: one inotify watch per folder. */
import { lstatSync } from 'node:fs'
import { watch, type FSWatcher } from 'chokidar'
import type { WatchFiles, WatchListener } from './port.ts'

export const watchFiles: WatchFiles = (request, listener) => {
  const beganAt = Date.now()
  let isReady = false
  const watcher = watch([...request.roots], {
    ignored: (path, stats) => stats !== undefined && request.ignores(path, stats.isDirectory()),
    alwaysStat: true,
    ignorePermissionErrors: true,
  })
  watcher.on('all', (event, path, stats) => {
    if (event === 'addDir' || event === 'unlinkDir') return
    // While it looks around for the first time, only what has been written since is a change.
    if (isReady || event !== 'add' || (stats?.mtimeMs ?? 0) >= beganAt) listener.onChange(path)
  })
  const links = request.roots.filter(isLink)
  const followers = links.length > 0 ? [watchLinks(links, watcher, listener)] : []
  for (const one of [watcher, ...followers]) one.on('error', (thrown) => listener.onFailure(failureOf(thrown)))
  watcher.once('ready', () => (isReady = true))
  return {
    close: async () => {
      await Promise.all([watcher, ...followers].map((one) => one.close()))
    },
  }
}

/** A link that is watched may come to lead elsewhere (`current -> releases/7`): that is a change of all that is in it. */
const watchLinks = (links: readonly string[], watcher: FSWatcher, listener: WatchListener): FSWatcher =>
  watch([...links], { followSymlinks: false, depth: 0, ignoreInitial: true }).on('change', (path) => {
    watcher.unwatch(path)
    watcher.add(path)
    listener.onChange(path)
  })

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false

const failureOf = (thrown: unknown): { code: string | undefined; message: string } => {
  const { code, message } =
    thrown instanceof Error ? (thrown as NodeJS.ErrnoException) : { code: undefined, message: '' }
  return { code, message: message === '' ? String(thrown) : message }
}
