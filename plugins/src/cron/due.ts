/**
 * Which runs are due at a moment. Pure.
 *
 * Everything due until `settled` has been decided; that mark moves on with every due time, so none is decided twice. Due
 * times that are found soon are decided one by one. When they are found later, the clock was set forward, or the machine
 * slept: then all of them are one run, as systemd has it.
 *
 * A clock that is set back comes to decided times again. If that is but one of them, it is not run again (a daily job
 * does not run twice). If there are several, the schedule begins anew from there, or a job of every minute would stand
 * still until the clock has made up for it: cron tells its wildcard jobs from the others for the same reason.
 */
import type { Calendar } from './calendar.ts'

/** Later than this a due time is found only after a jump or a sleep, ms. */
export const soonMs = 10_000

/** More than can be due within `soonMs`. */
const mostAtOnce = 12

/** The mark at `now`: where it was, unless the clock was set back past several decided times. */
export const markAt = (calendar: Calendar, settled: number, now: number): number => {
  if (settled <= now) return settled
  const first = calendar.after(now)
  return first === undefined || first >= settled ? settled : now
}

/** Due times after `settled`, until and with `now`, that are to be decided, in order. */
export const dueUntil = (calendar: Calendar, settled: number, now: number): readonly number[] => {
  const due: number[] = []
  let next = calendar.after(settled)
  if (next !== undefined && next < now - soonMs) return [latest(calendar, next, now)]
  while (next !== undefined && next <= now && due.length < mostAtOnce) {
    due.push(next)
    next = calendar.after(next)
  }
  return due
}

/** The last due time until and with `now`; `due` is an earlier one. */
const latest = (calendar: Calendar, due: number, now: number): number => {
  let last = due
  // From ever nearer to now, as there may be millions in between.
  for (let back = (now - due) / 2; back >= 1_000; back /= 2) {
    const near = calendar.after(now - back)
    if (near !== undefined && near <= now && near > last) last = near
  }
  for (let next = calendar.after(last); next !== undefined && next <= now; next = calendar.after(next)) last = next
  return last
}
