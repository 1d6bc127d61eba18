/** `sysg start` on a system that runs: what changed, or what was named, and then its output. */
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { printWarning } from '../terminal/print-error.ts'
import { version } from '../version.ts'
import { warnOfChangedCode, type ValidConfig } from './load-or-report.ts'
import { operate } from './operate.ts'
import { runAttached } from './run-attached.ts'
import { startAdHoc } from './start-ad-hoc.ts'
import type { StartOptions } from './start-options.ts'

/** Apply what changed, or start what was named; then attach, unless it is to be in the background. */
export const startOnRunning = async (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  loaded: ValidConfig,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  warnOfChangedCode(context, loaded, paths)
  warnOfOtherVersion(context, supervisor)
  const { command } = options
  const { code, services } =
    command === undefined
      ? { code: await askRunning(context, options, supervisor, loaded), services: options.services }
      : await startAdHoc(context, supervisor, { ...options, command, loaded })
  const hasNothingToShow = command !== undefined && code !== exitCodes.done
  // A script that starts one service wants an answer; nobody is there to watch.
  if (options.daemonize || hasNothingToShow || (services !== undefined && !context.terminal.isInteractive)) {
    supervisor.close()
    return code
  }
  return runAttached(context, { ...options, services }, supervisor, paths)
}

/** It goes on all the same: the protocol is the same. */
const warnOfOtherVersion = ({ terminal }: CommandContext, supervisor: Supervisor): void => {
  if (supervisor.version === version) return
  const text = `The supervisor is systemg ${supervisor.version}, this is ${version}. \`sysg upgrade\` replaces it, and touches no service.`
  printWarning(terminal, text)
}

const askRunning = (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  loaded: ValidConfig,
): Promise<ExitCode> => {
  const { services, withDeps } = options
  const request = () => {
    if (services !== undefined) return { method: 'start', params: { services, with_deps: withDeps } }
    // Where there is no config, nothing can have changed in it.
    if (loaded.file === undefined) return { method: 'settled', params: {} }
    return { method: 'apply', params: { config: loaded.system } }
  }
  return operate(context, supervisor, { verb: 'start', ...request(), ...options })
}
