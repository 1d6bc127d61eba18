/** What can go wrong in `sysg init` and `sysg plugins new`. Stands beside the core's catalogue in the docs. */
import { SysgError, type ErrorCatalog } from '@systemg/core'

export const initErrors = {
  SYSG_INIT_EXISTS: (facts: { file: string }) => ({
    message: `There is a config here already: ${facts.file}.`,
    hint: 'Nothing was written. `--force` writes a new one; `--config` says where.',
  }),
  SYSG_INIT_WRITE: (facts: { file: string; why: string }) => ({
    message: `${facts.file} can't be written: ${facts.why}.`,
    hint: 'Check the folder and its permissions.',
  }),
  SYSG_INIT_IMPORT: (facts: { file: string; why: string }) => ({
    message: `${facts.file} can't be imported: ${facts.why}.`,
    hint: 'Nothing was written. A Procfile, a Docker Compose file or a pm2 ecosystem file can be imported.',
  }),
  SYSG_FOLDER_EXISTS: (facts: { folder: string }) => ({
    message: `There is something of that name already: ${facts.folder}.`,
    hint: 'Nothing was written. Take another name, or remove it.',
  }),
  SYSG_PLUGIN_NEW_NAME: (facts: { name: string; why: string }) => ({
    message: `A plugin can't be called \`${facts.name}\`: ${facts.why}.`,
    hint: 'For example `sysg plugins new quiet-hours`: the package is then called `systemg-plugin-quiet-hours`.',
  }),
} satisfies ErrorCatalog

export const initError = (
  ...[code, facts]: {
    [C in keyof typeof initErrors]: [C, Parameters<(typeof initErrors)[C]>[0]]
  }[keyof typeof initErrors]
): SysgError => SysgError.of(code, (initErrors[code] as (facts: unknown) => { message: string; hint: string })(facts))

/** What went wrong with a file, for the end of a sentence. */
export const whyOf = (thrown: unknown): string => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  if (Object.hasOwn(reasons, code)) return reasons[code] ?? code
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return (message.split('\n', 1)[0] ?? '').replace(/\.$/, '')
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a folder',
}
