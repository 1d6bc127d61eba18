/**
 * `sysg events`: what happened, in order, with the event that led to it.
 *
 * Asks the supervisor; without one it reads what the last one kept.
 */
import type { SysgEvent } from '@systemg/core'
import { comingBackUnless, tryConnect, type Supervisor } from '../client/connect.ts'
import { serviceNames, type Command, type CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { locate } from '../project/locate.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { momentMs } from '../terminal/duration.ts'
import { eventLine, eventOf } from '../terminal/event-line.ts'
import { defined, followCall, namesOf } from '../terminal/follow-logs.ts'
import { untilInterrupted } from '../terminal/interrupt.ts'
import { linesOf } from '../terminal/log-options.ts'
import { printWarning } from '../terminal/print-error.ts'
import { requireKnown } from '../terminal/suggest-service.ts'

export const command: Command = {
  description:
    'Show what happened, the newest last. With --follow until Ctrl-C (exit code 0) or until the supervisor ends',
  services: true,
  otherNames: { tail: 'lines' },
  args: {
    lines: {
      type: 'string',
      alias: ['l', 'n'],
      description: 'So many of the newest events, or `all`; also `--tail`',
      valueHint: '50',
    },
    follow: { type: 'boolean', alias: 'f', description: 'Go on with new events as they come' },
    since: { type: 'string', description: 'Only what came later: a duration ago, or a date', valueHint: '10m' },
    until: { type: 'string', description: 'Only what came before: a duration ago, or a date', valueHint: '5m' },
    type: { type: 'string', description: 'Only events of this type; `*` stands for any text', valueHint: 'deploy.*' },
  },
  async run(context) {
    const asked = askedOf(context)
    const { paths } = locate(context)
    if (asked.type !== undefined) await warnOfType(context, asked.type)
    const supervisor = await tryConnect(paths)
    if (supervisor === undefined) return fromFile(context, paths, asked)
    try {
      return await fromSupervisor(context, paths, supervisor, asked)
    } finally {
      supervisor.close()
    }
  },
}

/** Of one that is probably misspelt. It is looked for all the same: plugins have types of their own. */
const warnOfType = async ({ terminal }: CommandContext, type: string): Promise<void> => {
  const { doubtAboutType } = await import('@systemg/plugins/webhooks')
  const doubt = doubtAboutType(type)
  if (doubt !== undefined) printWarning(terminal, `${doubt.message}. ${doubt.hint}`)
}

interface Asked {
  readonly services: readonly string[]
  readonly lines: number
  readonly follow: boolean
  /** Wall clock, ms. */
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
  readonly type: string | undefined
}

/** As many as are ever kept. */
const mostEvents = 10_000

const fromSupervisor = async (
  context: CommandContext,
  paths: ProjectPaths,
  supervisor: Supervisor,
  asked: Asked,
): Promise<ExitCode> => {
  const { services, lines, sinceMs: since, untilMs: until, type, follow } = asked
  // The supervisor selects by one service; of several they are sorted out here.
  const [service] = services.length === 1 ? services : []
  const query = defined({ service, type, since, until })
  // At least one, to know where to go on from.
  const limit = services.length > 1 ? mostEvents : Math.max(1, lines)
  const read = (await supervisor.call(
    'events.read',
    { ...query, limit },
    { timeoutMs: 10_000 },
  )) as readonly SysgEvent[]
  const found = read.filter((event) => isWanted(asked, event))
  if (found.length === 0 && services.length > 0) await requireKnown(services, await namesOf(supervisor))
  const write = (event: SysgEvent): void => print(context, event)
  for (const event of newest(found, lines)) write(event)
  if (!follow) return exitCodes.done
  const interrupt = untilInterrupted()
  let present = supervisor
  let after = read.at(-1)?.seq ?? 0
  try {
    for (;;) {
      const params = { ...query, after, limit: mostEvents }
      const end = await followCall(present, 'events.follow', params, interrupt.signal, (method, notified) => {
        if (method !== 'event') return
        const event = notified as unknown as SysgEvent
        after = Math.max(after, event.seq)
        if (isWanted(asked, event)) write(event)
      })
      if (end === 'interrupted') return exitCodes.done
      // One that was killed comes back, and its events go on where those of the one before ended.
      const next = end === 'lost' ? await comingBackUnless(paths, interrupt.signal) : undefined
      present.close()
      if (interrupt.signal.aborted) return exitCodes.done
      if (next === undefined) break
      present = next
    }
    context.terminal.err('The supervisor has ended.\n')
    return exitCodes.done
  } finally {
    present.close()
    interrupt.end()
  }
}

const fromFile = async (context: CommandContext, paths: ProjectPaths, asked: Asked): Promise<ExitCode> => {
  const { storedEvents } = await import('../unsupervised/stored-events.ts')
  const events = storedEvents(paths, asked.sinceMs)
  const missing = new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
  if (events === undefined) throw missing
  const found = events.filter((event) => isWanted(asked, event))
  for (const event of newest(found, asked.lines)) print(context, event)
  if (found.length === 0 && asked.services.length > 0) {
    const { recordedServices } = await import('../unsupervised/recorded-services.ts')
    const recorded = (recordedServices(paths) ?? []).map(({ name }) => name)
    await requireKnown(asked.services, [...recorded, ...events.flatMap(({ service }) => service ?? [])])
  }
  if (asked.follow) throw missing
  return exitCodes.done
}

const print = ({ terminal, globals }: CommandContext, event: SysgEvent): void =>
  terminal.out(globals.json ? `${JSON.stringify(eventOf(event))}\n` : `${eventLine(event, terminal)}\n`)

const newest = (events: readonly SysgEvent[], lines: number): readonly SysgEvent[] =>
  lines === 0 ? [] : events.slice(-lines)

const isWanted = ({ services, type, untilMs }: Asked, event: SysgEvent): boolean =>
  (untilMs === undefined || Date.parse(event.time) <= untilMs) &&
  (services.length === 0 || (event.service !== undefined && services.includes(event.service))) &&
  (type === undefined || matchesGlob(type, event.type))

/** `*` stands for any text, everything else for itself. */
const matchesGlob = (glob: string, text: string): boolean => {
  const [first = '', ...parts] = glob.split(/\*+/)
  if (!text.startsWith(first)) return false
  let at = first.length
  for (const [index, part] of parts.entries()) {
    if (index === parts.length - 1) return text.length - part.length >= at && text.endsWith(part)
    const found = text.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at === text.length
}

const askedOf = ({ typed }: CommandContext): Asked => {
  const { lines, since, until, type, follow } = typed.values
  const count = linesOf(typeof lines === 'string' ? lines : since === undefined ? '50' : 'all', 'events')
  const nowMs = Date.now()
  const [sinceMs, untilMs] = [momentOf(since, '--since', nowMs), momentOf(until, '--until', nowMs)]
  if (untilMs !== undefined && follow === true)
    throw wrong('`--follow` shows what comes, `--until` what came: not both.')
  if (untilMs !== undefined && sinceMs !== undefined && untilMs < sinceMs) throw wrong('`--until` is before `--since`.')
  return {
    services: serviceNames(typed),
    lines: Math.min(count ?? mostEvents, mostEvents),
    follow: follow === true,
    ...{ sinceMs, untilMs },
    type: typeof type === 'string' ? type : undefined,
  }
}

const momentOf = (typed: CommandContext['typed']['values'][string], option: string, nowMs: number) =>
  typeof typed === 'string' ? momentMs(typed, option, nowMs) : undefined

const wrong = (message: string): Failure => new Failure('SYSG_USAGE', { message, command: 'events' })
