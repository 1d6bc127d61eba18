/** `sysg start`: a supervisor in the background or in this terminal, or what changed on one that runs. */
import { setTimeout as pause } from 'node:timers/promises'
import { tryConnect, type Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { isCoded } from '../failures.ts'
import { projectPaths, stateRoot, type ProjectPaths } from '../project/state-root.ts'
import { startDaemon } from '../supervisor/daemon.ts'
import { wake } from '../supervisor/wake.ts'
import { loadOrReport, type ValidConfig } from './load-or-report.ts'
import { operate } from './operate.ts'
import { runForeground } from './run-foreground.ts'
import { startAdHoc } from './start-ad-hoc.ts'
import { missingConfig, requireFit, requireFreeNames, requireServices } from './start-checks.ts'
import { startOnRunning } from './start-on-running.ts'
import type { StartOptions } from './start-options.ts'
import { supervisorRequest } from './supervisor-request.ts'
import { withoutConfig } from './without-config.ts'

export const startSystem = async (context: CommandContext, options: StartOptions): Promise<ExitCode> => {
  const root = stateRoot(context.env, context.globals.sys)
  const missing = missingConfig(context)
  if (missing !== undefined) {
    const { paths, running, loaded, decided } = await withoutConfig(context, options, root, missing)
    return startIn(context, decided, loaded, root, paths, running)
  }
  const loaded = await loadOrReport(context)
  if (loaded === undefined) return exitCodes.invalidConfig
  const paths = projectPaths(root, loaded.system.project.id)
  if (options.command !== undefined) requireFit(options.command, loaded)
  // One that was killed comes back as it was; then what changed is applied, as on any that runs.
  const running = (await tryConnect(paths)) ?? (await wake(paths))
  await requireServices(context, options, loaded, paths, running)
  if (running === undefined) await requireFreeNames(loaded, paths)
  return startIn(context, options, loaded, root, paths, running)
}

const startIn = async (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  root: string,
  paths: ProjectPaths,
  running: Supervisor | undefined,
): Promise<ExitCode> => {
  try {
    if (running !== undefined) return await startOnRunning(context, options, running, loaded, paths)
    if (options.daemonize) return await startInBackground(context, options, loaded, root, paths)
    return await runForeground(context, options, loaded, root, paths)
  } catch (thrown) {
    if (!isCoded(thrown) || thrown.code !== 'SYSG_SHUTTING_DOWN') throw thrown
    // It was asked to stop before this was asked for: what was asked for last is to be.
    await untilStopped(context, paths)
    return startIn(context, options, loaded, root, paths, await tryConnect(paths))
  }
}

/** @throws {Failure} `SYSG_SUPERVISOR_SILENT` when it is frozen. */
const untilStopped = async ({ terminal, globals }: CommandContext, paths: ProjectPaths): Promise<void> => {
  if (!globals.json) terminal.err('The system is being stopped; then it is started again.\n')
  for (;;) {
    const supervisor = await tryConnect(paths)
    if (supervisor === undefined) return
    const { isStopping } = supervisor
    supervisor.close()
    if (!isStopping) return
    await Promise.race([supervisor.closed, pause(lookEveryMs)])
  }
}

const lookEveryMs = 100

const startInBackground = async (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  root: string,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  const { services, command } = options
  const request = supervisorRequest(context, options, loaded, root)
  const { supervisor, isOurs } = await startDaemon(paths, request)
  if (!isOurs) return startOnRunning(context, options, supervisor, loaded, paths)
  const params = services === undefined ? {} : { services }
  const code =
    command === undefined
      ? await operate(context, supervisor, { verb: 'start', method: 'settled', params, ...options })
      : (await startAdHoc(context, supervisor, { ...options, command, loaded })).code
  supervisor.close()
  return code
}
