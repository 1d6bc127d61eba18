/** Makes a draft of another tool's file; which tool's, its name tells. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import type { Draft } from './draft.ts'

/** Files that `init` can import, as they are usually called. */
const importable = [
  'Procfile',
  'Procfile.dev',
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
  ...['js', 'cjs', 'json'].map((extension) => `ecosystem.config.${extension}`),
]

/** The first of them that is in `folder`. */
export const importableIn = (folder: string): string | undefined =>
  importable.find((name) => existsSync(join(folder, name)))

/** @throws {Error} saying why, when the file can't be read or understood. */
export const importDraft = async (file: string): Promise<Draft> => {
  const draft = await readDraft(file)
  // What foreman and Compose read, too.
  const hasEnvironment = existsSync(join(dirname(file), '.env')) && !draft.source.startsWith('ecosystem')
  return hasEnvironment ? { ...draft, system: { ...draft.system, env: { file: '.env' } } } : draft
}

const readDraft = async (file: string): Promise<Draft> => {
  const source = basename(file)
  const end = extname(source)
  if (/^Procfile\b/i.test(source)) {
    const { fromProcfile } = await import('./from-procfile.ts')
    const draft = fromProcfile(await readFile(file, 'utf8'), source)
    if (draft.services.length === 0) throw new Error('it has no line `name: command`')
    return draft
  }
  if (end === '.yml' || end === '.yaml') {
    const { fromCompose } = await import('./from-compose.ts')
    return fromCompose(await readFile(file, 'utf8'), source)
  }
  const { fromPm2 } = await import('./from-pm2.ts')
  if (end === '.json') return fromPm2(JSON.parse(await readFile(file, 'utf8')), source)
  if (['.js', '.cjs', '.mjs'].includes(end)) {
    const { importModule } = await import('../config/import-module.ts')
    return fromPm2((await importModule(file))['default'], source)
  }
  throw new Error(`its name is none of those known here: ${importable.join(', ')}`)
}
