/**
 * Restarts a service, by its strategy, when one of its files changes.
 *
 * Owns the service key `watch`. Taps `boot` and `reload` (begins and ends to watch) and `event` (knows of deploys under
 * way). The files are looked at by chokidar (`node.ts`), loaded when a service has something to watch.
 *
 * Only what is wanted is restarted: a change starts nothing that a person stopped. It does bring back what has failed,
 * waits in backoff or has completed, since the change may be the repair. It counts as a person's restart, not as one of
 * the policy.
 */
import { definePlugin, relativeTo, whyOf, type PluginApi, type ResolvedSystem } from '@systemg/core'
import type { z } from 'zod'
import { cronWithWatch } from './check.ts'
import type { Watch, watch as watchKey, WatchOptions } from './options.ts'
import type { OpenWatch, WatchFiles, WatchListener } from './port.ts'
import { Restarts } from './restarts.ts'
import { describeFailure } from './failures.ts'

export const watch = definePlugin<Partial<WatchOptions> | undefined>({
  name: 'watch',
  schemas: () => import('./options.ts'),
  live: ['watch'],
  check: cronWithWatch,
  setup(api) {
    const { host, hooks, system } = api
    const options = { own: [], ...api.options }
    const deploying = new Set<string>()
    const restarts = new Restarts({
      clock: host.clock,
      mayRestart: (service) => mayRestart(stateOf(api, service), deploying.has(service)),
      restart: (changed) => restartChanged(api, changed),
      loops: (service, paths) => warnOfLoop(api, service, paths),
    })
    const watches = new Watches(api, options, restarts)
    api.onDispose(() => watches.close())

    hooks.event.tap('watch', ({ type, service = '' }) => {
      if (type === 'deploy.started') deploying.add(service)
      else if (type === 'deploy.succeeded' || type === 'deploy.rolled_back') deploying.delete(service)
    })
    hooks.boot.tap({ name: 'watch', stage: 100 }, (state) => {
      watches.follow(system.config)
      return state
    })
    hooks.reload.tap('watch', ({ after }) => watches.follow(after))
  },
})

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Restart when one of these files changes: paths, or `{ paths, ignore, debounce }`. From the `watch` plugin. */
    watch?: z.input<typeof watchKey>
  }
  interface ResolvedService {
    readonly watch?: z.output<typeof watchKey>
  }
  interface EventData {
    /** Files of a service have changed, and it is restarted. */
    'watch.changed': { paths: readonly string[]; more: number }
    /** Something cannot be watched; the service goes on. */
    'watch.failed': { reason: string }
    /** Files change after each restart: the service probably writes them. The next restarts wait longer. */
    'watch.loops': { paths: readonly string[]; more: number }
  }
}

/** What is watched, by service. */
class Watches {
  readonly #api: PluginApi
  readonly #options: WatchOptions
  readonly #restarts: Restarts
  readonly #open = new Map<string, { readonly key: string; readonly opened: Promise<OpenWatch | undefined> }>()

  constructor(api: PluginApi, options: WatchOptions, restarts: Restarts) {
    this.#api = api
    this.#options = options
    this.#restarts = restarts
  }

  /** Watch what this config says, and nothing else. What has not changed is not interrupted. */
  follow({ folder, services }: ResolvedSystem): void {
    for (const [name, { key }] of this.#open) {
      if (keyOf(folder, services[name]?.watch) !== key) void this.#end(name)
    }
    for (const [name, { watch: rules }] of Object.entries(services)) {
      const key = keyOf(folder, rules)
      if (rules === undefined || this.#open.has(name)) continue
      this.#open.set(name, { key, opened: this.#begin(name, rules, folder) })
    }
  }

  async close(): Promise<void> {
    this.#restarts.close()
    await Promise.all([...this.#open.keys()].map((name) => this.#end(name)))
  }

  async #begin(name: string, rules: Watch, folder: string): Promise<OpenWatch | undefined> {
    const listener = this.#listenerFor(name, rules, folder)
    try {
      const [{ requestOf }, watchFiles] = await Promise.all([import('./paths.ts'), this.#files()])
      return watchFiles(requestOf(rules, { folder, own: this.#options.own }), listener)
    } catch (thrown) {
      listener.onFailure({ code: undefined, message: whyOf(thrown) })
      return undefined
    }
  }

  async #files(): Promise<WatchFiles> {
    return this.#options.files ?? (await import('./node.ts')).watchFiles
  }

  async #end(name: string): Promise<void> {
    const { opened } = this.#open.get(name) ?? {}
    this.#open.delete(name)
    this.#restarts.forget(name)
    await (await opened)?.close()
  }

  #listenerFor(name: string, { debounce }: Watch, folder: string): WatchListener {
    const { host, system } = this.#api
    const told = new Set<string>()
    return {
      onChange: (path) => this.#restarts.changed(name, relativeTo(folder, path), debounce),
      onFailure: (failure) => {
        const reason = describeFailure(failure)
        if (told.has(reason)) return
        told.add(reason)
        host.trace('warn', `Not everything that \`${name}\` watches can be watched: ${reason}`)
        system.emit('watch.failed', { service: name }, { reason })
      },
    }
  }
}

const keyOf = (folder: string, rules: Watch | undefined): string =>
  rules === undefined ? '' : JSON.stringify([folder, rules])

const stateOf = ({ system }: PluginApi, service: string): string | undefined => system.view([service])[0]?.state

/** What is not there, or waits for something else, reads its files when it starts. */
const mayRestart = (state: string | undefined, isDeploying: boolean): 'yes' | 'no' | 'later' => {
  if (isDeploying || state === 'stopping') return 'later'
  const lives = ['running', 'unhealthy', 'starting', 'backoff', 'failed', 'completed']
  return state !== undefined && lives.includes(state) ? 'yes' : 'no'
}

/** Paths that are named in an event. */
const namedPaths = 5

const named = (paths: readonly string[]) => ({
  paths: paths.slice(0, namedPaths),
  more: Math.max(0, paths.length - namedPaths),
})

const warnOfLoop = ({ host, system }: PluginApi, service: string, paths: readonly string[]): void => {
  const list = paths.slice(0, namedPaths).join(', ')
  host.trace('warn', `\`${service}\` seems to write what it watches (${list}): add that to \`watch.ignore\``)
  system.emit('watch.loops', { service }, named(paths))
}

const restartChanged = async (
  { host, system }: PluginApi,
  changed: ReadonlyMap<string, readonly string[]>,
): Promise<void> => {
  const causes = Object.fromEntries(
    [...changed].map(([service, paths]) => {
      return [service, system.emit('watch.changed', { service }, named(paths)).seq]
    }),
  )
  try {
    const { problems } = await system.restart({ names: [...changed.keys()], onlyWanted: true, causes })
    for (const { message } of problems) host.trace('warn', `After a change of files: ${message}`)
  } catch (thrown) {
    // The system stops, or the service was removed meanwhile.
    host.trace('debug', `No restart after a change of files: ${whyOf(thrown)}`)
  }
}
