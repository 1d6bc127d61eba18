/** What makes of lines on a screen others, in few bytes: of each line only the part that differs. Pure. */
import { stripped, widthOf } from '../terminal/text.ts'

export const changes = (before: readonly string[], after: readonly string[], columns: number): string =>
  Array.from({ length: Math.max(before.length, after.length) }, (_, row) =>
    changeOf(before[row] ?? '', after[row] ?? '', row, columns),
  ).join('')

const changeOf = (before: string, after: string, row: number, columns: number): string => {
  if (before === after) return ''
  const [old, next] = [cellsOf(before), cellsOf(after)]
  if (old === undefined || next === undefined) return whole(after, row, columns)
  const differs = (at: number): boolean => old[at]?.text !== next[at]?.text || old[at]?.colours !== next[at]?.colours
  const places = Array.from({ length: Math.max(old.length, next.length) }, (_, at) => at)
  const [first, last] = [places.find(differs), places.findLast(differs)]
  if (first === undefined || last === undefined) return ''
  const isShorter = next.length < old.length
  return `${moveTo(row, first)}${textOf(next.slice(first, last + 1))}${isShorter ? eraseRest : ''}`
}

const whole = (line: string, row: number, columns: number): string =>
  // Behind the last column there is nothing to erase, and the cursor may still stand on it.
  `${moveTo(row, 0)}${line}${widthOf(stripped(line)) < columns ? eraseRest : ''}`

const moveTo = (row: number, column: number): string => `\u001B[${row + 1};${column + 1}H`
const eraseRest = '\u001B[K'
const noColours = '\u001B[m'

/** A character that takes one cell, and the colours that were begun and not ended before it. */
interface Cell {
  readonly text: string
  readonly colours: string
}

/** `undefined` where a character may take another number of cells. */
const cellsOf = (line: string): readonly Cell[] | undefined => {
  const cells: Cell[] = []
  let colours = ''
  let open = 0
  for (const [token] of line.matchAll(/\u001B\[[\d;]*m|[^]/gu)) {
    if (token.startsWith('\u001B')) {
      open += endings.has(token) ? -1 : 1
      colours = open === 0 ? '' : colours + token
    } else if (/^[ -~–…↑↓└]$/.test(token)) cells.push({ text: token, colours })
    else return undefined
  }
  return cells
}

/** Of a colour, a background, bold or dim, italic, underlined, inverse. */
const endings: ReadonlySet<string> = new Set([39, 49, 22, 23, 24, 27].map((code) => `\u001B[${code}m`))

const textOf = (cells: readonly Cell[]): string => {
  let present = ''
  const parts = cells.map(({ text, colours }) => {
    const change = colours === present ? '' : `${present === '' ? '' : noColours}${colours}`
    present = colours
    return change + text
  })
  return parts.join('') + (present === '' ? '' : noColours)
}
