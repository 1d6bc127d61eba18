/** Where state lives. Loaded by every command: imports nothing but Node. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** The folder that holds every project's state: `$SYSG_HOME`, `$XDG_STATE_HOME/systemg`, `~/.local/state/systemg`. */
export const stateRoot = (env: Env, sys: boolean): string => {
  if (sys) return '/var/lib/systemg'
  if (isSet(env['SYSG_HOME'])) return env['SYSG_HOME']
  if (isSet(env['XDG_STATE_HOME'])) return join(env['XDG_STATE_HOME'], 'systemg')
  if (isSet(env['HOME'])) return join(env['HOME'], '.local', 'state', 'systemg')
  return `/var/tmp/systemg-${process.getuid?.() ?? 0}`
}

/** Everything of one project. */
export interface ProjectPaths {
  readonly id: string
  /** Databases, logs and the socket are in here. */
  readonly folder: string
  readonly logs: string
  /** As wanted; `socketPath` says where it really is. */
  readonly socket: string
  /** What a supervisor in the background prints before its own log is open. */
  readonly boot: string
}

export const projectPaths = (root: string, id: string): ProjectPaths => {
  const folder = join(root, id)
  return {
    id,
    folder,
    logs: join(folder, 'logs'),
    socket: join(folder, 'run', 'control.sock'),
    boot: join(folder, 'run', 'boot.log'),
  }
}

/** The link by which a config's path leads to its project's id without reading the config. */
export const linkOf = (root: string, configFile: string): string =>
  join(root, 'by-config', createHash('sha256').update(configFile).digest('hex').slice(0, 32))

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''
