/** The configs that lead to a project, by the links they left in the state root, and whether they are still there. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { recordedServices } from '../unsupervised/recorded-services.ts'
import type { ProjectPaths } from '../project/state-root.ts'

export interface ProjectHome {
  /** The configs that lead there and exist. */
  readonly configs: readonly string[]
  /** One of them, or one that is gone. */
  readonly config: string | null
  /** Nothing leads to the project any more: each config is gone, or it had none and the folders of its programs are. */
  readonly isGone: boolean
}

export const projectHome = (root: string, paths: ProjectPaths): ProjectHome => {
  const known = linksTo(root, paths.id).map(({ config }) => config)
  const configs = known.filter((config) => config !== undefined && existsSync(config)) as readonly string[]
  // One whose path was too long for a name can't be looked for: it counts as there.
  const isThere = configs.length > 0 || known.includes(undefined)
  if (known.length > 0) return { configs, config: configs[0] ?? known[0] ?? null, isGone: !isThere }
  const folders = (recordedServices(paths) ?? []).flatMap(({ instances }) =>
    instances.map(({ service }) => service.working_dir),
  )
  const isGone = folders.every((folder) => typeof folder === 'string' && !existsSync(folder))
  return { configs: [], config: null, isGone }
}

/** Nothing leads there any more. */
export const removeLinks = (root: string, id: string): void => {
  for (const { link } of linksTo(root, id)) rmSync(link, { force: true })
}

/** `config` is undefined where its path was too long to be a name. */
const linksTo = (root: string, id: string): readonly { link: string; config: string | undefined }[] => {
  const folder = join(root, 'by-config')
  return namesIn(folder).flatMap((name) => {
    const link = join(folder, name)
    if (contentOf(link) !== id) return []
    const path = name.replaceAll('%2F', '/').replaceAll('%25', '%')
    return [{ link, config: path.startsWith('/') ? path : undefined }]
  })
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

const contentOf = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
