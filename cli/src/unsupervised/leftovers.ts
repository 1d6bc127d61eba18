/** What is still kept of services that are no longer in the config. */
import { readdirSync } from 'node:fs'
import type { ProjectPaths } from '../project/state-root.ts'
import { recordedServices } from './recorded-services.ts'

export interface Leftover {
  readonly name: string
  readonly what: readonly ('instance' | 'outcome' | 'intent' | 'ad-hoc' | 'logs')[]
}

/** @param known - Services of the config. */
export const leftovers = (paths: ProjectPaths, known: readonly string[]): readonly Leftover[] => {
  const found = new Map<string, Leftover['what']>()
  for (const { name, kinds } of recordedServices(paths) ?? []) found.set(name, kinds)
  for (const name of logFolders(paths.logs)) found.set(name, [...(found.get(name) ?? []), 'logs'])
  return [...found].filter(([name]) => !known.includes(name)).map(([name, what]) => ({ name, what }))
}

const logFolders = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
  } catch {
    return []
  }
}
