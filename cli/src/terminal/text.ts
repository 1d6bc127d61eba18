/** Text of others made fit for a terminal: what is safe to print, how many cells it takes, and how to make it shorter. */
import { util } from '../builtin.ts'

/** On one line and without anything that would play with the terminal: no colours, controls or changes of direction. */
export const plain = (text: string): string =>
  isSimple(text)
    ? text
    : util
        .stripVTControlCharacters(text)
        .replace(/[\t\r\n]+/g, ' ')
        .replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '�')

/** The text without colours. */
export const stripped = (text: string): string => (isSimple(text) ? text : util.stripVTControlCharacters(text))

/** Cells that the text takes. Colours must not be in it. */
export const widthOf = (text: string): number =>
  isSimple(text) ? text.length : charactersOf(text).reduce((sum, character) => sum + cellsOf(character), 0)

/** The text with spaces behind it, or before it, until it takes so many cells. */
export const pad = (text: string, width: number, align: 'left' | 'right' = 'left'): string => {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + spaces : spaces + text
}

/** The beginning of the text, with `…` behind it where something is left out. */
export const fit = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  return width < 1 ? '' : `${take(charactersOf(text), width - 1).join('')}…`
}

/** Beginning and end of the text, with `…` where something is left out: names often differ at their end. */
export const fitMiddle = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  if (width < 3) return fit(text, width)
  const characters = charactersOf(text)
  const tail = take(characters.toReversed(), Math.floor((width - 1) / 2)).reverse()
  const head = take(characters, width - 1 - widthOf(tail.join('')))
  return `${head.join('')}…${tail.join('')}`
}

/** Lines of at most so many cells, broken at spaces; a word that is longer is broken anywhere. */
export const wrap = (text: string, width: number): readonly string[] => {
  if (widthOf(text) <= width) return text === '' ? [] : [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ +/).flatMap((one) => pieces(one, Math.max(1, width)))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (widthOf(longer) <= width) line = longer
    else {
      if (line !== '') lines.push(line)
      line = word
    }
  }
  return line === '' ? lines : [...lines, line]
}

const isSimple = (text: string): boolean => /^[ -~]*$/.test(text)

let segmenter: Intl.Segmenter | undefined

/** Characters as people count them, with their accents and joiners. */
const charactersOf = (text: string): readonly string[] => {
  if (isSimple(text)) return Array.from(text)
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return [...segmenter.segment(text)].map(({ segment }) => segment)
}

const cellsOf = (character: string): number => {
  if (/^[\p{Mn}\p{Me}\p{Cc}\u200B-\u200D\uFEFF]+$/u.test(character)) return 0
  return wide.test(character) || /\p{Emoji_Presentation}|\uFE0F/u.test(character) ? 2 : 1
}

/** East Asian wide and fullwidth letters. @see https://www.unicode.org/reports/tr11/ */
const wide =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u

/** As many of the first characters as go into so many cells. */
const take = (characters: readonly string[], width: number): string[] => {
  const taken: string[] = []
  let used = 0
  for (const character of characters) {
    used += cellsOf(character)
    if (used > width) break
    taken.push(character)
  }
  return taken
}

const pieces = (word: string, width: number): readonly string[] => {
  const found: string[] = []
  for (let rest = charactersOf(word); rest.length > 0;) {
    const piece = take(rest, width)
    // A character that is wider than the line stands alone.
    const count = Math.max(1, piece.length)
    found.push(rest.slice(0, count).join(''))
    rest = rest.slice(count)
  }
  return found
}
