/**
 * Which code a supervisor was started with. Data of a config is taken up by a running supervisor, code (an inline
 * plugin, a plugin package) is not: ESM never loads a module twice. So a command that applies a config can say so.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { sha256 } from '../builtin.ts'
import type { ProjectPaths } from '../project/state-root.ts'

const recordOf = (paths: ProjectPaths): string => join(paths.folder, 'run', 'code.json')

/** Remember the content of these files as what the supervisor runs. */
export const recordCode = (paths: ProjectPaths, files: readonly string[]): void => {
  const path = recordOf(paths)
  const record = hashes(files)
  // On a full disk a system that ran before comes up again.
  if (isDeepStrictEqual(readRecord(paths), record)) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(path, JSON.stringify(record), { mode: 0o600 })
}

/** Those of `files` that the running supervisor has otherwise, or not at all. */
export const changedCode = (paths: ProjectPaths, files: readonly string[]): readonly string[] => {
  const known = readRecord(paths)
  if (known === undefined) return []
  return Object.entries(hashes(files))
    .filter(([file, hash]) => known[file] !== hash)
    .map(([file]) => file)
}

const hashes = (files: readonly string[]): Record<string, string> =>
  Object.fromEntries(files.map((file) => [file, sha256(contentOf(file))]))

const contentOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const readRecord = (paths: ProjectPaths): Readonly<Record<string, string>> | undefined => {
  try {
    return JSON.parse(readFileSync(recordOf(paths), 'utf8')) as Record<string, string>
  } catch {
    return undefined
  }
}
