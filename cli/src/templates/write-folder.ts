/** Writes a folder of files as a whole, or nothing of it. */
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { initError, whyOf } from './errors.ts'

/** @throws {SysgError} `SYSG_FOLDER_EXISTS` when there is anything of that name; `SYSG_INIT_WRITE`. */
export const writeFolder = (parent: string, name: string, files: Readonly<Record<string, string>>): void => {
  const folder = join(parent, name)
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) throw initError('SYSG_FOLDER_EXISTS', { folder })
  let draft: string | undefined
  try {
    draft = mkdtempSync(join(parent, `.${name}-`))
    const made = join(draft, name)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(made, path)), { recursive: true })
      writeFileSync(join(made, path), text)
    }
    // A link or a folder that came meanwhile is not replaced: only an empty folder could be.
    renameSync(made, folder)
  } catch (thrown) {
    throw initError('SYSG_INIT_WRITE', { file: folder, why: whyOf(thrown) })
  } finally {
    if (draft !== undefined) rmSync(draft, { recursive: true, force: true })
  }
}
