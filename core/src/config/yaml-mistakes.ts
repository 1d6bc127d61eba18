/** Says in plain words what the YAML parser complains about, and finds the place where the mistake was made. */
import { type Document, isCollection, isScalar, type LineCounter, visit, type YAMLError } from 'yaml'
import type { ErrorText } from '../errors.ts'

/** A mistake in the notation itself. Lines and columns count from 1. */
export interface SyntaxMistake {
  readonly message: string
  readonly hint: string
  readonly line: number
  readonly column: number
  /** Behind the text to mark, on the same line. */
  readonly endColumn: number
  /** What follows can't be trusted until it is mended. */
  readonly structural: boolean
  /** The value on its line is not what was meant. */
  readonly damages: boolean
}

/** Explain one error or warning of the parser. Needs a document with source tokens. */
export const explainSyntax = (
  error: YAMLError,
  document: Document,
  text: string,
  lines: LineCounter,
): SyntaxMistake => {
  const { start, end, words } = placeOf(error, document, text)
  const { line, col } = lines.linePos(start)
  const rest = restOfLine(text, start).end - start
  return {
    message: words.message,
    hint: words.hint ?? 'Correct this line.',
    line,
    column: col,
    endColumn: col + Math.max(1, Math.min(end - start, rest)),
    structural: !(error.code in softCodes),
    damages: softCodes[error.code] ?? true,
  }
}

/** Codes that leave the structure intact, and whether the value on the line is damaged. */
const softCodes: Partial<Record<string, boolean>> = {
  NON_STRING_KEY: true,
  TAG_RESOLVE_FAILED: true,
  BAD_ALIAS: true,
  BAD_DQ_ESCAPE: true,
  MULTIPLE_DOCS: false,
  BAD_DIRECTIVE: false,
}

interface Place {
  readonly start: number
  readonly end: number
  readonly words: ErrorText
}

interface Case {
  /** The offsets that the parser names. */
  readonly from: number
  readonly to: number
  readonly text: string
  /** From there to the end of the line. */
  readonly line: { readonly start: number; readonly end: number; readonly text: string }
}

const placeOf = (error: YAMLError, document: Document, text: string): Place => {
  const [from, to] = error.pos
  const at: Case = { from, to, text, line: restOfLine(text, from) }
  const known = explanations[error.code]
  if (known !== undefined) return known(at)
  return openedAt(from, document, text) ?? (error.code === 'BAD_INDENT' ? misplaced(at) : unexpected(at))
}

const onLine = ({ line }: Case, message: string, hint: string): Place => ({ ...line, words: { message, hint } })
const onText = ({ from, to }: Case, message: string, hint: string): Place => ({
  start: from,
  end: to,
  words: { message, hint },
})

/** What the parser's codes mean to somebody who writes a config. The others are said by `openedAt` and `unexpected`. */
const explanations: Readonly<Partial<Record<string, (at: Case) => Place>>> = {
  TAB_AS_INDENT: (at) =>
    onText(at, 'This line is indented with a tab.', 'YAML allows only spaces there: replace the tab.'),
  BLOCK_AS_IMPLICIT_KEY: (at) =>
    isItem(at)
      ? misplaced(at)
      : onLine(
          at,
          'This value holds a colon and a space.',
          "Put the value in quotes: `'…'`. Or begin a new line for a nested key.",
        ),
  MULTILINE_IMPLICIT_KEY: (at) =>
    isItem(at)
      ? misplaced(at)
      : onLine(at, 'A `:` is missing in this line.', 'A key is followed by a colon and a space.'),
  BAD_SCALAR_START: (at) =>
    onLine(at, `A value can't start with ${quotedChar(at.text[at.from])}.`, "Put it in quotes: `'…'`."),
  BAD_DQ_ESCAPE: (at) =>
    onText(
      { ...at, to: at.from + 2 },
      `\`${at.text.slice(at.from, at.from + 2)}\` means nothing in double quotes.`,
      String.raw`Use single quotes, where a backslash is only a backslash, or write \\.`,
    ),
  NON_STRING_KEY: (at) => onText(at, 'A key must be plain text.', 'A `?`, `[` or `{` as a key needs quotes.'),
  TAG_RESOLVE_FAILED: (at) => {
    const tag = at.text.slice(at.from, at.to)
    if (tag === '!include') return onText(at, '`!include` needs a path.', 'Write `!include other.yaml`.')
    return onText(at, `The tag \`${tag}\` is not known.`, 'The only one is `!include`.')
  },
  BAD_ALIAS: (at) =>
    onText(
      at,
      'An anchor or alias needs a name: `&name`, `*name`.',
      'A value that begins with `&` or `*` needs quotes.',
    ),
  MULTIPLE_DOCS: (at) => onLine(at, 'A second document begins here.', 'A config is one document: remove the `---`.'),
  RESOURCE_EXHAUSTION: (at) => onText(at, 'This is nested too deeply.', 'Make the structure flatter.'),
}

/** A quote or bracket without its end is noticed far behind; it was opened here. */
const openedAt = (at: number, document: Document, text: string): Place | undefined => {
  let start: number | undefined
  visit(document, {
    Node: (_, node) => {
      const [from, , end] = node.range ?? [0, 0, 0]
      if (from < at && end >= at - 1 && isOpen(node)) start = from
    },
  })
  if (start === undefined) return undefined
  const char = text[start] ?? ''
  const missing = { '[': ']', '{': '}' }[char] ?? char
  return {
    start,
    end: start + 1,
    words: { message: `This \`${char}\` is never closed.`, hint: `Add the missing \`${missing}\`.` },
  }
}

const isOpen = (node: unknown): boolean => {
  const token = isScalar(node) || isCollection(node) ? node.srcToken : undefined
  if (token?.type === 'flow-collection') return token.end.every(({ source }) => source !== ']' && source !== '}')
  const isQuoted = token?.type === 'double-quoted-scalar' || token?.type === 'single-quoted-scalar'
  return isQuoted && (token.source.length < 2 || token.source.at(-1) !== token.source[0])
}

const unexpected = (at: Case): Place => {
  const before = at.text.slice(0, at.from)
  // `cron: * * * * *`: the parser takes the first `*` for an alias, and stumbles over the rest.
  const star = /(?:[:[{,-]\s+)(\*\S*\s+)$/.exec(before)?.[1]
  if (star !== undefined) {
    const value = restOfLine(at.text, at.from - star.length)
    const hint = `Put it into quotes: \`'${shorten(value.text.replace(/\s*[,}\]].*$/, ''))}'\`.`
    return { ...value, words: { message: 'A value that begins with `*` needs quotes.', hint } }
  }
  const line = withoutIndent(at)
  const hint = "Text with `{`, `[`, `,`, `#` or `: ` in it needs quotes: `'…'`."
  return { ...line, words: { message: `\`${shorten(line.text)}\` can't stand here.`, hint } }
}

/** The line at which the parser noticed that the columns do not fit. */
const misplaced = (at: Case): Place => {
  const message = 'The indentation of this line fits neither the line above nor a level further out.'
  return { ...withoutIndent(at), words: { message, hint: 'What belongs together begins in the same column.' } }
}

const isItem = ({ line }: Case): boolean => /^\s*-(?:\s|$)/.test(line.text)

const withoutIndent = ({ from, text }: Case): Case['line'] =>
  restOfLine(text, from + (/^[ \t]*/.exec(text.slice(from))?.[0].length ?? 0))

const quotedChar = (char = ''): string => (char === '`' ? 'a backquote' : `\`${char}\``)

const restOfLine = (text: string, start: number): { start: number; end: number; text: string } => {
  const rest = /^[^\r\n]*/.exec(text.slice(start))?.[0].trimEnd() ?? ''
  return { start, end: start + rest.length, text: rest }
}

const shorten = (text: string): string => (text.length > 24 ? `${text.slice(0, 24)}…` : text)
