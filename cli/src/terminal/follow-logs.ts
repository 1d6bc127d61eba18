/** Shows log lines as they come, until the supervisor ends or nobody wants to see more. */
import type { LogRecord } from '@systemg/plugins/logs'
import type { CallOptions, RpcClient } from '@systemg/plugins/control/client'
import type { CommandContext } from '../command.ts'
import { isCoded } from '../failures.ts'
import { createLogPrinter, type LogPrinter } from './log-printer.ts'
import { printWarning } from './print-error.ts'

export type LogKind = 'stdout' | 'stderr' | 'all' | 'supervisor'

export interface FollowOptions {
  /** Undefined: all. */
  readonly services: readonly string[] | undefined
  readonly kind: LogKind
  /** So many of the lines written before, or those since a moment (wall clock, ms). Default: since this command began. */
  readonly lines?: number | undefined
  readonly sinceMs?: number | undefined
  readonly grep?: string | undefined
  readonly timestamps?: boolean
  /** Default true: where several services are shown. */
  readonly prefix?: boolean
  /** Write what has come together every so many ms; default: at once. */
  readonly everyMs?: number | undefined
  /** Go on where an earlier one stopped, with everything behind these places. */
  readonly after?: Readonly<Record<string, string>> | undefined
  /** Told where streams stand when what was before has been shown. */
  readonly onCursors?: (cursors: Readonly<Record<string, string>>) => void
  readonly signal?: AbortSignal
}

/** What the supervisor tells at once. */
interface Told {
  readonly records: readonly LogRecord[]
  readonly cursors: Readonly<Record<string, string>>
}

/** `ended`: the supervisor has, as it was told to; `lost`: it has gone without a word. */
export type FollowEnd = 'ended' | 'lost' | 'interrupted'

/** @throws {ControlError} what the supervisor has against it. */
export const followLogs = async (
  { terminal, globals }: Pick<CommandContext, 'terminal' | 'globals'>,
  supervisor: RpcClient,
  options: FollowOptions,
): Promise<FollowEnd> => {
  const {
    services,
    kind,
    lines,
    sinceMs,
    grep,
    timestamps = false,
    prefix = true,
    everyMs,
    after,
    onCursors,
    signal,
  } = options
  const isNew = lines === undefined && after === undefined
  const since = sinceMs ?? (isNew ? Math.floor(performance.timeOrigin) : undefined)
  const params = { kind, ...defined({ services, lines, since, grep, after }) }
  const names = prefix && !globals.json ? await prefixedServices(supervisor, services, kind) : undefined
  const only = prefix ? onlyOne(services) : undefined
  const printer = createLogPrinter(terminal, { json: globals.json, timestamps, services: names, only })
  const flushing = flushRegularly(printer, everyMs)
  try {
    return await followCall(supervisor, 'logs.follow', params, signal, (method, notified) => {
      if (method === 'log') {
        const { records, cursors } = notified as unknown as Told
        for (const record of records) printer.add(record)
        if (records.length > 0) flushing.soon()
        onCursors?.(cursors)
      } else if (method === 'log.dropped') warnOfDropped(terminal, notified['lines'])
    })
  } finally {
    flushing.end()
  }
}

/**
 * A call that tells what happens until the supervisor ends or the signal is aborted.
 *
 * @throws {ControlError} what the supervisor has against it.
 */
export const followCall = async (
  supervisor: RpcClient,
  method: string,
  params: unknown,
  signal: AbortSignal | undefined,
  onNotify: NonNullable<CallOptions['onNotify']>,
): Promise<FollowEnd> => {
  try {
    await supervisor.call(method, params, { ...(signal === undefined ? {} : { signal }), onNotify })
    return 'ended'
  } catch (thrown) {
    if (signal?.aborted === true) return 'interrupted'
    if (isCoded(thrown) && thrown.code === 'SYSG_SHUTTING_DOWN') return 'ended'
    if (isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST') return 'lost'
    throw thrown
  }
}

/** The services to name before their lines: undefined when there is only one. */
export const prefixedServices = async (
  supervisor: RpcClient,
  services: readonly string[] | undefined,
  kind: LogKind,
): Promise<readonly string[] | undefined> => {
  if (kind === 'supervisor' || services?.length === 1) return undefined
  return several(services ?? (await namesOf(supervisor)))
}

/** The names of all services that the supervisor has. */
export const namesOf = async (supervisor: RpcClient): Promise<readonly string[]> => {
  const { services } = (await supervisor.call('status', {}, { timeoutMs: 10_000 })) as {
    services: readonly { name: string }[]
  }
  return services.map(({ name }) => name)
}

/** The service, when it is just one. */
export const onlyOne = (services: readonly string[] | undefined): string | undefined =>
  services?.length === 1 ? services[0] : undefined

export const several = (names: readonly string[]): readonly string[] | undefined =>
  names.length > 1 ? names : undefined

/** Without the fields that are undefined: JSON has no such value, and parameters are checked strictly. */
export const defined = (params: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))

/** Lines that are kept until an interval is over. */
const mostWaiting = 10_000

/** One write for lines that come together, or for all of an interval. */
const flushRegularly = (printer: LogPrinter, everyMs: number | undefined) => {
  const timer = everyMs === undefined ? undefined : setInterval(() => printer.flush(), everyMs)
  let isDue = false
  return {
    soon: () => {
      if (printer.waiting >= mostWaiting) printer.flush()
      if (timer !== undefined || isDue) return
      isDue = true
      queueMicrotask(() => {
        isDue = false
        printer.flush()
      })
    },
    end: () => {
      clearInterval(timer)
      printer.flush()
    },
  }
}

const warnOfDropped = (terminal: CommandContext['terminal'], lines: unknown): void =>
  printWarning(
    terminal,
    `${String(lines)} lines are missing here: their files were rotated away before they could be shown. A larger \`logs.max_bytes\` or \`logs.max_files\` keeps more.`,
  )
