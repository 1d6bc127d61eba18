/** The identity of a system whose config gives it none. */
import { basename } from 'node:path'
import { fs, sha256 } from '../builtin.ts'

/** Named after its folder; the id has a short hash of the folder's real path, so that two folders of one name differ. */
export const defaultProject = (folder: string): { id: string; name: string } => {
  const path = fs.realpathSync(folder)
  const name = basename(path) || 'root'
  const word = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 50)
  const hash = sha256(path).slice(0, 6)
  return { id: `${word === '' ? 'project' : word}-${hash}`, name }
}
