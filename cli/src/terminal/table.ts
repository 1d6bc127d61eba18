/**
 * A table that fits the terminal. Pure.
 *
 * What happens when it is too wide, in this order: long notes of the last column go below their rows; columns are left
 * out, those with the highest `dropRank` first; the first column's texts lose their middle. Where every row is to have
 * one line, long texts of the first column lose their middle first, then columns are left out until there is some room
 * for notes, and these lose their end.
 */
import { fit, fitMiddle, widthOf, wrap } from './text.ts'
import type { Style } from './terminal.ts'

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** The highest goes first; left out: it always stays. */
  readonly dropRank?: number
}

export interface Cell {
  /** On one line and without colours; `plain` makes it so. */
  readonly text: string
  readonly style?: Style | undefined
}

export interface Row {
  /** One for each column. */
  readonly cells: readonly Cell[]
  /** For the last column, whose title is `TableOptions.noteTitle`. */
  readonly note: string
}

export interface TableOptions {
  /** Cells a line may take; `Infinity` when nobody looks. */
  readonly width: number
  readonly noteTitle: string
  readonly paint: (style: Style, text: string) => string
  /** Every row has one line. */
  readonly oneLine?: boolean
}

const gap = '  '
/** Long notes stay in their column, on several lines, when it is at least so wide. */
const narrowestNote = 40
const indent = '    '
const narrowestName = 8
/** On one line with its row, a name is shortened to this, or a third of the line, before a column is left out for it. */
const longName = 16
/** On one line with its row, a note has so much room before a column is left out for it. */
const shortNote = 24

/** The lines of the table, the titles first. */
export const renderTable = (columns: readonly Column[], rows: readonly Row[], options: TableOptions): string[] => {
  const layout = layOut(columns, rows, options)
  const titles = columns.map(({ title }): Cell => ({ text: title, style: 'dim' }))
  const head = line(columns, titles, layout, options)
  const hasNoteTitle = widthOf(options.noteTitle) <= layout.noteWidth
  const noteTitle = hasNoteTitle ? [gap, options.paint('dim', options.noteTitle)] : []
  return [
    [head, ...noteTitle].join('').trimEnd(),
    ...rows.flatMap((row) => {
      const first = line(columns, row.cells, layout, options)
      if (options.oneLine === true) return [`${first}${gap}${fit(row.note, layout.noteWidth)}`.trimEnd()]
      const isBeside = !layout.isNarrow || widthOf(row.note) <= layout.noteWidth
      return isBeside ? beside(first, row.note, layout) : below(first, row.note, options.width)
    }),
  ]
}

interface Layout {
  /** By column; 0: left out. */
  readonly widths: readonly number[]
  /** Room for notes behind the columns. */
  readonly noteWidth: number
  /** Notes that are longer go below their row. */
  readonly isNarrow: boolean
}

const layOut = (columns: readonly Column[], rows: readonly Row[], options: TableOptions): Layout => {
  const { width, noteTitle, oneLine = false } = options
  const widths = columns.map(({ title }, at) =>
    Math.max(widthOf(title), ...rows.map(({ cells }) => widthOf(cells[at]?.text ?? ''))),
  )
  const longest = Math.max(widthOf(noteTitle), ...rows.map(({ note }) => widthOf(note)))
  const kept = oneLine ? Math.min(longest, shortNote) + gap.length : 0
  if (oneLine && total(widths) + kept > width)
    widths[0] = Math.min(widths[0] ?? 0, Math.max(longName, Math.floor(width / 3)))
  for (const at of byDropRank(columns)) if (total(widths) + kept > width) widths[at] = 0
  const excess = total(widths) - width
  if (excess > 0) widths[0] = Math.max(narrowestName, (widths[0] ?? 0) - excess)
  const room = width - total(widths) - gap.length
  return { widths, noteWidth: Math.max(0, Math.min(room, longest)), isNarrow: longest > room && room < narrowestNote }
}

const total = (widths: readonly number[]): number => {
  const shown = widths.filter((one) => one > 0)
  return shown.reduce((sum, one) => sum + one, 0) + gap.length * Math.max(0, shown.length - 1)
}

/** Columns that may be left out, the first to go first. */
const byDropRank = (columns: readonly Column[]): readonly number[] =>
  columns
    .map(({ dropRank }, at) => ({ dropRank: dropRank ?? 0, at }))
    .filter(({ dropRank }) => dropRank > 0)
    .sort((a, b) => b.dropRank - a.dropRank)
    .map(({ at }) => at)

const line = (columns: readonly Column[], cells: readonly Cell[], { widths }: Layout, { paint }: TableOptions) =>
  columns
    .flatMap(({ align }, at) => {
      const width = widths[at] ?? 0
      if (width === 0) return []
      const { text, style } = cells[at] ?? { text: '' }
      const short = fitMiddle(text, width)
      const shown = style === undefined || short === '' ? short : paint(style, short)
      const spaces = ' '.repeat(Math.max(0, width - widthOf(short)))
      return [align === 'right' ? spaces + shown : shown + spaces]
    })
    .join(gap)

/** The first line with the note behind it, and the rest of the note in its column. */
const beside = (first: string, note: string, { widths, noteWidth }: Layout): readonly string[] => {
  const [head = '', ...rest] = wrap(note, noteWidth)
  const margin = ' '.repeat(total(widths) + gap.length)
  return [`${first}${gap}${head}`.trimEnd(), ...rest.map((text) => margin + text)]
}

const below = (first: string, note: string, width: number): readonly string[] => [
  first.trimEnd(),
  ...wrap(note, Math.max(1, width - indent.length)).map((text) => indent + text),
]
