/**
 * Reads the `.env` format. Pure: text in, variables and mistakes out.
 *
 * `NAME=value`, `export NAME=value`, `# comment`, `NAME=value # comment`, an empty value, CRLF and a byte order mark.
 * `'…'` and backticks keep everything; `"…"` knows `\n \r \t \" \\ \$`. Quoted values may span lines. `$` means nothing.
 */

/** A line that is none of these. Its text is left out: it may hold a secret. */
interface EnvMistake {
  /** Counted from 1. */
  readonly line: number
  readonly message: string
}

export interface ParsedEnv {
  readonly vars: ReadonlyMap<string, string>
  readonly mistakes: readonly EnvMistake[]
}

export const parseEnv = (file: string): ParsedEnv => {
  const text = file.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')
  const vars = new Map<string, string>()
  const mistakes: EnvMistake[] = []
  const nul = text.indexOf('\0')
  if (nul !== -1) {
    const line = text.slice(0, nul).split('\n').length
    return { vars, mistakes: [{ line, message: 'there is a NUL byte, which no variable can hold' }] }
  }
  const take = (pattern: RegExp, at: number) => {
    pattern.lastIndex = at
    return pattern.exec(text)
  }
  for (let at = 0, line = 1; at < text.length; line++) {
    const [head, name] = take(assignment, at) ?? []
    const end = endOfLine(text, at)
    if (head === undefined || name === undefined) {
      if (!blank.test(text.slice(at, end))) mistakes.push({ line, message: 'expected `NAME=value`' })
      at = end + 1
      continue
    }
    const [quoted, double, single, backtick] = take(quotedValue, at + head.length) ?? []
    if (quoted === undefined) {
      const value = text.slice(at + head.length, end).trimStart()
      if (/^["'`]/.test(value))
        mistakes.push({ line, message: `the value of \`${name}\` has no closing ${value.charAt(0)}` })
      else vars.set(name, unquoted(text.slice(at + head.length, end)))
      at = end + 1
      continue
    }
    vars.set(name, double === undefined ? (single ?? backtick ?? '') : unescape(double))
    const close = at + head.length + quoted.length
    at = endOfLine(text, close) + 1
    line += quoted.split('\n').length - 1
    if (!blank.test(text.slice(close, at - 1)))
      mistakes.push({ line, message: `text follows the value of \`${name}\`` })
  }
  return { vars, mistakes }
}

const assignment = /[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=/y
const quotedValue = /[ \t]*(?:"([^"\\]*(?:\\[^][^"\\]*)*)"|'([^']*)'|`([^`]*)`)/y
const blank = /^[ \t]*(?:#.*)?$/
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

const endOfLine = (text: string, at: number): number => {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

/** A comment begins at a `#` that follows a space, so that `#fff` and `a#b` are values. */
const unquoted = (text: string): string => text.replace(/[ \t]#.*$/, '').trim()

const unescape = (text: string): string =>
  text.replace(/\\([nrt"\\$])/g, (_, letter: string) => escapes[letter] ?? letter)
