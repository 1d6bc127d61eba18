/** What `sysg validate` says of schedules: when they come next. */
import type { ResolvedSystem } from '@systemg/core'
import { calendarOf } from './calendar.ts'
import type { Cron } from './options.ts'

const shown = 3

/** One line for each service that has a schedule. */
export const nextRuns = ({ services }: ResolvedSystem, { nowMs }: { readonly nowMs: number }): readonly string[] =>
  Object.values(services).flatMap(({ name, cron }) => {
    if (cron === undefined) return []
    return [`${name} runs next at ${timesAfter(cron, nowMs).join(', ')} (${zoneOf(cron)})`]
  })

/** Why a service does not run now, in words: shown as the reason of its state. */
export const describeSchedule = (cron: Cron): string =>
  cron.timezone === undefined ? cron.expression : `${cron.expression} (${cron.timezone})`

const timesAfter = (cron: Cron, nowMs: number): readonly string[] => {
  const calendar = calendarOf(cron)
  const times: string[] = []
  for (let at = calendar.after(nowMs); at !== undefined && times.length < shown; at = calendar.after(at))
    times.push(localTime(at, cron.timezone))
  return times
}

const zoneOf = ({ timezone }: Cron): string => timezone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone

/** `2026-01-05 03:00:00`: Swedes write dates as ISO 8601 does. */
const localTime = (ms: number, timezone: string | undefined): string =>
  new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: timezone }).format(ms)
