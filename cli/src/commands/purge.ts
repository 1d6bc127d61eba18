/** `sysg purge`: removes what belongs to no service any more; with `--force` everything of a project, stopped first. */
import { comingBack, tryConnect, type Supervisor } from '../client/connect.ts'
import type { Command, CommandContext } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import type { ServiceStatus } from '../terminal/service-status.ts'
import { Failure } from '../failures.ts'
import { locate } from '../project/locate.ts'
import { stateRoot, type ProjectPaths } from '../project/state-root.ts'
import type { Purged } from '../purge/purge-project.ts'

export const command: Command = {
  description:
    'Remove what belongs to no service any more: state, logs and processes of services that are in no config, and of projects whose config is gone',
  args: {
    all: { type: 'boolean', description: 'Every project of this user, not only the one here' },
    force: {
      type: 'boolean',
      alias: 'f',
      description: 'Everything of the project, also of services in the config: it is stopped first',
    },
  },
  async run(context) {
    const { all, force } = context.typed.values
    const root = stateRoot(context.env, context.globals.sys)
    if (all === true && force === true) {
      const message = '`--all` and `--force` together would end every system of this user. Name one with `--project`.'
      throw new Failure('SYSG_USAGE', { message, command: 'purge' })
    }
    const projects = all === true ? (await allProjects())(root) : [locate(context).paths]
    const results = []
    for (const paths of projects) results.push(await purgeOne(context, root, paths, force === true))
    if (context.globals.json) context.terminal.out(`${JSON.stringify({ projects: results.map(jsonOf) })}\n`)
    else for (const result of results) context.terminal.out(linesOf(result, all === true))
    return exitCodes.done
  },
}

interface Result {
  readonly paths: ProjectPaths
  readonly purged: Purged
  /** What goes on, and how that could be removed. */
  readonly kept: 'running' | 'stopped' | undefined
}

const purgeOne = async (
  context: CommandContext,
  root: string,
  paths: ProjectPaths,
  isForced: boolean,
): Promise<Result> => {
  const supervisor = (await tryConnect(paths)) ?? (await comingBack(paths))
  try {
    const { purgeEverything, purgeLeftovers } = await import('../purge/purge-project.ts')
    const { projectHome } = await import('../purge/project-home.ts')
    const isForsaken = supervisor === undefined && projectHome(root, paths).isGone
    if (isForced || isForsaken) {
      return { paths, purged: await purgeEverything(context, root, paths, supervisor), kept: undefined }
    }
    const known = supervisor === undefined ? await namesInConfig(context, root, paths) : await namesOf(supervisor)
    const purged =
      known === undefined
        ? { services: [], processes: [], everything: false }
        : await purgeLeftovers(paths, known, supervisor)
    return { paths, purged, kept: supervisor === undefined ? 'stopped' : 'running' }
  } finally {
    supervisor?.close()
  }
}

const namesOf = async (supervisor: Supervisor): Promise<readonly string[]> => {
  const answer = (await supervisor.call('status', {}, { timeoutMs: 10_000 })) as {
    readonly services: readonly Pick<ServiceStatus, 'name'>[]
  }
  return answer.services.map(({ name }) => name)
}

/** Undefined when it has mistakes, or is code of another folder: then nobody can say what is no longer in it. */
const namesInConfig = async (
  context: CommandContext,
  root: string,
  paths: ProjectPaths,
): Promise<readonly string[] | undefined> => {
  const { projectHome } = await import('../purge/project-home.ts')
  const { configs } = projectHome(root, paths)
  const { loadOrReport } = await import('../operations/load-or-report.ts')
  const isAll = context.typed.values['all'] === true
  const names: string[] = []
  for (const config of configs) {
    if (isAll && !/\.ya?ml$/.test(config)) return undefined
    const loaded = await loadOrReport({ ...context, globals: { ...context.globals, config } })
    if (loaded === undefined) return undefined
    names.push(...Object.keys(loaded.system.services))
  }
  return configs.length === 0 ? undefined : names
}

const allProjects = async () => (await import('../unsupervised/all-projects.ts')).projectsIn

const jsonOf = ({ paths, purged, kept }: Result) => ({
  project: { id: paths.id },
  removed: { everything: purged.everything, services: purged.services },
  ended: purged.processes.map(({ pid, service, command: line }) => ({ pid, service, command: line })),
  kept: kept ?? null,
})

const linesOf = ({ paths, purged, kept }: Result, isNamed: boolean): string => {
  const services = purged.services.map(({ name, what }) => `${name} (${what.join(', ')})`)
  const processes = purged.processes.map(({ pid, command: line }) => `${pid} (${line.slice(0, 60)})`)
  const told = [
    ...(processes.length > 0 ? [`Ended what belonged to no service: ${processes.join(', ')}.`] : []),
    ...(services.length > 0 ? [`Removed what was kept of ${services.join(', ')}.`] : []),
    ...(purged.everything ? [`Removed everything of \`${paths.id}\`.`] : []),
  ]
  const nothing = `Nothing to remove: everything belongs to a service. \`sysg purge --force\` ${kept === 'running' ? 'stops the system and removes' : 'removes'} all of it.`
  const lines = told.length > 0 ? told : [nothing]
  return lines.map((line) => `${isNamed ? `${paths.id}: ` : ''}${line}\n`).join('')
}
