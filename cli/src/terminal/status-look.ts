/** One look at a system: what `sysg status` shows, and what it is worth as an exit code. */
import { tryConnect } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Failure } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { reportOf, type ServiceStatus, type StatusAnswer, type StatusReport } from './service-status.ts'
import type { TableOptions } from './table.ts'

/** What there was to see at one moment. */
export interface Seen {
  readonly exitCode: ExitCode
  /** For `--json`. */
  readonly json: unknown
  /** For people, not wider than this; empty when there is nothing but the failure. */
  lines(options: Pick<TableOptions, 'width' | 'paint'>): readonly string[]
  /** Said after all that, on stderr. */
  readonly failure?: Failure
}

/** States in which nobody has anything to do. Nothing is `stopped` but what somebody stopped, or did not ask for. */
const wellStates: ReadonlySet<string> = new Set(['running', 'completed', 'skipped', 'scheduled', 'stopped'])

export const exitCodeFor = (services: readonly Pick<ServiceStatus, 'state'>[]): ExitCode =>
  services.every(({ state }) => wellStates.has(state)) ? exitCodes.done : exitCodes.failed

/**
 * What the supervisor answers; `undefined` when none runs.
 *
 * @param services - Of these alone. Children of services are only shown below those, unless they are named.
 */
export const askStatus = async (
  paths: ProjectPaths,
  services?: readonly string[],
): Promise<StatusReport | undefined> => {
  const supervisor = await tryConnect(paths)
  if (supervisor === undefined) return undefined
  try {
    const params = services === undefined ? {} : { services }
    return reportOf((await supervisor.call('status', params, { timeoutMs: 10_000 })) as StatusAnswer)
  } finally {
    supervisor.close()
  }
}

/** What there was to see, as it is written to stdout. */
export const textOf = (seen: Seen, { globals, terminal }: Pick<CommandContext, 'globals' | 'terminal'>): string => {
  if (globals.json) return `${JSON.stringify(seen.json)}\n`
  // Where nobody looks, each service has one line, however long.
  const width = terminal.isInteractive ? terminal.columns : Number.POSITIVE_INFINITY
  const lines = seen.lines({ width, paint: (style, text) => terminal.paint(style, text) })
  return lines.map((line) => `${line}\n`).join('')
}
