/**
 * Turns `command` and `exec` into what is executed, so that the tracked process is the program itself wherever that is certain.
 *
 *   only plain words and quotes           run directly, no shell
 *   one simple command with expansions    /bin/sh -c 'exec …'
 *   anything else                         /bin/sh -c, as written
 *
 * When in doubt the shell gets the command as written: a shell too many is harmless, a changed meaning is not.
 */

/** What a service says it runs. Exactly one of the two is set. */
export interface CommandSource {
  readonly command?: string | undefined
  readonly exec?: readonly string[] | undefined
}

/** Program and arguments to execute. */
export const argvOf = ({ command, exec }: CommandSource): [string, ...string[]] => {
  if (exec !== undefined) return [exec[0] ?? '', ...exec.slice(1)]
  const text = (command ?? '').trim()
  const bare = withoutExec(text)
  const words = plainWords(bare)
  if (words !== undefined) return words
  const simple = isSimpleCommand(bare)
  return ['/bin/sh', '-c', simple ? `exec ${bare}` : text]
}

/** The command for people: as written, `exec` with quotes where a shell would need them. */
export const displayCommand = ({ command, exec }: CommandSource): string =>
  exec === undefined ? (command ?? '').trim() : exec.map(quoted).join(' ')

/** POSIX, dash and bash. A program of the same name may exist, but the shell would not run it. */
const builtins = new Set(
  (
    '. : [ alias bg bind break builtin caller cd chdir command compgen complete compopt continue declare dirs disown echo ' +
    'enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf ' +
    'pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit ' +
    'umask unalias unset wait'
  ).split(' '),
)

const keywords = new Set(
  '! [[ ]] case coproc do done elif else esac fi for function if in select then time until while { }'.split(' '),
)

/** A leading `exec` says what we do anyway. With an option (`exec -a name`) it stays. */
const withoutExec = (text: string): string =>
  /^exec\s+(?![-\s])/.exec(text) === null ? text : text.replace(/^exec\s+/, '')

const isPlain = /[A-Za-z0-9_./:=,@%+-]/

/** The words of a command that has no shell syntax; `undefined` when it has some. */
const plainWords = (text: string): [string, ...string[]] | undefined => {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === "'" || char === '"') {
      const end = text.indexOf(char, at + 1)
      const inside = text.slice(at + 1, end)
      if (end < 0 || (char === '"' && /[$`\\]/.test(inside))) return undefined
      word = (word ?? '') + inside
      at = end
    } else if (isPlain.test(char)) word = (word ?? '') + char
    else return undefined
  }
  if (word !== undefined) words.push(word)
  const [program, ...rest] = words
  return program === undefined || !isProgram(program) ? undefined : [program, ...rest]
}

const isProgram = (word: string): boolean =>
  word !== '' && !word.includes('=') && !builtins.has(word) && !keywords.has(word)

/**
 * The pieces a simple command may be made of, each matched where the last one ended. Whatever is not listed
 * (`;`, `&`, `|`, `<`, `>`, newlines, parentheses, backquotes, comments, …) makes the command not simple.
 */
const pieces = {
  blank: /(?:[ \t]|\\\n)+/y,
  /** Single quotes; `\x`; `$name`, `$1`, `$?`; `${name}` and `${name:-word}`; `{slot}`; and characters without a meaning of their own. */
  part: /'[^']*'|\\[^\n]|\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])|\$\{[A-Za-z_]\w*(?::?[-=?+][\w./:,@%+ -]*)?\}|\{[a-z_]+\}|[^\s'"\\$`;&|<>(){}#!]|(?<=\S)[#!]/y,
  /** Double quotes with expansions, but no command substitution. */
  double:
    /"(?:[^"\\$`]|\\[^\n]|\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])|\$\{[A-Za-z_]\w*(?::?[-=?+][\w./:,@%+ -]*)?\}|\$(?=["\s]))*"/y,
} as const

/** One command with words and expansions, whose program is certainly neither an assignment, a builtin nor a keyword. */
const isSimpleCommand = (text: string): boolean => {
  let at = 0
  const take = (piece: RegExp): string | undefined => {
    piece.lastIndex = at
    const found = piece.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  let first = ''
  let inFirst = true
  while (at < text.length) {
    if (take(pieces.blank) !== undefined) {
      inFirst = first === ''
      continue
    }
    const part = take(pieces.part) ?? take(pieces.double)
    if (part === undefined) return false
    if (inFirst) first += part
  }
  return isCertainProgram(first)
}

/** As written, quotes and all. What expands may turn out to be a builtin, unless a slash makes it a path. */
const isCertainProgram = (written: string): boolean => {
  const expands = /[$*?[~{\\]/.test(written)
  return isProgram(written.replaceAll(/['"]/g, '')) && !written.startsWith('-') && (!expands || written.includes('/'))
}

const quoted = (word: string): string =>
  /^[A-Za-z0-9_./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
