/** How a stretch of source text looks on a terminal. */

/** Text that is safe to print, and the columns it takes. */
export interface Rendered {
  readonly text: string
  readonly width: number
}

/**
 * Tabs become spaces up to the next multiple of four; control characters become `�`.
 *
 * @param column - The column it begins in, from 0.
 */
export const rendered = (source: string, column = 0): Rendered => {
  let text = ''
  let at = column
  for (const { segment } of graphemes.segment(source)) {
    const width = segment === '\t' ? tab - (at % tab) : widthOf(segment)
    text += segment === '\t' ? ' '.repeat(width) : unsafe.test(segment) ? '�' : segment
    at += width
  }
  return { text, width: at - column }
}

const tab = 4

/** Characters as people count them, with their accents and joiners. */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** Control characters and those that change the direction of text: they would play with the terminal. */
const unsafe = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u

const emoji = /\p{Emoji_Presentation}|\uFE0F/u
const invisible = /^[\p{Mn}\p{Me}\u200B-\u200D\uFEFF]+$/u
/** East Asian wide and fullwidth letters. */
const wide =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u

const widthOf = (grapheme: string): number => {
  if (unsafe.test(grapheme)) return 1
  if (invisible.test(grapheme)) return 0
  return wide.test(grapheme) || emoji.test(grapheme) ? 2 : 1
}
