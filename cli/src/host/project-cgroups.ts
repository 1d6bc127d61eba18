/**
 * The cgroups of one project, in a group of its own. Where that is, is written down in the project's folder, as `run/cgroup`:
 * the supervisor that comes next may be in another cgroup itself, and must find those of the instances it takes up.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { whyOf, type Trace } from '@systemg/core'
import { sha256 } from '../builtin.ts'
import { Cgroups, findCgroupBase } from './cgroups.ts'
import { isMissing } from './host-error.ts'

/** For the one who holds the project's lock: groups that nobody is in any more are removed. */
export const projectCgroups = (
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
  trace: Trace = () => undefined,
): Cgroups => {
  const path = join(folder, 'run', 'cgroup')
  // Groups that the next supervisor would not find are none: what throws here keeps them from being made.
  const onFirst = (base: string): void => {
    mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 })
    writeFileSync(path, base, { mode: 0o600 })
    mkdirSync(base, { recursive: true })
  }
  const onLast = (): void => {
    try {
      rmSync(path, { force: true })
    } catch (thrown) {
      // What is written down is tried again by the next one.
      if (!isMissing(thrown)) trace('warn', `${path} can't be removed: ${whyOf(thrown)}`)
    }
  }
  const found = recorded(path) ?? groupBelow(findCgroupBase(env), folder)
  const cgroups = new Cgroups(found, { trace, onFirst, onLast })
  cgroups.tidy()
  return cgroups
}

const groupBelow = (base: string | undefined, folder: string): string | undefined =>
  base === undefined ? undefined : join(base, `sysg-${sha256(folder).slice(0, 16)}`)

const recorded = (path: string): string | undefined => {
  try {
    const base = readFileSync(path, 'utf8')
    return existsSync(join(dirname(base), 'cgroup.procs')) ? base : undefined
  } catch {
    return undefined
  }
}
