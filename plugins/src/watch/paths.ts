/** From the paths and patterns of a config to what is looked at. Patterns are those of `.gitignore`. */
import { resolvePath } from '@systemg/core'
import ignore, { type Ignore } from 'ignore'
import type { Watch } from './options.ts'
import type { WatchRequest } from './port.ts'

/** Never worth a restart: what tools keep for themselves, and drafts of editors. */
const always = [
  '.git',
  '.hg',
  '.svn',
  'node_modules',
  '__pycache__',
  '.DS_Store',
  '*~',
  '*.sw[a-p]',
  '.#*',
  '#*#',
  '4913',
]

export interface Place {
  /** The folder of the config. */
  readonly folder: string
  /** Folders that systemg itself writes to. */
  readonly own: readonly string[]
}

/** What to watch for one service. */
export const requestOf = (watch: Watch, { folder, own }: Place): WatchRequest => {
  const entries = watch.paths.map((path) => entryOf(path, folder))
  const unwanted = ignore().add(watch.ignore.map(withoutDot))
  return {
    roots: [...new Set(entries.map(({ root }) => root))],
    ignores: (path, isFolder) => {
      if (own.some((one) => isAtOrBelow(path, one))) return true
      const wanted = entries.filter((entry) => entry.wants(path, isFolder))
      return wanted.length === 0 || wanted.every(({ root }) => matches(unwanted, baseFor(root, folder), path, isFolder))
    },
  }
}

interface Entry {
  /** The path, or the part of a pattern before its first wildcard. */
  readonly root: string
  wants(path: string, isFolder: boolean): boolean
}

const entryOf = (written: string, folder: string): Entry => {
  const at = written.search(/[*?]/)
  const literal = at < 0 ? written : written.slice(0, written.lastIndexOf('/', at) + 1)
  const root = resolvePath(folder, literal === '' ? '.' : literal.replace(/(?<=.)\/+$/, ''))
  const defaults = ignore().add(always)
  const isNoise = (path: string, isFolder: boolean) => path !== root && matches(defaults, root, path, isFolder)
  if (at < 0) return { root, wants: (path, isFolder) => isAtOrBelow(path, root) && !isNoise(path, isFolder) }
  // Anchored, so that `*.ts` means what it means to a shell: none below. Other special characters are letters.
  const pattern = ignore().add(`/${escaped(written.slice(literal.length))}`)
  return {
    root,
    wants: (path, isFolder) =>
      isAtOrBelow(path, root) &&
      !isNoise(path, isFolder) &&
      (path === root || isFolder || matches(pattern, root, path, false)),
  }
}

/** Patterns of `ignore` start from the config's folder; for what lies outside of it, from the folder that is watched. */
const baseFor = (root: string, folder: string): string => (isAtOrBelow(root, folder) ? folder : parentOf(root))

const matches = (patterns: Ignore, base: string, path: string, isFolder: boolean): boolean => {
  const relative = base === '/' ? path.slice(1) : path.slice(base.length + 1)
  if (relative === '' || !isAtOrBelow(path, base)) return false
  return patterns.ignores(isFolder ? `${relative}/` : relative)
}

const isAtOrBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

const escaped = (pattern: string): string => pattern.replaceAll(/[[\]\\]/g, String.raw`\$&`)

/** `./dist` is how people write it; in `.gitignore` it is `/dist`. */
const withoutDot = (pattern: string): string => pattern.replace(/^(!?)\.\//, '$1/')
