/**
 * What a supervisor needs to come back after it was killed: written down while it lives, for the one that its holder starts.
 * It holds the environment of the caller, so it is for its owner alone.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { whyOf, type ResolvedSystem, type Trace } from '@systemg/core'
import { attempt } from '../host/host-error.ts'
import type { HolderSettings, Inheritance } from '../host/index.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { ownEnvironment, type DaemonRequest } from './daemon.ts'
import { makeStateFolder } from './state-folder.ts'
import { forgetVersionBefore } from './version-before.ts'

/** The file with that. */
export const comebackRequest = (paths: ProjectPaths): string => join(paths.folder, 'run', 'comeback.json')

/** From here on a supervisor comes back with this config. On a full disk with the one before, or not at all. */
const writeComeback = (
  paths: ProjectPaths,
  request: Omit<DaemonRequest, 'comeback'>,
  system: ResolvedSystem,
  trace: Trace,
): void => {
  const path = comebackRequest(paths)
  const text = JSON.stringify({ ...request, comeback: system } satisfies DaemonRequest)
  try {
    makeStateFolder(join(paths.folder, 'run'))
    attempt(`write ${path}`, () => {
      writeFileSync(`${path}.new`, text, { mode: 0o600 })
      renameSync(`${path}.new`, path)
    })
  } catch (thrown) {
    trace('warn', `A supervisor that is killed may not come back with this config: ${whyOf(thrown)}`)
  }
}

/** What the next supervisor is told, while this one lives. */
export class Comeback {
  readonly #paths: ProjectPaths
  readonly #trace: Trace
  #request: Omit<DaemonRequest, 'comeback'>

  constructor(paths: ProjectPaths, request: Omit<DaemonRequest, 'comeback'>, trace: Trace) {
    this.#paths = paths
    this.#request = request
    this.#trace = trace
  }

  write(system: ResolvedSystem): void {
    writeComeback(this.#paths, this.#request, system, this.#trace)
  }

  /** Another config is in force: what was asked for at first is no longer all. */
  follow(system: ResolvedSystem): void {
    this.#request = { ...this.#request, services: undefined }
    this.write(system)
  }

  /** It is to load the plugins that this config lists. @returns how to take that back. */
  takePluginsOf(file: string, system: () => ResolvedSystem): () => void {
    const { config, hasCode } = this.#request
    const set = (change: Pick<DaemonRequest, 'config' | 'hasCode'>) => {
      this.#request = { ...this.#request, ...change }
      this.write(system())
    }
    set({ config: file, hasCode: true })
    return () => set({ config, hasCode })
  }
}

/** The system has ended. */
export const forgetComeback = (paths: ProjectPaths): void => rmSync(comebackRequest(paths), { force: true })

/** How the holder of this supervisor brings the next one up. */
export const holderSettings = (
  paths: ProjectPaths,
  how: {
    readonly command: readonly string[]
    readonly before: readonly string[] | undefined
    readonly respawn: boolean
    readonly inheritance: Inheritance | undefined
  },
): HolderSettings => ({
  folder: paths.folder,
  command: how.command,
  before: how.before,
  onCalm: () => forgetVersionBefore(paths),
  request: comebackRequest(paths),
  respawn: how.respawn,
  tries: how.inheritance?.tries ?? 0,
  env: ownEnvironment(process.env),
  log: paths.boot,
})
