/** Where state lives. Loaded by every command: imports nothing but Node. */
import { join } from 'node:path'
import { sha256 } from '../builtin.ts'

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

/**
 * The link by which a config's path leads to its project's id without reading the config. Named after the path; a hash
 * stands for one that is too long for a file's name.
 */
export const linkOf = (root: string, configFile: string): string => {
  const name = configFile.replaceAll('%', '%25').replaceAll('/', '%2F')
  return join(root, 'by-config', Buffer.byteLength(name) <= longestNameBytes ? name : sha256(configFile))
}

/** A file's name may have 255 bytes; a draft of the link has some more than the link. */
const longestNameBytes = 200

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ''
