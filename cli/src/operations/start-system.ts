/** `sysg start`: a supervisor in the background or in this terminal, or what changed on one that runs. */
import { tryConnect, type Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import type { StartOptions } from '../commands/start.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { projectPaths, stateRoot, type ProjectPaths } from '../project/state-root.ts'
import { startDaemon } from '../supervisor/daemon.ts'
import { loadOrReport, warnOfChangedCode, type ValidConfig } from './load-or-report.ts'
import { operate } from './operate.ts'
import { runAttached, runForeground } from './run-foreground.ts'

export const startSystem = async (context: CommandContext, options: StartOptions): Promise<ExitCode> => {
  const loaded = await loadOrReport(context)
  if (loaded === undefined) return exitCodes.invalidConfig
  const root = stateRoot(context.env, context.globals.sys)
  const paths = projectPaths(root, loaded.system.project.id)
  const running = await tryConnect(paths)
  if (running !== undefined) return startOnRunning(context, options, running, loaded, paths)
  if (options.daemonize) return startInBackground(context, options, loaded, root, paths)
  return runForeground(context, options, loaded, root, paths)
}

/** Apply what changed, or start what was named; then attach, unless it is to be in the background. */
export const startOnRunning = async (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  loaded: ValidConfig,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  const { services, withDeps } = options
  warnOfChangedCode(context, loaded, paths)
  const request =
    services === undefined
      ? ({ method: 'apply', params: { config: loaded.system } } as const)
      : ({ method: 'start', params: { services, with_deps: withDeps } } as const)
  const code = await operate(context, supervisor, { verb: 'start', ...request, ...options })
  // A script that starts one service wants an answer; nobody is there to watch.
  if (options.daemonize || (services !== undefined && !context.terminal.isInteractive)) {
    supervisor.close()
    return code
  }
  return runAttached(context, options, supervisor, paths)
}

const startInBackground = async (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  root: string,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  const { services } = options
  const { globals, env, cwd } = context
  const request = {
    cwd,
    env,
    root,
    services,
    config: loaded.file,
    hasCode: loaded.code.length > 0,
    logLevel: globals.logLevel,
  }
  const { supervisor, isOurs } = await startDaemon(paths, request)
  if (!isOurs) return startOnRunning(context, options, supervisor, loaded, paths)
  const params = services === undefined ? {} : { services }
  const code = await operate(context, supervisor, { verb: 'start', method: 'settled', params, ...options })
  supervisor.close()
  return code
}
