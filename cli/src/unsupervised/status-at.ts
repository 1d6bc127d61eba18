/** `sysg status --at`: how things were, told from the events that are kept. Asks no supervisor. */
import { pastAt, pastViews, type Checkpoint, type Past } from '@systemg/core'
import type { CommandContext } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { locate } from '../project/locate.ts'
import { formatAge } from '../terminal/age.ts'
import { momentMs } from '../terminal/duration.ts'
import { localTime } from '../terminal/event-line.ts'
import { reportOf } from '../terminal/service-status.ts'
import { exitCodeFor, type Seen } from '../terminal/status-look.ts'
import { statusTable } from '../terminal/status-table.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import { storedCheckpoints, storedEvents } from './stored-events.ts'

/**
 * @param at - As typed: `10m` (so long ago), or a date and time.
 * @throws {Failure} `SYSG_USAGE`, `SYSG_PAST_UNKNOWN`, `SYSG_SERVICE_UNKNOWN`.
 */
export const lookAtPast = async (context: CommandContext, at: string, names: readonly string[]): Promise<Seen> => {
  const nowMs = Date.now()
  const atMs = momentMs(at, '--at', nowMs)
  if (atMs > nowMs) {
    const message = `\`--at\` takes a moment that has passed, and ${clockTime(atMs)} is still to come.`
    throw new Failure('SYSG_USAGE', { message, command: 'status' })
  }
  const { paths, config = null } = locate(context)
  const events = storedEvents(paths, undefined)
  if (events === undefined) throw new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
  const checkpoints = storedCheckpoints(paths).flatMap(({ seq, timeMs, value }) => asCheckpoint(seq, timeMs, value))
  const found = pastAt(events, atMs, checkpoints)
  if (!('past' in found)) {
    const knownSince = found.knownSince === undefined ? undefined : clockTime(found.knownSince)
    throw new Failure('SYSG_PAST_UNKNOWN', { at: clockTime(atMs), knownSince })
  }
  const { past } = found
  const views = pastViews(past, paths.id, atMs, names)
  await requireKnown(
    names,
    views.map(({ name }) => name),
  )
  const shown = names.length === 0 ? views : views.filter(({ name }) => names.includes(name))
  const { services } = reportOf({ project: { id: paths.id, config }, supervisor: null, services: shown })
  const ran = past.startedAt === null ? null : { pid: null, version: past.version, started_at: past.startedAt }
  const time = new Date(atMs).toISOString()
  const heading = `${clockTime(atMs)}, ${formatAge(nowMs - atMs)} ago:`
  const failure = failureOf(past, paths.id)
  return {
    json: { project: { id: paths.id, config }, at: time, seq: past.seq, supervisor: ran, services },
    exitCode: failure === undefined ? exitCodeFor(services) : exitCodes.noSupervisor,
    lines: (options) => [
      options.paint('dim', heading),
      ...statusTable(services, { ...options, nowMs: atMs, instances: names.length > 0 }),
    ],
    ...(failure === undefined ? {} : { failure }),
  }
}

const failureOf = ({ stopped }: Past, project: string): Failure | undefined => {
  if (stopped === null) return undefined
  const why = stopped.reason === null ? '' : ` (${stopped.reason})`
  const words = `the system was stopped at ${clockTime(Date.parse(stopped.at))}${why}`
  return new Failure('SYSG_NO_SUPERVISOR', { project: `\`${project}\``, stopped: words })
}

/** One that is damaged, or of a version that keeps something else, is none. */
const asCheckpoint = (seq: number, timeMs: number, value: unknown): readonly Checkpoint[] => {
  const past = value as Partial<Past> | null
  const isWhole = typeof past === 'object' && past?.seq === seq && typeof past.services === 'object'
  return isWhole ? [{ seq, timeMs, past: past as Past }] : []
}

const clockTime = (ms: number): string => localTime(new Date(ms).toISOString()).replace(/\.\d+$/, '')
