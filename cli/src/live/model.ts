/** Everything that the live view knows. One value; `update.ts` makes the next one. */
import type { ServiceStatus, StatusReport } from '../terminal/service-status.ts'

export interface LiveModel {
  readonly project: string
  readonly supervisor: StatusReport['supervisor']
  readonly services: readonly ServiceStatus[]
  /** When they were looked at; wall clock, ms. */
  readonly seenMs: number
  /** Why nothing is heard from a supervisor; undefined while one is connected. */
  readonly lost: string | undefined
  /** The service that keys are about, by name: others may come and go. */
  readonly selected: string | undefined
  /** The first row that is shown, as far as the selected one can be seen. */
  readonly top: number
  /** Only services whose name holds this. */
  readonly filter: string
  readonly isTyping: boolean
  readonly pane: Pane
  /** What is asked before it is done. */
  readonly asked: Action | undefined
  /** What came of the last thing that was done. */
  readonly note: Note | undefined
  /** How many rows there are for services, or for lines of a pane. */
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

/** The services that are shown. */
export const shownServices = ({
  services,
  filter,
}: Pick<LiveModel, 'services' | 'filter'>): readonly ServiceStatus[] => {
  const wanted = filter.toLowerCase()
  return wanted === '' ? services : services.filter(({ name }) => name.toLowerCase().includes(wanted))
}

/** Where the selected service is among those that are shown; 0 when it is not. */
export const selectedRow = (model: LiveModel): number =>
  Math.max(
    0,
    shownServices(model).findIndex(({ name }) => name === model.selected),
  )
