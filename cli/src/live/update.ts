/** What a key, a look at the system or a line of a log makes of the model, and what is to be done about it. Pure. */
import type { StatusReport } from '../terminal/service-status.ts'
import type { Key } from './keys.ts'
import {
  mostLines,
  rowOf,
  selectedRow,
  shownRows,
  type Action,
  type Detail,
  type LiveModel,
  type Note,
} from './model.ts'

export type Message =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'seen'; readonly report: StatusReport; readonly atMs: number }
  | { readonly kind: 'lost'; readonly why: string }
  | { readonly kind: 'detail'; readonly asked: string; readonly lines: readonly string[] }
  | { readonly kind: 'log'; readonly service: string; readonly lines: readonly string[] }
  | ({ readonly kind: 'note' } & Note)
  /** There is room for so many rows. */
  | { readonly kind: 'room'; readonly rows: number }

/** What is to be done; its results come back as messages. */
export type Effect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'redraw' }
  | { readonly kind: 'inspect'; readonly asked: string }
  | { readonly kind: 'logs'; readonly service: string }
  | { readonly kind: 'no-logs' }
  | ({ readonly kind: 'do' } & { readonly action: Action })

export type Updated = readonly [model: LiveModel, effect?: Effect]

export const update = (model: LiveModel, message: Message): Updated => {
  switch (message.kind) {
    case 'key':
      return onKey(model, message.key)
    case 'seen':
      return onSeen(model, message)
    case 'lost':
      return [{ ...model, lost: message.why }]
    case 'note':
      return [{ ...model, note: { text: message.text, isBad: message.isBad } }]
    case 'room':
      return [inSight({ ...model, roomRows: Math.max(1, message.rows) })]
    case 'detail': {
      const { pane } = model
      const isAsked = pane.kind === 'detail' && pane.asked === message.asked
      return [isAsked ? { ...model, pane: { ...pane, lines: message.lines } } : model]
    }
    case 'log':
      return [onLog(model, message.service, message.lines)]
  }
}

const onSeen = (model: LiveModel, { report, atMs }: Extract<Message, { kind: 'seen' }>): Updated => {
  const { project, supervisor, services } = report
  // Of one that is gone the next in its place is selected.
  const place = selectedRow(model)
  const next = { ...model, project: project.id, supervisor, services, seenMs: atMs, lost: undefined }
  const shown = shownRows(next)
  const isThere = shown.some(({ service }) => service === model.selected)
  const selected = isThere ? model.selected : (shown[place] ?? shown.at(-1))?.service
  const { pane } = model
  const seen = inSight({ ...next, selected })
  if (pane.kind !== 'detail') return [seen]
  // What the view began with may be an instance, which has no line.
  const isThereStill = pane.isFirst || rowOf(next, pane.service) !== undefined
  return isThereStill ? [seen, { kind: 'inspect', asked: pane.asked }] : [seen]
}

const onLog = (model: LiveModel, service: string, lines: readonly string[]): LiveModel => {
  const { pane } = model
  if (pane.kind !== 'logs' || pane.service !== service) return model
  const all = [...pane.lines, ...lines]
  // Who looks back sees the same lines while others come.
  const back = pane.back === 0 ? 0 : Math.min(pane.back + lines.length, mostLines)
  return { ...model, pane: { ...pane, lines: all.slice(-mostLines), back } }
}

const onKey = (model: LiveModel, key: Key): Updated => {
  if (key === 'ctrl-c') return [model, { kind: 'quit' }]
  if (key === 'ctrl-z') return [model, { kind: 'suspend' }]
  if (key === 'ctrl-l') return [model, { kind: 'redraw' }]
  if (model.asked !== undefined) return onAnswer(model, model.asked, key)
  if (model.isTyping) return onTyped(model, key)
  const next = { ...model, note: undefined }
  switch (model.pane.kind) {
    case 'table':
      return onTableKey(next, key)
    case 'help':
      return [{ ...next, pane: { kind: 'table' } }]
    case 'detail':
      return onDetailKey(next, model.pane, key)
    case 'logs':
      return onLogsKey(next, model.pane, key)
  }
}

const onTableKey = (model: LiveModel, key: Key): Updated => {
  const move = moves[key]
  if (move !== undefined) return [select(model, move(selectedRow(model), model))]
  if (key === 'q') return [model, { kind: 'quit' }]
  if (key === 'escape')
    return model.filter === '' ? [model, { kind: 'quit' }] : [select({ ...model, filter: '' }, undefined)]
  if (key === '?' || key === 'h') return [{ ...model, pane: { kind: 'help' } }]
  if (key === '/') return [{ ...model, isTyping: true }]
  return onServiceKey(model, key, shownRows(model)[selectedRow(model)]?.service)
}

/** Keys that are about one service, or child. */
const onServiceKey = (model: LiveModel, key: Key, service: string | undefined): Updated => {
  if (service === undefined) return [model]
  if (key === 'enter' || key === 'i' || key === 'right')
    return [
      { ...model, pane: { kind: 'detail', service, asked: service, lines: [], top: 0, isFirst: false } },
      { kind: 'inspect', asked: service },
    ]
  if (key === 'l')
    return [
      { ...model, pane: { kind: 'logs', service, lines: [], back: 0 } },
      { kind: 'logs', service },
    ]
  if (key === 'r') return [askToRestart(model, service)]
  if (key !== 's') return [model]
  const state = rowOf(model, service)?.state ?? ''
  const isDown = ['stopped', 'failed', 'completed', 'scheduled', 'skipped'].includes(state)
  if (!isDown) return [{ ...model, asked: { kind: 'stop', service } }]
  return begin(model, { kind: 'start', service })
}

/** A child can't be: nobody is asked whether it should. */
const askToRestart = (model: LiveModel, service: string): LiveModel => {
  if (rowOf(model, service)?.isChild !== true) return { ...model, asked: { kind: 'restart', service } }
  // Fits where a terminal has 40 columns.
  return { ...model, note: { text: 'A child runs once: its parent starts it.', isBad: false } }
}

const onDetailKey = (model: LiveModel, pane: Detail, key: Key): Updated => {
  if (backKeys.has(key)) return pane.isFirst ? [model, { kind: 'quit' }] : [{ ...model, pane: { kind: 'table' } }]
  const move = moves[key]
  if (move === undefined) return key === 'enter' ? [model] : onServiceKey(model, key, pane.service)
  const last = Math.max(0, pane.lines.length - model.roomRows)
  return [{ ...model, pane: { ...pane, top: clamp(move(pane.top, model, last), last) } }]
}

const onLogsKey = (model: LiveModel, pane: Extract<LiveModel['pane'], { kind: 'logs' }>, key: Key): Updated => {
  if (backKeys.has(key)) return [{ ...model, pane: { kind: 'table' } }, { kind: 'no-logs' }]
  const last = Math.max(0, pane.lines.length - model.roomRows)
  const move = moves[key]
  if (move === undefined) return [model]
  const top = clamp(move(last - pane.back, model, last), last)
  return [{ ...model, pane: { ...pane, back: last - top } }]
}

const onAnswer = (model: LiveModel, action: Action, key: Key): Updated => {
  const next = { ...model, asked: undefined }
  return key === 'y' || key === 'Y' || key === 'enter' ? begin(next, action) : [next]
}

const begin = (model: LiveModel, action: Action): Updated => {
  const words = { restart: 'restarting', stop: 'stopping', start: 'starting' }
  return [
    { ...model, note: { text: `${words[action.kind]} ${action.service} …`, isBad: false } },
    { kind: 'do', action },
  ]
}

const onTyped = (model: LiveModel, key: Key): Updated => {
  if (key === 'enter') return [{ ...model, isTyping: false }]
  if (key === 'escape') return [select({ ...model, filter: '', isTyping: false }, undefined)]
  const filter = key === 'backspace' ? model.filter.slice(0, -1) : key.length === 1 ? model.filter + key : model.filter
  return [select({ ...model, filter }, undefined)]
}

const backKeys: ReadonlySet<Key> = new Set(['q', 'escape', 'left', 'backspace'])

type Move = (at: number, model: LiveModel, last?: number) => number

const moves: Readonly<Record<Key, Move>> = {
  up: (at) => at - 1,
  k: (at) => at - 1,
  down: (at) => at + 1,
  j: (at) => at + 1,
  'page-up': (at, { roomRows }) => at - roomRows,
  'page-down': (at, { roomRows }) => at + roomRows,
  ' ': (at, { roomRows }) => at + roomRows,
  home: () => 0,
  g: () => 0,
  end: () => Number.MAX_SAFE_INTEGER,
  G: () => Number.MAX_SAFE_INTEGER,
}

/** Select what is in a row; `undefined`: the one that is selected, or the first when it is not shown. */
const select = (model: LiveModel, row: number | undefined): LiveModel => {
  const shown = shownRows(model)
  const at = clamp(row ?? selectedRow(model), shown.length - 1)
  return inSight({ ...model, selected: shown[at]?.service })
}

/** Scroll no further than it takes to see the selected one, and leave no room empty. */
const inSight = (model: LiveModel): LiveModel => {
  const { roomRows, top } = model
  const at = selectedRow(model)
  const last = Math.max(0, shownRows(model).length - roomRows)
  return { ...model, top: clamp(Math.min(at, Math.max(top, at - roomRows + 1)), last) }
}

const clamp = (value: number, last: number): number => Math.max(0, Math.min(value, last))
