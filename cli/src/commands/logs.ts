/**
 * `sysg logs`: what services wrote, of several merged in time order.
 *
 * A few of the last lines come from the supervisor. More, or with `--since` or `--grep`, are read from the files, which
 * also works without one. stdout carries exactly the bytes that were written, those of stderr, too.
 */
import type { LogRecord } from '@systemg/plugins/logs'
import { fs } from '../builtin.ts'
import { comingBackUnless, tryConnect, type Supervisor } from '../client/connect.ts'
import type { Command, CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { locate } from '../project/locate.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import {
  defined,
  followLogs,
  namesOf,
  onlyOne,
  prefixedServices,
  several,
  type FollowEnd,
} from '../terminal/follow-logs.ts'
import { pause, untilInterrupted } from '../terminal/interrupt.ts'
import { compilePattern, logOptions, type LogOptions } from '../terminal/log-options.ts'
import { createLogPrinter, type LogFormat } from '../terminal/log-printer.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import type { Cursors, Stretch } from '../unsupervised/stored-logs.ts'

export const command: Command = {
  description:
    'Show what services wrote, both streams, the newest last. With --follow until Ctrl-C (exit code 0) or until the supervisor ends',
  services: true,
  otherNames: { tail: 'lines' },
  args: {
    lines: {
      type: 'string',
      alias: ['l', 'n'],
      description: 'So many of the newest lines, or `all`; also `--tail`',
      valueHint: '50',
    },
    follow: { type: 'boolean', alias: 'f', description: 'Go on with new lines as they come' },
    stream: {
      type: 'string',
      description: 'Look again so often: on a terminal the newest lines are drawn anew, elsewhere new ones are added',
      valueHint: '2s',
    },
    kind: { type: 'string', alias: 'k', description: 'stdout, stderr, all or supervisor', valueHint: 'all' },
    since: { type: 'string', description: 'Only what came later: a duration ago, or a date', valueHint: '10m' },
    until: { type: 'string', description: 'Only what came before', valueHint: '5m' },
    grep: { type: 'string', description: 'Only lines that match this regular expression', valueHint: 'regex' },
    timestamps: { type: 'boolean', alias: 't', description: 'Put the time (UTC) before each line' },
    prefix: {
      type: 'boolean',
      default: true,
      description: 'Put the name of the service before each line, when several are shown',
      negativeDescription: 'Leave out the names of services',
    },
    clear: { type: 'boolean', description: 'Forget what was written so far' },
  },
  async run(context) {
    const asked = logOptions(context.typed, Date.now())
    const { paths } = locate(context)
    if (asked.everyMs !== undefined && context.terminal.isInteractive) return drawAgain(context, paths, asked)
    const supervisor = await tryConnect(paths)
    try {
      if (asked.clear) return await clear(context, paths, supervisor, asked.services)
      return asked.follow || asked.everyMs !== undefined
        ? await follow(context, paths, supervisor, asked)
        : await show(context, paths, supervisor, asked)
    } catch (thrown) {
      const isUnknown = isCoded(thrown) && thrown.code === 'SYSG_SERVICE_UNKNOWN' && supervisor !== undefined
      if (isUnknown) await requireKnown(asked.services ?? [], await namesOf(supervisor))
      throw thrown
    } finally {
      supervisor?.close()
    }
  },
}

/** An answer of the supervisor holds 4 MiB, and a line may have 64 KiB: so many lines it holds in any case. */
const mostFromSupervisor = 60

const show = async (
  context: CommandContext,
  paths: ProjectPaths,
  supervisor: Supervisor | undefined,
  asked: LogOptions,
): Promise<ExitCode> => {
  if (supervisor !== undefined && isFew(asked)) await showAnswer(context, supervisor, asked)
  else await showFiles(context, paths, supervisor, asked)
  return exitCodes.done
}

const isFew = ({ lines, sinceMs, grep }: LogOptions): boolean =>
  lines !== undefined && lines <= mostFromSupervisor && sinceMs === undefined && grep === undefined

const showAnswer = async (context: CommandContext, supervisor: Supervisor, asked: LogOptions): Promise<void> => {
  const { services, kind, lines, untilMs: until } = asked
  const [records, names] = await Promise.all([
    supervisor.call('logs.read', { kind, ...defined({ services, lines, until }) }, { timeoutMs: 10_000 }),
    asked.prefix && !context.globals.json ? prefixedServices(supervisor, services, kind) : undefined,
  ])
  const printer = createLogPrinter(context.terminal, formatFor(context, asked, names))
  for (const record of records as readonly LogRecord[]) printer.add(record)
  printer.flush()
}

/** Returns where what was shown ends, when it is a stretch of what goes on. */
const showFiles = async (
  context: CommandContext,
  paths: ProjectPaths,
  supervisor: Supervisor | undefined,
  asked: LogOptions,
  stretch?: Stretch & { readonly signal: AbortSignal },
): Promise<Cursors> => {
  const [{ storedLogs }, { StoredPrinter }] = await Promise.all([
    import('../unsupervised/stored-logs.ts'),
    import('../unsupervised/stored-printer.ts'),
  ])
  const known = supervisor === undefined ? await recordedNames(paths) : await namesOf(supervisor)
  if (known === undefined && !fs.existsSync(paths.logs)) throw noSupervisor(paths)
  const grep = asked.grep === undefined ? undefined : compilePattern(asked.grep)
  const stored = await storedLogs(paths.logs, { ...asked, grep }, known ?? [], stretch)
  const shown = asked.services ?? (supervisor === undefined ? stored.services : (known ?? []))
  const services = asked.prefix && asked.kind !== 'supervisor' ? several(shown) : undefined
  const printer = new StoredPrinter(context.terminal, formatFor(context, asked, services))
  for await (const lines of stored.lines) {
    for (const one of lines) await printer.add(one)
    if (stretch?.signal.aborted === true) break
  }
  await printer.flush()
  return stored.cursors
}

/** Services that an earlier supervisor knew; undefined when the project never ran. */
const recordedNames = async (paths: ProjectPaths): Promise<readonly string[] | undefined> => {
  const { recordedServices } = await import('../unsupervised/recorded-services.ts')
  return recordedServices(paths)?.map(({ name }) => name)
}

const formatFor = (
  { globals }: CommandContext,
  { timestamps, prefix, services: asked }: LogOptions,
  services: readonly string[] | undefined,
): LogFormat => ({ json: globals.json, timestamps, services, only: prefix ? onlyOne(asked) : undefined })

const follow = async (
  context: CommandContext,
  paths: ProjectPaths,
  supervisor: Supervisor | undefined,
  asked: LogOptions,
): Promise<ExitCode> => {
  if (supervisor === undefined) {
    await showFiles(context, paths, supervisor, asked)
    throw noSupervisor(paths)
  }
  const interrupt = untilInterrupted()
  let present = supervisor
  try {
    const { signal } = interrupt
    const { services, kind, grep, timestamps, prefix, everyMs, lines } = asked
    let after: Cursors | undefined
    let isUpToNow = false
    const onCursors = (cursors: Cursors): void => void (after = { ...after, ...cursors })
    const options = { services, kind, grep, timestamps, prefix, everyMs, signal, onCursors }
    /** Much of what was written before from the files, and the rest as the supervisor tells it. */
    const goOn = async (): Promise<FollowEnd> => {
      try {
        if (!isFew(asked) && !isUpToNow)
          await showUpToNow(context, paths, present, { asked, signal, after: () => after, onCursors })
        isUpToNow = true
        return await followLogs(context, present, { ...options, ...(after === undefined ? { lines } : { after }) })
      } catch (thrown) {
        if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST') return 'lost'
        throw thrown
      }
    }
    for (;;) {
      const end = await goOn()
      if (end === 'interrupted') return exitCodes.done
      const next = end === 'lost' ? await comingBackUnless(paths, signal) : undefined
      present.close()
      if (signal.aborted) return exitCodes.done
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

/** What has come while the last stretch was shown is told by the supervisor. */
const shortMs = 100
const mostStretches = 20

interface UpToNow {
  readonly asked: LogOptions
  readonly signal: AbortSignal
  /** Where what was shown ends; `undefined` when nothing was. */
  readonly after: () => Cursors | undefined
  readonly onCursors: (cursors: Cursors) => void
}

/** Show from the files what was written until now. */
const showUpToNow = async (
  context: CommandContext,
  paths: ProjectPaths,
  supervisor: Supervisor,
  { asked, signal, after, onCursors }: UpToNow,
): Promise<void> => {
  for (let stretch = 1; stretch <= mostStretches && !signal.aborted; stretch += 1) {
    const startMs = performance.now()
    const wanted = after() === undefined ? asked : { ...asked, lines: undefined }
    onCursors(await showFiles(context, paths, supervisor, wanted, { after: after(), signal }))
    if (performance.now() - startMs < shortMs) return
  }
}

/** The newest lines, drawn anew again and again until Ctrl-C. */
const drawAgain = async (context: CommandContext, paths: ProjectPaths, asked: LogOptions): Promise<ExitCode> => {
  const { terminal } = context
  const interrupt = untilInterrupted()
  try {
    while (!interrupt.signal.aborted) {
      const room = Math.max(1, (terminal.rows ?? 24) - 1)
      terminal.out(clearScreen)
      await drawOnce(context, paths, { ...asked, lines: Math.min(room, asked.lines ?? room) })
      await pause(asked.everyMs ?? 0, interrupt.signal)
    }
  } finally {
    interrupt.end()
  }
  return exitCodes.done
}

const drawOnce = async (context: CommandContext, paths: ProjectPaths, asked: LogOptions): Promise<void> => {
  const supervisor = await tryConnect(paths)
  try {
    await show(context, paths, supervisor, asked)
  } finally {
    supervisor?.close()
  }
}

const clearScreen = '\u001B[H\u001B[2J'

const clear = async (
  { terminal }: CommandContext,
  paths: ProjectPaths,
  supervisor: Supervisor | undefined,
  services: readonly string[] | undefined,
): Promise<ExitCode> => {
  if (supervisor !== undefined) await supervisor.call('logs.clear', defined({ services }), { timeoutMs: 10_000 })
  else {
    const { clearStored } = await import('../unsupervised/stored-logs.ts')
    await clearStored(paths.logs, services)
  }
  terminal.err(`The logs of ${services?.join(', ') ?? 'all services'} were cleared.\n`)
  return exitCodes.done
}

const noSupervisor = ({ id }: ProjectPaths): Failure => new Failure('SYSG_NO_SUPERVISOR', { project: `\`${id}\`` })
