/** What a supervisor needs to know of the command that starts it. */
import type { CommandContext } from '../command.ts'
import type { DaemonRequest } from '../supervisor/daemon.ts'
import type { ValidConfig } from './load-or-report.ts'
import type { StartOptions } from './start-options.ts'

export const supervisorRequest = (
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
