/** The identity of a system whose config gives it none. */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { basename } from 'node:path'

/** Named after its folder; the id has a short hash of the folder's real path, so that two folders of one name differ. */
export const defaultProject = (folder: string): { id: string; name: string } => {
  const path = realpathSync(folder)
  const name = basename(path) || 'root'
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 50)
  const hash = createHash('sha256').update(path).digest('hex').slice(0, 6)
  return { id: `${word === '' ? 'project' : word}-${hash}`, name }
}
