/** What control clients and other plugins may ask about logs. */
import { once, SysgError, type ControlCall, type ControlMethod, type Host, type ResolvedSystem } from '@systemg/core'
import * as z from 'zod/mini'
import { countAges, removeAge } from './ages.ts'
import type { Followers } from './followers.ts'
import { cursorOf, positionOf } from './cursors.ts'
import { batchOf, Following, type Batch } from './following.ts'
import { isAskedFor, listSources, namesIn, supervisorSource, type LogSource } from './layout.ts'
import { recordOf, type LogLine, type LogRun } from './lines.ts'
import type { LogsOptions } from './defaults.ts'
import type { Outputs } from './outputs.ts'
import { compilePattern } from './pattern.ts'
import { lastLineEnd, readLast, readRuns, type LogQuery } from './reader.ts'
import type { Position, StreamLimits } from './stream-log.ts'

export interface LogsWorld {
  readonly host: Host
  readonly options: LogsOptions
  readonly outputs: Outputs
  readonly followers: Followers
  readonly config: () => ResolvedSystem
  readonly settingsOf: (service: string) => StreamLimits & { readonly sink: string }
}

/** So much is told at once, and a run more. */
const partBytes = 256 * 1024

/** One answer holds at most so much: it is in memory at once. */
const most = { lines: 10_000, bytes: 4 * 1024 * 1024 }

const moment = once(() => {
  const isoTime = z.pipe(
    z.iso.datetime({ offset: true }),
    z.transform((text) => Date.parse(text)),
  )
  return z.union([z.number(), isoTime], 'must be a time in ISO 8601, or milliseconds since 1970')
})

const selection = once(() => ({
  services: z.optional(z.array(z.string())),
  instance: z.optional(z.string()),
  kind: z._default(z.enum(['stdout', 'stderr', 'all', 'supervisor']), 'all'),
  lines: z.optional(z.int().check(z.minimum(0), z.maximum(most.lines))),
  since: z.optional(moment()),
  grep: z.optional(z.string().check(z.maxLength(1000))),
}))
const readParams = once(() => z.strictObject({ ...selection(), until: z.optional(moment()) }))
const followParams = once(() => {
  const cursor = z.string().check(z.regex(/^-?\d+:\d+$/))
  return z.strictObject({ ...selection(), after: z.optional(z.record(z.string(), cursor)) })
})
const clearParams = once(() => z.strictObject({ services: z.optional(z.array(z.string())) }))
const forgetParams = once(() => z.strictObject({ service: z.string().check(z.minLength(1)) }))
const appendParams = once(() =>
  z.strictObject({
    service: z.string(),
    replica: z._default(z.int().check(z.minimum(0)), 0),
    source: z.string().check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)),
    stream: z._default(z.enum(['stdout', 'stderr']), 'stdout'),
    text: z.optional(z.string()),
    bytes: z.optional(z.instanceof(Uint8Array)),
    end: z._default(z.boolean(), false),
  }),
)

type Selection = z.output<ReturnType<typeof readParams>>
type FollowSelection = z.output<ReturnType<typeof followParams>>

/**
 * - `logs.read`: an array of records, the earliest first; the latest 50, or with `since` the latest 10 000, at most 4 MiB.
 * - `logs.follow`: `log` notifications of many records: those of `logs.read` (with `since` all), then every new line, until
 *   aborted. `cursors` are where streams stand then; who gives the latest of each as `after` goes on there, and with streams
 *   that are not among them from their beginning. `log.dropped` tells how many were rotated away before a slow reader had them.
 * - `logs.clear`: forget everything written so far.
 * - `logs.forget`: remove the files of a service that is no more, with their folder.
 * - `logs.dropped`: what the disk did not take, per stream.
 * - `logs.append`: write to `<source>.<stream>.log` beside the files of a service (output of hooks, `pre_start`, children):
 *   `text`, or the `bytes` as they are (within the supervisor; they are copied at once). `end`: the next bytes begin a line.
 */
export const logMethods = (world: LogsWorld): Readonly<Record<string, ControlMethod>> => ({
  'logs.read': async (params) => (await read(world, readParams().parse(params ?? {}))).map(recordOf),
  'logs.follow': (params, call) => follow(world, followParams().parse(params ?? {}), call),
  'logs.clear': async (params) => {
    const { services } = clearParams().parse(params ?? {})
    const open = new Map(world.outputs.channels.map((channel) => [channel.source.base, channel.log]))
    for (const source of await sourcesOf(world, { kind: 'all', services })) {
      const log = open.get(source.base)
      if (log !== undefined) await log.clear()
      else {
        await world.outputs.closeExtra(source.base)
        await removeAll(world, source)
      }
    }
  },
  'logs.forget': async (params) => {
    const { service } = forgetParams().parse(params)
    const { folder } = world.options
    if (service in world.config().services) throw inUse(service)
    for (const source of await listSources(world.host.files, folder)) {
      if (source.service !== service) continue
      await world.outputs.closeExtra(source.base)
      await removeAll(world, source)
      world.host.files.removeFolder(source.base.replace(/\/[^/]*$/, ''))
    }
    world.host.files.removeFolder(`${folder}/${service}`)
  },
  'logs.dropped': () =>
    world.outputs.channels
      .filter(({ log }) => log.dropped.bytes > 0)
      .map(({ source: { service, stream }, instance, log }) => ({
        ...{ service, instance, stream, lines: log.dropped.lines, bytes: log.dropped.bytes },
        reason: log.trouble?.message ?? null,
      })),
  'logs.append': async (params) => {
    const { service, replica, source, stream, text = '', bytes, end } = appendParams().parse(params)
    const settings = world.settingsOf(service)
    const written = bytes === undefined ? new TextEncoder().encode(text) : new Uint8Array(bytes)
    // One that has just left the config still says its last, beside what it has said before.
    const isKnown =
      service in world.config().services || (await namesIn(world.host.files, world.options.folder)).includes(service)
    if (!isKnown) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: service })
    const base = `${world.options.folder}/${service}/${replica}/${source}.${stream}`
    if (settings.sink === 'file') await world.outputs.append({ service, stream, base }, source, written, settings, end)
  },
})

const inUse = (service: string): SysgError =>
  SysgError.of('SYSG_LOGS_IN_USE', {
    message: `\`${service}\` is a service of the system: its logs are not removed.`,
    hint: `\`sysg logs --clear ${service}\` empties them.`,
  })

const read = async (world: LogsWorld, selected: Selection, end?: LogQuery['end']): Promise<readonly LogLine[]> => {
  const sources = await sourcesOf(world, selected)
  const { instance, since, until, lines = since === undefined ? 50 : most.lines } = selected
  const begunMs = instance === undefined ? undefined : world.outputs.of(instance)?.holder?.sinceMs
  return readLast(
    world.host.files,
    sources,
    { lines, bytes: most.bytes },
    { sinceMs: since ?? begunMs, untilMs: until, instance, matches: matcherOf(world, selected), end },
  )
}

/** Without a gap and without a line twice: files are read up to where each stream stood when following began. */
const follow = async (world: LogsWorld, selected: FollowSelection, call: ControlCall): Promise<void> => {
  const matches = matcherOf(world, selected)
  const { instance } = selected
  const following = new Following(world.host.files, { isWanted: (source) => isWanted(selected, source), instance })
  const ends = new Map(world.outputs.channels.map((channel) => [channel.source.base, channel.lineEnd]))
  const openedAt = (base: string) => world.outputs.channels.find(({ source }) => source.base === base)?.opened
  const stop = world.followers.add(following)
  const onAbort = () => following.end()
  if (call.signal.aborted) onAbort()
  call.signal.addEventListener('abort', onAbort)
  const tell = async ({ lines, ends }: Batch): Promise<void> => {
    const records = lines.flatMap((line) => ('lost' in line || matches?.(line) === false ? [] : recordOf(line)))
    const cursors = Object.fromEntries([...ends].map(([base, end]) => [sourceName(world, base), cursorOf(end)]))
    await call.notify('log', { records, cursors })
    for (const line of lines) if ('lost' in line) await call.notify('log.dropped', { lines: line.lost })
  }
  try {
    const endOf = (source: LogSource) => following.missedFrom(source) ?? ends.get(source.base) ?? openedAt(source.base)
    for await (const batch of before(world, selected, endOf)) {
      await tell(batch)
      if (isCancelled(call.signal)) return
    }
    for await (const batch of following.batches()) {
      if (isCancelled(call.signal)) return
      await tell(batch)
    }
  } finally {
    call.signal.removeEventListener('abort', onAbort)
    stop()
  }
}

/** What was written before following began, up to `endOf`. */
async function* before(
  world: LogsWorld,
  selected: FollowSelection,
  endOf: (source: LogSource) => Position | undefined,
): AsyncGenerator<Batch> {
  const sources = await sourcesOf(world, selected)
  const { after, since, lines, instance } = selected
  const ends = new Map<string, Position>()
  for (const source of sources) {
    const stored = endOf(source) === undefined ? await lastLineEnd(world.host.files, source) : undefined
    // Looked at again: meanwhile it may have been opened, and written to.
    const end = endOf(source) ?? stored
    if (end !== undefined) ends.set(source.base, end)
  }
  const end = ({ base }: LogSource) => ends.get(base)
  if (lines === undefined && (since !== undefined || after !== undefined)) {
    const start = ({ base }: LogSource) => positionOf(after?.[sourceName(world, base)])
    for await (const runs of readRuns(world.host.files, sources, { sinceMs: since, instance, start, end })) {
      yield* partsOf(runs)
    }
    yield { lines: [], ends }
  } else yield { lines: await read(world, selected, end), ends }
}

/** A window of a file holds many lines: a part of them is told at once. */
function* partsOf(runs: readonly LogRun[]): Generator<Batch> {
  let [from, bytes] = [0, 0]
  for (const [at, run] of runs.entries()) {
    bytes += run.bytes.length
    if (bytes < partBytes) continue
    yield batchOf(runs.slice(from, at + 1))
    ;[from, bytes] = [at + 1, 0]
  }
  if (from < runs.length) yield batchOf(runs.slice(from))
}

/** What cursors call a stream: the path of its files below the folder. */
const sourceName = ({ options }: LogsWorld, base: string): string => base.slice(options.folder.length + 1)

/** Nobody listens any more. At the end of the system, what has come so far is still told. */
const isCancelled = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && !(reason instanceof SysgError && reason.code === 'SYSG_SHUTTING_DOWN')

const sourcesOf = async (
  { host, options, config }: LogsWorld,
  selected: Pick<Selection, 'kind' | 'services'>,
): Promise<readonly LogSource[]> => {
  if (selected.kind === 'supervisor') return [supervisorSource(options.folder)]
  const sources = await listSources(host.files, options.folder)
  const known = new Set([...Object.keys(config().services), ...sources.map(({ service }) => service)])
  const unknown = selected.services?.find((name) => !known.has(name))
  if (unknown !== undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: unknown })
  return sources.filter((source) => isWanted(selected, source))
}

const isWanted = ({ kind, services }: Pick<Selection, 'kind' | 'services'>, { service, stream }: LogSource): boolean =>
  (kind === 'all' || kind === stream) && isAskedFor(service, services)

const matcherOf = ({ host }: LogsWorld, { grep }: Selection): ((line: LogLine) => boolean) | undefined =>
  grep === undefined ? undefined : compilePattern(grep, () => host.clock.monotonic())

const removeAll = async ({ host: { files } }: LogsWorld, { base }: LogSource): Promise<void> => {
  const ages = await countAges(files, base)
  for (let age = 0; age < ages; age++) removeAge(files, base, age)
}
