/** `sysg start`: a supervisor in the background or in this terminal, or what changed on one that runs. */
import { SysgError } from '@systemg/core'
import type { AdHocCommand } from '../ad-hoc/asked.ts'
import { isRunnable } from '../ad-hoc/runnable.ts'
import { tryConnect, type Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import type { StartOptions } from '../commands/start.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { findConfig } from '../project/find-config.ts'
import { systemConfigFolders } from '../project/locate.ts'
import { projectPaths, stateRoot, type ProjectPaths } from '../project/state-root.ts'
import { startDaemon, type DaemonRequest } from '../supervisor/daemon.ts'
import { wake } from '../supervisor/wake.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import { knownServices } from '../unsupervised/known-services.ts'
import { loadOrReport, warnOfChangedCode, type ValidConfig } from './load-or-report.ts'
import { operate } from './operate.ts'
import { runAttached, runForeground } from './run-foreground.ts'
import { startAdHoc } from './start-ad-hoc.ts'
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
  if (options.command !== undefined) requireFit(context, options.command, loaded, paths)
  // One that was killed comes back as it was; then what changed is applied, as on any that runs.
  const running = (await tryConnect(paths)) ?? (await wake(paths, { knock: true }))
  await requireServices(context, options, loaded, paths, running)
  if (running === undefined) await requireFreeNames(loaded, paths)
  return startIn(context, options, loaded, root, paths, running)
}

const startIn = (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  root: string,
  paths: ProjectPaths,
  running: Supervisor | undefined,
): Promise<ExitCode> => {
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
  warnOfChangedCode(context, loaded, paths)
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

/** What a supervisor needs to know of the command that starts it. */
export const requestFor = (
  { globals, env, cwd }: CommandContext,
  { services, command }: StartOptions,
  loaded: ValidConfig,
  root: string,
): Omit<DaemonRequest, 'comeback'> => ({
  ...{ cwd, env, root },
  // A program is started by the command, as soon as it can speak to the supervisor.
  services: command === undefined ? services : [],
  config: loaded.file,
  project: loaded.system.project,
  hasCode: loaded.code.length > 0,
  logLevel: globals.logLevel,
})

const startInBackground = async (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  root: string,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  const { services, command } = options
  const request = requestFor(context, options, loaded, root)
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

/** Why there is no config, when there is none. @throws {Failure} `SYSG_CONFIG_…` when there is one that can't be used. */
const missingConfig = ({ cwd, globals }: CommandContext): Failure | undefined => {
  try {
    findConfig({ cwd, config: globals.config, also: systemConfigFolders(globals.sys) })
    return undefined
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'SYSG_CONFIG_NOT_FOUND') return thrown
    throw thrown
  }
}

/** What speaks against a program beside this config, before a supervisor is started for it. */
const requireFit = (
  { globals }: CommandContext,
  { name = '' }: AdHocCommand,
  { system }: ValidConfig,
  { id }: ProjectPaths,
): void => {
  const service = Object.hasOwn(system.services, name) ? system.services[name] : undefined
  if (service !== undefined) {
    const { command } = service
    throw new SysgError('SYSG_NAME_TAKEN', { name, command, isAdHoc: false, isSame: false })
  }
  if (globals.project === undefined || globals.project === id) return
  const message = `The config here is of the project \`${id}\`, not of \`${globals.project}\`. Leave \`--project\` out, or start the program from a folder without a config.`
  throw new Failure('SYSG_USAGE', { message, command: 'start' })
}

/** The supervisor would refuse to come up: said here, nothing has been touched. */
const requireFreeNames = async ({ system }: ValidConfig, paths: ProjectPaths): Promise<void> => {
  const known = await knownServices(paths, undefined)
  const inTheWay = known.filter(({ name, isAdHoc, lives }) => isAdHoc && lives && Object.hasOwn(system.services, name))
  if (inTheWay.length > 0) throw new SysgError('SYSG_AD_HOC_IN_THE_WAY', { names: inTheWay.map(({ name }) => name) })
}

/** A misspelt name starts nothing, not even a supervisor; nor does it start a program that happens to have it. */
const requireServices = async (
  { cwd, env }: CommandContext,
  { services, orCommand }: StartOptions,
  { system }: ValidConfig,
  paths: ProjectPaths,
  running: Supervisor | undefined,
): Promise<void> => {
  const open = (services ?? []).filter((name) => !Object.hasOwn(system.services, name))
  if (open.length === 0) return
  const known = (await knownServices(paths, running)).filter(({ isAdHoc }) => isAdHoc).map(({ name }) => name)
  const [unknown] = open.filter((name) => !known.includes(name))
  if (unknown === undefined) return
  running?.close()
  const isProgram = orCommand !== undefined && isRunnable(orCommand.argv[0], cwd, env['PATH'])
  const hint = isProgram ? `To start the program, put \`--\` before it: \`sysg start -- ${unknown} …\`.` : undefined
  await requireKnown([unknown], [...Object.keys(system.services), ...known], hint)
}
