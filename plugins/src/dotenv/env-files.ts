/** Reads the `.env` files that a config names, with errors that say which file and where. */
import { HostError, SysgError } from '@systemg/core'
import { parseEnv } from './parse-env.ts'

/** Text of a file; `undefined` when there is none. */
export type ReadText = (path: string) => Promise<string | undefined>

/** What one file says. */
export interface EnvFile {
  /** As the config has it. */
  readonly name: string
  readonly vars: ReadonlyMap<string, string>
}

/**
 * Read several files.
 *
 * @param names - As the config has them; relative ones start from `folder`.
 * @throws {SysgError} `SYSG_ENV_FILE_MISSING`, `SYSG_ENV_FILE_UNREADABLE`, `SYSG_ENV_FILE_INVALID`. No error shows a value.
 */
export const readEnvFiles = async (
  names: readonly string[],
  folder: string,
  readText: ReadText,
): Promise<readonly EnvFile[]> => {
  const files: EnvFile[] = []
  for (const name of names) {
    const path = absolute(name, folder)
    const text = await read(path, readText)
    const { vars, mistakes } = parseEnv(text)
    const [first] = mistakes
    if (first !== undefined)
      throw invalid(
        path,
        first.line,
        mistakes.map((one) => `line ${one.line}: ${one.message}`),
      )
    files.push({ name, vars })
  }
  return files
}

/** The variables of several files, later ones winning. */
export const varsOf = (files: readonly EnvFile[]): ReadonlyMap<string, string> =>
  new Map(files.flatMap(({ vars }) => [...vars]))

const absolute = (name: string, folder: string): string =>
  name.startsWith('/') ? name : `${folder.replace(/\/$/, '')}/${name.replace(/^(?:\.\/+)+/, '')}`

const read = async (path: string, readText: ReadText): Promise<string> => {
  let text: string | undefined
  try {
    text = await readText(path)
  } catch (thrown) {
    if (!(thrown instanceof HostError)) throw thrown
    throw SysgError.of(
      'SYSG_ENV_FILE_UNREADABLE',
      {
        message: `The env file ${path} cannot be read: ${thrown.message} (${thrown.errno}).`,
        hint: 'Make it a readable file for the user that runs `sysg`.',
      },
      { cause: thrown },
    )
  }
  if (text !== undefined) return text
  throw SysgError.of('SYSG_ENV_FILE_MISSING', {
    message: `The env file ${path} does not exist.`,
    hint: 'Create it, or remove it from `env.file`.',
  })
}

const invalid = (file: string, line: number, mistakes: readonly string[]): SysgError =>
  SysgError.of(
    'SYSG_ENV_FILE_INVALID',
    {
      message: `The env file ${file} has ${mistakes.length === 1 ? 'a mistake' : 'mistakes'}: ${mistakes.join('; ')}.`,
      hint: 'Each line is `NAME=value`, or a comment that begins with `#`. Quote values that span lines.',
    },
    { at: { file, line, column: 1 } },
  )
