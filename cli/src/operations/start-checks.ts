/** What speaks against a start, said before anything is touched. */
import { SysgError } from '@systemg/core'
import type { AdHocCommand } from '../ad-hoc/asked.ts'
import { isRunnable } from '../ad-hoc/runnable.ts'
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { Failure } from '../failures.ts'
import { findConfig } from '../project/find-config.ts'
import { systemConfigFolders } from '../project/locate.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import { knownServices } from '../unsupervised/known-services.ts'
import type { ValidConfig } from './load-or-report.ts'
import type { StartOptions } from './start-options.ts'

/** Why there is no config, when there is none. @throws {Failure} `SYSG_CONFIG_…` when there is one that can't be used. */
export const missingConfig = ({ cwd, globals }: CommandContext): Failure | undefined => {
  try {
    findConfig({ cwd, config: globals.config, also: systemConfigFolders(globals.sys) })
    return undefined
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === 'SYSG_CONFIG_NOT_FOUND') return thrown
    throw thrown
  }
}

/** What speaks against a program beside this config, before a supervisor is started for it. */
export const requireFit = ({ name = '' }: AdHocCommand, { system }: ValidConfig): void => {
  const service = Object.hasOwn(system.services, name) ? system.services[name] : undefined
  if (service === undefined) return
  const { command } = service
  throw new SysgError('SYSG_NAME_TAKEN', { name, command, isAdHoc: false, isSame: false })
}

/** The supervisor would refuse to come up: said here, nothing has been touched. */
export const requireFreeNames = async ({ system }: ValidConfig, paths: ProjectPaths): Promise<void> => {
  const known = await knownServices(paths, undefined)
  const inTheWay = known.filter(({ name, isAdHoc, lives }) => isAdHoc && lives && Object.hasOwn(system.services, name))
  if (inTheWay.length > 0) throw new SysgError('SYSG_AD_HOC_IN_THE_WAY', { names: inTheWay.map(({ name }) => name) })
}

/** A misspelt name starts nothing, not even a supervisor; nor does it start a program that happens to have it. */
export const requireServices = async (
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
