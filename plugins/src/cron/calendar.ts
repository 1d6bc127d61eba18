/** When an expression comes, as croner says: it computes dates, and nothing of its timers is used. */
import { Cron as Croner } from 'croner'
import type { Cron } from './options.ts'

/** Due times, in milliseconds of the wall clock. */
export interface Calendar {
  /** The first one after a moment; `undefined` when there is none. */
  after(ms: number): number | undefined
}

/** @throws what croner says of an expression that it does not understand. */
export const calendarOf = ({ expression, timezone }: Pick<Cron, 'expression' | 'timezone'>): Calendar => {
  const croner = new Croner(expression, { mode: '5-or-6-parts', ...(timezone === undefined ? {} : { timezone }) })
  return { after: (ms) => croner.nextRun(new Date(ms))?.getTime() }
}
