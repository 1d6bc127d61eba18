/**
 * Which version an upgrade has replaced. It comes back when the new one dies before it has lived for long (`Holder`); what is
 * written here is how the new one knows it, and how the one before knows why it is back.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { whyOf, type Trace } from '@systemg/core'
import type { ProjectPaths } from '../project/state-root.ts'

interface Replaced {
  /** The supervisor's command line. */
  readonly command: readonly string[]
  /** That of the version that takes its place. */
  readonly by: readonly string[]
}

/** This supervisor is about to hand over. One that was installed in its very place can't be taken back. */
export const recordVersionBefore = (paths: ProjectPaths, replaced: Replaced, trace: Trace): void => {
  if (isSame(replaced.command, replaced.by)) return
  const path = fileOf(paths)
  try {
    writeFileSync(`${path}.new`, JSON.stringify(replaced), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  } catch (thrown) {
    trace('warn', `This version will not come back if the next one dies: ${whyOf(thrown)}`)
  }
}

/**
 * The command line of the version that this supervisor has replaced; `undefined` when there is none.
 *
 * @param own - This supervisor's command line.
 * @param how.isComeback - A holder has started it; otherwise what was recorded is of an earlier life of the system.
 */
export const versionBefore = (
  paths: ProjectPaths,
  own: readonly string[],
  { isComeback, trace }: { readonly isComeback: boolean; readonly trace: Trace },
): readonly string[] | undefined => {
  const replaced = read(fileOf(paths))
  if (replaced === undefined) return undefined
  if (isComeback && !isSame(replaced.command, own)) return replaced.command
  forgetVersionBefore(paths)
  if (isComeback)
    trace('warn', 'The upgrade was taken back: the other version has ended before it had lived for long', {
      failed: replaced.by,
    })
  return undefined
}

/** The new version has proved itself, or the one before is back. */
export const forgetVersionBefore = (paths: ProjectPaths): void => rmSync(fileOf(paths), { force: true })

const fileOf = ({ folder }: ProjectPaths): string => join(folder, 'run', 'version-before.json')

const read = (path: string): Replaced | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Replaced
  } catch {
    return undefined
  }
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((word, at) => word === other[at])
