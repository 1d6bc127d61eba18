/** The output of a system that another process supervises, until Ctrl-C or its end. */
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { codedOnly } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { followLogs } from '../terminal/follow-logs.ts'
import type { StartOptions } from './start-options.ts'

/** Ctrl-C ends the view alone. */
export const runAttached = async (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  const { terminal } = context
  terminal.err(
    `Attached to \`${paths.id}\` (supervisor pid ${supervisor.pid}). Ctrl-C ends this view, not the system.\n`,
  )
  const interrupted = new Promise<void>((resolve) => process.once('SIGINT', () => resolve()))
  const kind = options.onlyStderr ? 'stderr' : 'all'
  const logs = followLogs(context, supervisor, { services: options.services, kind }).catch(codedOnly)
  await Promise.race([logs, interrupted, supervisor.closed])
  supervisor.close()
  return exitCodes.done
}
