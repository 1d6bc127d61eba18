/** Finds the config by name alone: nothing is parsed, no code is run. Loaded by every command: imports nothing but Node. */
import { dirname, join, resolve } from 'node:path'
import { fs } from '../builtin.ts'
import { Failure } from '../failures.ts'

/** In this order, in each folder upwards. */
export const configNames = [
  ...['ts', 'mts', 'js', 'mjs', 'cjs'].map((extension) => `sysg.config.${extension}`),
  ...['systemg.yaml', 'systemg.yml', 'sysg.yaml', 'sysg.yml', 'package.json'],
] as const

export interface FoundConfig {
  /** Real path. */
  readonly file: string
  /** Its folder. */
  readonly folder: string
  /** Something to tell, once. */
  readonly warning?: string
}

export interface FindOptions {
  readonly cwd: string
  /** As typed. */
  readonly config?: string | undefined
  /** Folders to look in last, for `--sys`. */
  readonly also?: readonly string[]
}

/** @throws {Failure} `SYSG_CONFIG_NOT_FOUND`, `SYSG_CONFIG_UNREADABLE`, `SYSG_CONFIG_UNTRUSTED`. */
export const findConfig = ({ cwd, config, also = [] }: FindOptions): FoundConfig => {
  if (config !== undefined) return named(resolve(cwd, config))
  for (const folder of [...upwards(cwd), ...also]) {
    const [name, other] = configNames.filter((candidate) => isConfig(join(folder, candidate)))
    if (name === undefined) continue
    const found = named(join(folder, name))
    if (folder !== cwd && !also.includes(folder)) requireTrust(found.file)
    if (other === undefined) return found
    return { ...found, warning: `${folder} has two configs: ${name} is used, ${other} is not.` }
  }
  throw new Failure('SYSG_CONFIG_NOT_FOUND', { folder: cwd, names: configNames })
}

const named = (path: string): FoundConfig => {
  try {
    const file = fs.realpathSync(path)
    if (fs.statSync(file).isDirectory()) throw new Error('it is a folder')
    return { file, folder: dirname(file) }
  } catch (thrown) {
    throw new Failure('SYSG_CONFIG_UNREADABLE', { file: path, why: whyUnreadable(thrown) })
  }
}

const upwards = (folder: string): readonly string[] => {
  const parent = dirname(folder)
  return parent === folder ? [folder] : [folder, ...upwards(parent)]
}

const isConfig = (path: string): boolean => {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false
  return !path.endsWith('package.json') || hasKey(path)
}

const hasKey = (path: string): boolean => {
  try {
    const content: unknown = JSON.parse(fs.readFileSync(path, 'utf8'))
    return typeof content === 'object' && content !== null && 'sysg' in content
  } catch {
    return false
  }
}

/** A config found by chance may be a stranger's trap: it and its folder must be ours or root's, and closed to others. */
const requireTrust = (file: string): void => {
  for (const path of [file, dirname(file)]) {
    const { uid, mode } = fs.lstatSync(path)
    const what = path === file ? 'it' : 'its folder'
    if (uid !== 0 && uid !== process.getuid?.())
      throw new Failure('SYSG_CONFIG_UNTRUSTED', { file, why: `${what} belongs to user ${uid}` })
    if ((mode & 0o022) !== 0)
      throw new Failure('SYSG_CONFIG_UNTRUSTED', {
        file,
        why: `others may write ${what === 'it' ? 'it' : 'to its folder'}`,
      })
  }
}

const whyUnreadable = (thrown: unknown): string => {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  return thrown instanceof Error ? thrown.message : String(thrown)
}
