/** What was true at a moment, found among events of which the oldest are gone. */
import type { SysgEvent } from './events.ts'
import { nothingTold, pastOf, type Past } from './past.ts'

/** What had been told up to an event. */
export interface Checkpoint {
  readonly seq: number
  /** Wall clock, ms. */
  readonly timeMs: number
  readonly past: Past
}

/** `knownSince`: the moment before which too little is kept, wall clock, ms; undefined when nothing is. */
export type PastAt = { readonly past: Past } | { readonly knownSince: number | undefined }

/**
 * What the events up to a moment tell. They are taken in from a moment at which everything was known: a checkpoint, or
 * the boot of a supervisor, which tells everything anew. Where the clock was set back, a moment that came twice is the
 * second one.
 *
 * @param events - What is kept, in order. @param atMs - Wall clock, ms. @param checkpoints - In order.
 */
export const pastAt = (events: readonly SysgEvent[], atMs: number, checkpoints: readonly Checkpoint[] = []): PastAt => {
  const told = events.slice(0, events.findLastIndex(({ time }) => Date.parse(time) <= atMs) + 1)
  const [first] = events
  const last = told.at(-1)
  // Between an older one and the first event others may have been.
  const usable = checkpoints.filter(({ seq }) => first !== undefined && seq >= first.seq - 1)
  const boot = told.findLast(isBoot)
  const checkpoint = usable.findLast(({ seq, timeMs }) => (last === undefined ? timeMs <= atMs : seq <= last.seq))
  if (boot === undefined && checkpoint === undefined) return { knownSince: knownSince(events, usable) }
  const isNewer = checkpoint !== undefined && checkpoint.seq >= (boot?.seq ?? 0)
  const from = isNewer ? checkpoint.seq + 1 : (boot?.seq ?? 0)
  const rest = told.filter(({ seq }) => seq >= from)
  return { past: pastOf(rest, isNewer ? checkpoint.past : nothingTold()) }
}

const isBoot = ({ type }: SysgEvent): boolean => type === 'system.booting'

const knownSince = (events: readonly SysgEvent[], [checkpoint]: readonly Checkpoint[]): number | undefined => {
  const boot = events.find(isBoot)
  const known = [...(boot === undefined ? [] : [Date.parse(boot.time)]), ...(checkpoint ? [checkpoint.timeMs] : [])]
  return known.length === 0 ? undefined : Math.min(...known)
}
