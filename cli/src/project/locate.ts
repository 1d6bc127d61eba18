/** Which project a command is about, without reading a config: by `--project`, or by the link its config left. */
import { dirname } from 'node:path'
import { fs } from '../builtin.ts'
import type { GlobalOptions } from '../command.ts'
import { Failure } from '../failures.ts'
import { findConfig } from './find-config.ts'
import { defaultProject } from './project-id.ts'
import { linkOf, projectPaths, stateRoot, type ProjectPaths } from './state-root.ts'

export interface Where {
  readonly globals: Pick<GlobalOptions, 'config' | 'project' | 'sys'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export interface Located {
  readonly root: string
  readonly paths: ProjectPaths
  /** The config's real path, when one was found. */
  readonly config: string | undefined
}

/** Where `--sys` looks last. */
export const systemConfigFolders = (sys: boolean): readonly string[] => (sys ? ['/etc/systemg'] : [])

/**
 * @throws {Failure} `SYSG_NO_SUPERVISOR` when nothing leads to a project that ever ran; `SYSG_CONFIG_…` when a config
 * was named that can't be read.
 */
export const locate = ({ globals, env, cwd }: Where): Located => {
  const root = stateRoot(env, globals.sys)
  if (globals.project !== undefined)
    return { root, paths: projectPaths(root, checkedId(globals.project)), config: undefined }
  const config = found({ globals, cwd, root })
  if ('paths' in config) return config
  const { file, folder } = config
  // A config of its own name in a folder that has run speaks to that folder's system.
  const id = readLink(linkOf(root, file)) ?? defaultProject(folder).id
  return { root, paths: projectPaths(root, id), config: file }
}

/** Let this config's path lead to the project. Replaced as a whole, so that a reader never sees half of it. */
export const writeLink = (root: string, configFile: string, id: string): void => {
  const link = linkOf(root, configFile)
  // On a full disk a system that ran before comes up again.
  if (readLink(link) === id) return
  fs.mkdirSync(dirname(link), { recursive: true, mode: 0o700 })
  const draft = `${link}.${process.pid}`
  fs.writeFileSync(draft, id, { mode: 0o600 })
  fs.renameSync(draft, link)
}

/** The config; without one what was started in this very folder, if ever anything was. */
const found = ({ globals, cwd, root }: Pick<Where, 'globals' | 'cwd'> & { root: string }) => {
  try {
    return findConfig({ cwd, config: globals.config, also: systemConfigFolders(globals.sys) })
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'SYSG_CONFIG_NOT_FOUND') {
      const paths = projectPaths(root, defaultProject(cwd).id)
      if (fs.existsSync(paths.folder)) return { root, paths, config: undefined }
      throw new Failure('SYSG_NO_SUPERVISOR', { project: `${cwd}: it has no config, nor has a folder above it` })
    }
    throw thrown
  }
}

const readLink = (path: string): string | undefined => {
  try {
    return checkedId(fs.readFileSync(path, 'utf8').trim())
  } catch {
    return undefined
  }
}

/** @throws {Failure} `SYSG_USAGE`. */
export const checkedId = (id: string): string => {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(id)) return id
  throw new Failure('SYSG_USAGE', { message: `\`${id}\` is no project id: it is made of a-z, 0-9, _ and -.` })
}
