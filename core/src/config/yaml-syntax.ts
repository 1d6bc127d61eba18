/**
 * Parses YAML text so that one broken line does not hide the mistakes on the others.
 *
 * The parser's first error names a line; the line is reported, replaced by something harmless (its key with a hole
 * for a value, or nothing), and the text is parsed again. What is left at the end is sound and can be checked.
 */
import { type Document, LineCounter, parseDocument } from 'yaml'
import { explainSyntax, type SyntaxMistake } from './yaml-mistakes.ts'

/** The tag of a value that could not be read. */
export const holeTag = '!sysg-hole'

/** One file's text, parsed. */
export interface ParsedText {
  readonly document: Document.Parsed
  /** The text without its broken lines. Lines keep their numbers, and unbroken lines their columns. */
  readonly text: string
  readonly lines: LineCounter
  readonly mistakes: readonly SyntaxMistake[]
  /** Numbers of the lines that could not be read as they are. */
  readonly damaged: ReadonlySet<number>
  /** Those of them of which nothing was kept, not even a key. */
  readonly dropped: ReadonlySet<number>
  /** `false` when too much is broken: then only `mistakes` say something reliable. */
  readonly usable: boolean
}

/** Parse the text of one file. Never throws: every mistake is in `mistakes`. */
export const parseText = (source: string): ParsedText => {
  const damaged = new Set<number>()
  const dropped = new Set<number>()
  const mistakes: SyntaxMistake[] = []
  let attempt = parseOnce(source)
  for (let mends = 0; attempt.broken !== undefined; mends += 1) {
    const { line } = attempt.broken
    mistakes.push(attempt.broken)
    damaged.add(line)
    const mended = mends < mendsFor(source) ? mend(attempt, line) : undefined
    if (mended === undefined) return { ...attempt, mistakes, damaged, dropped, usable: false }
    for (const swallowed of mended.swallowed) damaged.add(swallowed)
    if (mended.isDropped) dropped.add(line)
    attempt = mended.attempt
  }
  for (const mistake of attempt.soft) if (mistake.damages) damaged.add(mistake.line)
  return { ...attempt, mistakes: [...mistakes, ...attempt.soft], damaged, dropped, usable: true }
}

interface Attempt {
  readonly document: Document.Parsed
  readonly text: string
  readonly lines: LineCounter
  /** The first mistake that breaks the structure. */
  readonly broken: SyntaxMistake | undefined
  /** Mistakes that leave the structure intact. */
  readonly soft: readonly SyntaxMistake[]
}

/** What comes behind so many mistakes at once is only a consequence of the first. */
const maxExplained = 50

/** Each mend costs some parses; a huge file gets few. */
const mendsFor = (source: string): number => (source.length > 200_000 ? 2 : 30)

const parseOnce = (text: string): Attempt => {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    keepSourceTokens: true,
    merge: true,
    stringKeys: true,
    // Quadratic in the parser; `buildTree` finds them.
    uniqueKeys: false,
    customTags: ['!include', holeTag].map((tag) => ({ tag, resolve: (value: string) => value })),
  })
  const exhausted = document.errors.filter(({ code }) => code === 'RESOURCE_EXHAUSTION')
  const errors = exhausted.length > 0 ? exhausted : [...document.errors, ...document.warnings]
  const mistakes = errors
    .slice(0, maxExplained)
    .map((error) => explainSyntax(error, document, text, lines))
    .sort((a, b) => a.line - b.line || a.column - b.column)
  return {
    document,
    text,
    lines,
    broken: mistakes.find((mistake) => mistake.structural),
    soft: mistakes.filter((mistake) => !mistake.structural),
  }
}

interface Mended {
  readonly attempt: Attempt
  /** Nothing was kept of the line. */
  readonly isDropped: boolean
  /** Numbers of the lines below that went with it. */
  readonly swallowed: readonly number[]
}

/** Replace line number `line`, and what hangs below it, so that the parser gets beyond it; `undefined` when nothing helps. */
const mend = ({ text }: Attempt, line: number): Mended | undefined => {
  const lines = text.split('\n')
  const below = linesBelow(lines, line)
  for (const { replacement, keepsBelow } of replacements(lines[line - 1] ?? '')) {
    const swallowed = keepsBelow ? [] : below
    const next = lines.with(line - 1, replacement)
    for (const number of swallowed) next[number - 1] = ''
    const attempt = parseOnce(next.join('\n'))
    if (attempt.broken === undefined || attempt.broken.line > line)
      return { attempt, isDropped: replacement === '', swallowed }
  }
  return undefined
}

/** Numbers of the lines that are indented deeper than line number `line`, down to the first that is not. */
const linesBelow = (lines: readonly string[], line: number): readonly number[] => {
  const indent = indentOf(lines[line - 1] ?? '')
  const end = lines.findIndex((text, index) => index >= line && text.trim() !== '' && indentOf(text) <= indent)
  return Array.from({ length: (end < 0 ? lines.length : end) - line }, (_, index) => line + 1 + index)
}

/** Columns of white space a line begins with. A tab counts as eight. */
export const indentOf = (line: string): number => /^[ \t]*/.exec(line)?.[0].replaceAll('\t', '        ').length ?? 0

const replacements = (line: string): readonly { replacement: string; keepsBelow: boolean }[] => {
  const key = /^(\s*(?:- +)*[^\s:#'"{[-][^:#]*:)(?:\s|$)/.exec(line)?.[1]
  const word = /^(\s*(?:- +)*[\w.-]*\w)\s*$/.exec(line)?.[1]
  const firstWord = /^(\s*(?:- +)*[\w.-]*\w)\s/.exec(line)?.[1]
  const dash = /^(\s*-)\s/.exec(line)?.[1]
  const hole = (start: string | undefined, colon: string) =>
    start === undefined ? [] : [{ replacement: `${start}${colon} ${holeTag} ''`, keepsBelow: false }]
  return [
    ...hole(key, ''),
    ...(word === undefined ? [] : [{ replacement: `${word}:`, keepsBelow: true }]),
    ...hole(firstWord, ':'),
    ...hole(dash, ''),
    { replacement: '', keepsBelow: false },
  ]
}
