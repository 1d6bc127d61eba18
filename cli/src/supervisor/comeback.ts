/**
 * What a supervisor needs to come back after it was killed: written down while it lives, for the one that its holder starts.
 * It holds the environment of the caller, so it is for its owner alone.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResolvedSystem } from '@systemg/core'
import type { HolderSettings, Inheritance } from '../host/index.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { ownEnvironment, supervisorCommand, type DaemonRequest } from './daemon.ts'

const requestOf = (paths: ProjectPaths): string => join(paths.folder, 'run', 'comeback.json')

/** From here on a supervisor comes back with this config. */
export const writeComeback = (
  paths: ProjectPaths,
  request: Omit<DaemonRequest, 'comeback'>,
  system: ResolvedSystem,
): void => {
  const path = requestOf(paths)
  mkdirSync(join(paths.folder, 'run'), { recursive: true, mode: 0o700 })
  writeFileSync(`${path}.new`, JSON.stringify({ ...request, comeback: system } satisfies DaemonRequest), {
    mode: 0o600,
  })
  renameSync(`${path}.new`, path)
}

/** The system has ended. */
export const forgetComeback = (paths: ProjectPaths): void => rmSync(requestOf(paths), { force: true })

/** How the holder of this supervisor brings the next one up. */
export const holderSettings = (
  paths: ProjectPaths,
  how: { readonly hasCode: boolean; readonly respawn: boolean; readonly inheritance: Inheritance | undefined },
): HolderSettings => ({
  folder: paths.folder,
  command: supervisorCommand(how.hasCode),
  request: requestOf(paths),
  respawn: how.respawn,
  tries: how.inheritance?.tries ?? 0,
  env: ownEnvironment(process.env),
  log: paths.boot,
})
