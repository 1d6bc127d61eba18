/** Everything that the live view knows. One value; `update.ts` makes the next one. */
import type { ChildStatus, ServiceStatus, StatusReport } from '../terminal/service-status.ts'

export interface LiveModel {
  readonly project: string
  readonly supervisor: StatusReport['supervisor']
  readonly services: readonly ServiceStatus[]
  /** When they were looked at; wall clock, ms. */
  readonly seenMs: number
  /** Why nothing is heard from a supervisor; undefined while one is connected. */
  readonly lost: string | undefined
  /** The service or child that keys are about, by what commands call it: others may come and go. */
  readonly selected: string | undefined
  /** The first row that is shown, as far as the selected one can be seen. */
  readonly top: number
  /** Only services whose name, or that of a child, holds this. */
  readonly filter: string
  readonly isTyping: boolean
  readonly pane: Pane
  /** What is asked before it is done. */
  readonly asked: Action | undefined
  /** What came of the last thing that was done. */
  readonly note: Note | undefined
  /** How many rows there are for services and their children, or for lines of a pane. */
  readonly roomRows: number
}

type Pane =
  | { readonly kind: 'table' }
  | { readonly kind: 'help' }
  | Detail
  | {
      readonly kind: 'logs'
      readonly service: string
      /** The newest; kept to `mostLines`. */
      readonly lines: readonly string[]
      /** Lines below the last one that is shown; 0 follows. */
      readonly back: number
    }

/** Everything about a service. */
export interface Detail {
  readonly kind: 'detail'
  readonly service: string
  /** What `inspect` is asked for: the service, or an instance of it. */
  readonly asked: string
  /** There are when somebody has looked. */
  readonly lines: readonly string[]
  readonly top: number
  /** The view began with it: going back ends it. */
  readonly isFirst: boolean
}

export interface Action {
  readonly kind: 'restart' | 'stop' | 'start'
  readonly service: string
}

export interface Note {
  readonly text: string
  readonly isBad: boolean
}

/** Lines of a log that are kept to look back at. */
export const mostLines = 2_000

export const emptyModel = (project: string): LiveModel => ({
  ...{ project, supervisor: null, services: [], seenMs: 0, lost: undefined, selected: undefined, top: 0 },
  ...{ filter: '', isTyping: false, pane: { kind: 'table' }, asked: undefined, note: undefined, roomRows: 1 },
})

/** A line of the table: a service, or a child of one. */
export interface LiveRow {
  /** What commands know it by. */
  readonly service: string
  readonly state: string
  readonly isChild: boolean
}

/** The services that are shown: those that have the name, and those of which a child has it, by what is shown of it. */
export const shownServices = ({
  services,
  filter,
}: Pick<LiveModel, 'services' | 'filter'>): readonly ServiceStatus[] => {
  const wanted = filter.toLowerCase()
  const isWanted = ({ service }: LiveRow) => service.toLowerCase().includes(wanted)
  return wanted === '' ? services : services.filter((one) => rowsOf([one]).some(isWanted))
}

/** The lines of the table, children below their parents. */
export const shownRows = (model: Pick<LiveModel, 'services' | 'filter'>): readonly LiveRow[] =>
  rowsOf(shownServices(model))

/** Whatever is selected, also when its line is not shown. */
export const rowOf = ({ services }: Pick<LiveModel, 'services'>, service: string): LiveRow | undefined =>
  rowsOf(services).find((row) => row.service === service)

/** Where the selected one is among the lines that are shown; 0 when it is not. */
export const selectedRow = (model: LiveModel): number =>
  Math.max(
    0,
    shownRows(model).findIndex(({ service }) => service === model.selected),
  )

/** In the order in which they are shown. */
const rowsOf = (services: readonly ServiceStatus[]): readonly LiveRow[] =>
  services.flatMap(({ name, state, children }) => [{ service: name, state, isChild: false }, ...rowsBelow(children)])

const rowsBelow = (children: readonly ChildStatus[]): readonly LiveRow[] =>
  children.flatMap(({ service, state, children: below }) => [{ service, state, isChild: true }, ...rowsBelow(below)])
