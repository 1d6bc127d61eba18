/** What the model looks like on a screen of so many columns and rows. Pure. */
import { formatAge } from '../terminal/age.ts'
import { countStates, serviceLines } from '../terminal/status-table.ts'
import type { TableOptions } from '../terminal/table.ts'
import { fit, plain, stripped, widthOf } from '../terminal/text.ts'
import { selectedRow, shownRows, shownServices, type LiveModel } from './model.ts'
import { helpLines } from './panes.ts'

export interface Look {
  readonly columns: number
  readonly rows: number
  readonly paint: TableOptions['paint']
}

/** At most `rows` lines, none wider than `columns`. What does not fit goes in this order: keys, counts, title. */
export const render = (model: LiveModel, look: Look): readonly string[] => {
  const { before, after } = frame(model, look)
  const room = roomFor(look.rows)
  const lines = [...before, ...fill(body(model, look, room.rows), room.rows), ...after]
  return lines.slice(0, Math.max(1, look.rows)).map((line) => cut(line, look.columns))
}

/** What of the frame there is room for, and how many rows that leaves for services or for lines of a pane. */
export const roomFor = (rows: number) => {
  const hasTitle = rows >= 4
  const hasHead = rows >= 3
  const hasCounts = rows >= 5
  const hasKeys = rows >= 6
  const taken = [hasTitle, hasHead, hasCounts, hasKeys].filter((has) => has).length
  return { hasTitle, hasHead, hasCounts, hasKeys, rows: Math.max(1, rows - taken) }
}

const frame = (model: LiveModel, look: Look) => {
  const { hasTitle, hasHead, hasCounts, hasKeys, rows } = roomFor(look.rows)
  const last = statusLine(model, look, rows)
  // A question must be seen.
  const isAsking = model.asked !== undefined || model.isTyping
  return {
    before: [...(hasTitle ? [title(model, look)] : []), ...(hasHead ? [heading(model, look)] : [])],
    after: hasCounts ? [last, ...(hasKeys ? [keyLine(model, look)] : [])] : isAsking ? [last] : [],
  }
}

const title = ({ project, supervisor, lost, seenMs }: LiveModel, { columns, paint }: Look): string => {
  const name = paint('bold', plain(project))
  if (lost !== undefined) return `${name}  ${paint(['bold', 'red'], fit(plain(lost), columns - widthOf(project) - 2))}`
  if (supervisor === null) return name
  const upMs = seenMs - Date.parse(supervisor.started_at)
  return `${name}  ${paint('dim', `supervisor ${supervisor.pid}, up ${formatAge(upMs)}, systemg ${plain(supervisor.version)}`)}`
}

/** Above the rows: the titles of columns, or what a pane shows. */
const heading = (model: LiveModel, look: Look): string => {
  const { pane } = model
  if (pane.kind === 'table') return `  ${tableOf(model, look)[0] ?? ''}`
  if (pane.kind === 'help') return look.paint('bold', 'Keys')
  return look.paint('bold', pane.kind === 'logs' ? `logs of ${plain(pane.service)}` : plain(pane.asked))
}

const body = (model: LiveModel, look: Look, rows: number): readonly string[] => {
  const { pane } = model
  if (pane.kind === 'help') return helpLines()
  if (pane.kind === 'detail') return pane.lines.slice(pane.top, pane.top + rows)
  if (pane.kind === 'logs') {
    const end = Math.max(Math.min(rows, pane.lines.length), pane.lines.length - pane.back)
    return pane.lines.slice(Math.max(0, end - rows), end)
  }
  const at = selectedRow(model)
  const shown = tableOf(model, look).slice(1 + model.top, 1 + model.top + rows)
  if (shown.length === 0)
    return [look.paint('dim', model.filter === '' ? '  No services.' : '  No service has that name.')]
  return shown.map((line, index) => (model.top + index === at ? marked(line, look) : `  ${line}`))
}

/** Also where there are no colours one sees which line it is. */
const marked = (line: string, { columns, paint }: Look): string => {
  const text = cut(`> ${stripped(line)}`, columns)
  return paint('inverse', text + ' '.repeat(Math.max(0, columns - widthOf(text))))
}

const tableOf = (model: LiveModel, { columns, paint }: Look): readonly string[] =>
  serviceLines(shownServices(model), { width: Math.max(1, columns - 2), paint, nowMs: model.seenMs })

const statusLine = (model: LiveModel, { paint }: Look, rows: number): string => {
  const { asked, isTyping, filter, note, pane, services } = model
  if (asked !== undefined) return paint(['bold', 'yellow'], `${asked.kind} ${plain(asked.service)}? y / n`)
  if (isTyping) return `/${plain(filter)}_`
  if (note !== undefined) return note.isBad ? paint('red', plain(note.text)) : plain(note.text)
  if (pane.kind === 'logs')
    return pane.back === 0 ? paint('dim', 'following') : paint('yellow', `${pane.back} lines below`)
  if (pane.kind === 'detail') return position(pane.top, pane.lines.length, rows)
  if (pane.kind === 'help') return ''
  const shown = shownServices(model).length
  const found = filter === '' ? '' : `/${plain(filter)}: ${shown} of `
  const where = position(model.top, shownRows(model).length, rows)
  return [where, `${found}${countStates(services)}`].filter((part) => part !== '').join('  ')
}

/** `21–40 of 500`; nothing when all is seen. */
const position = (top: number, count: number, rows: number): string =>
  count <= rows ? '' : `${top + 1}–${Math.min(top + rows, count)} of ${count}`

const keys: Readonly<Record<LiveModel['pane']['kind'], string>> = {
  table: 'enter inspect  ? help  q quit  l logs  r restart  s stop/start  / find',
  detail: 'q back  l logs  r restart  s stop/start  ↑↓ scroll',
  logs: 'q back  ↑↓ scroll  G follow',
  help: 'any key: back',
}

const keyLine = ({ pane }: LiveModel, { paint }: Look): string => {
  const isEnd = pane.kind === 'detail' && pane.isFirst
  return paint('dim', isEnd ? keys.detail.replace('q back', 'q quit') : keys[pane.kind])
}

const fill = (lines: readonly string[], rows: number): readonly string[] => [
  ...lines.slice(0, rows),
  ...Array.from({ length: Math.max(0, rows - lines.length) }, () => ''),
]

/** A line that is too wide loses its colours: what is left out may have ended them. */
const cut = (line: string, columns: number): string => {
  const text = stripped(line)
  return widthOf(text) <= columns ? line : fit(text, columns)
}
