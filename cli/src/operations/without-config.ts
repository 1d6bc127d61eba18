/** `sysg start` in a folder without a config: a system of its own, made of the programs that are started there. */
import { isRunnable } from '../ad-hoc/runnable.ts'
import { tryConnect, type Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { noConfig } from '../config/no-config.ts'
import { Failure } from '../failures.ts'
import { firstPartyPlugins } from '../first-party.ts'
import { checkedId } from '../project/locate.ts'
import { defaultProject } from '../project/project-id.ts'
import { projectPaths, type ProjectPaths } from '../project/state-root.ts'
import { wake } from '../supervisor/wake.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import { knownServices, type KnownService } from '../unsupervised/known-services.ts'
import type { ValidConfig } from './load-or-report.ts'
import type { StartOptions } from './start-options.ts'

interface WithoutConfig {
  readonly paths: ProjectPaths
  readonly running: Supervisor | undefined
  readonly loaded: ValidConfig
  /** Whether the words are services or a program is decided in it. */
  readonly decided: StartOptions
}

/**
 * @param missing - What to say when there is nothing to start.
 * @throws {Failure} `missing`, `SYSG_CONFIG_GONE`. @throws {SysgError} `SYSG_SERVICE_UNKNOWN`.
 */
export const withoutConfig = async (
  context: CommandContext,
  options: StartOptions,
  root: string,
  missing: Failure,
): Promise<WithoutConfig> => {
  const { cwd, globals } = context
  const id = globals.project === undefined ? undefined : checkedId(globals.project)
  const project = id === undefined ? defaultProject(cwd) : { id, name: id }
  const paths = projectPaths(root, project.id)
  const running = (await tryConnect(paths)) ?? (await wake(paths))
  try {
    const known = await knownServices(paths, running)
    if (running === undefined) requireNoneOfConfig(known)
    const decided = await decide(context, options, known, running !== undefined, missing)
    return { paths, running, decided, loaded: await noConfig(cwd, project, firstPartyPlugins()) }
  } catch (thrown) {
    running?.close()
    throw thrown
  }
}

/** A supervisor without their config would end them. */
const requireNoneOfConfig = (known: readonly KnownService[]): void => {
  const names = known.filter(({ isAdHoc, lives }) => lives && !isAdHoc).map(({ name }) => name)
  if (names.length > 0) throw new Failure('SYSG_CONFIG_GONE', { names })
}

const decide = async (
  { cwd, env }: CommandContext,
  options: StartOptions,
  known: readonly KnownService[],
  isRunning: boolean,
  missing: Failure,
): Promise<StartOptions> => {
  const { command, services, orCommand } = options
  if (command !== undefined) return options
  // Of a config that is gone, services that run can still be spoken to; of the others nothing is known.
  const names = known.filter(({ isAdHoc }) => isAdHoc || isRunning).map(({ name }) => name)
  if (services === undefined) {
    if (known.length > 0 && known.every(({ isAdHoc }) => isAdHoc || !isRunning) && names.length > 0) return options
    throw missing
  }
  if (services.every((name) => names.includes(name))) return options
  if (orCommand !== undefined && isRunnable(orCommand.argv[0], cwd, env['PATH']))
    return { ...options, services: undefined, command: orCommand }
  if (isRunning) await requireKnown(services, names)
  throw missing
}
