/** `sysg status --all`: every project below the state root, and what is left of services no longer in a config. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandContext } from '../command.ts'
import { exitCodeOf, exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { projectPaths, stateRoot, type ProjectPaths } from '../project/state-root.ts'
import { formatAge } from '../terminal/age.ts'
import type { StatusReport } from '../terminal/service-status.ts'
import { askStatus, exitCodeFor, type Seen } from '../terminal/status-look.ts'
import { statusTable, type StatusTableOptions } from '../terminal/status-table.ts'
import { plain, wrap } from '../terminal/text.ts'
import { projectHome } from '../purge/project-home.ts'
import { strayProcesses, type StrayProcess } from '../purge/stray-processes.ts'
import { leftovers, type Leftover } from './leftovers.ts'
import { leftServices } from './left-services.ts'

/** One project, or why it can't be looked at. */
interface ProjectStatus extends StatusReport {
  readonly leftovers: readonly Leftover[]
  /** Processes that belong to no service any more. */
  readonly strays: readonly StrayProcess[]
  /** Its config is not there any more. */
  readonly is_forsaken: boolean
  readonly error: { readonly code: string; readonly message: string } | null
}

/** All projects at once; one that does not answer harms no other. */
export const lookAtAll = async ({ env, globals }: Pick<CommandContext, 'env' | 'globals'>): Promise<Seen> => {
  const root = stateRoot(env, globals.sys)
  const nowMs = Date.now()
  const projects = await Promise.all(projectsIn(root).map((paths) => lookAt(root, paths, nowMs)))
  const isAnyAlive = projects.some(({ supervisor, error }) => supervisor !== null || error !== null)
  return {
    json: { projects },
    exitCode: worst(projects),
    lines: (options) =>
      projects.flatMap((project, at) => [...(at > 0 ? [''] : []), ...linesOf(project, { ...options, nowMs })]),
    ...(isAnyAlive ? {} : { failure: new Failure('SYSG_NO_SUPERVISOR', { project: `any project in ${root}` }) }),
  }
}

/** Every project below a state root that has some state. */
export const projectsIn = (root: string): readonly ProjectPaths[] =>
  (existsSync(root) ? readdirSync(root, { withFileTypes: true }) : [])
    .filter((entry) => entry.isDirectory() && /^[a-z0-9][a-z0-9_-]{0,62}$/.test(entry.name))
    .map(({ name }) => projectPaths(root, name))
    .filter(({ folder }) => existsSync(join(folder, 'state.db')) || existsSync(join(folder, 'run')))
    .sort((a, b) => (a.id < b.id ? -1 : 1))

const lookAt = async (root: string, paths: ProjectPaths, nowMs: number): Promise<ProjectStatus> => {
  const project = { id: paths.id, config: null }
  const none = {
    ...{ project, supervisor: null, services: [] },
    leftovers: [],
    strays: [],
    is_forsaken: false,
    error: null,
  }
  try {
    const report = await askStatus(paths)
    const { config, isGone } = projectHome(root, paths)
    const left = { strays: strayProcesses(paths, report !== undefined), is_forsaken: isGone }
    if (report === undefined)
      return { ...none, ...left, project: { id: paths.id, config }, services: leftServices(paths, nowMs) }
    const known = report.services.map(({ name }) => name)
    const isConfigGone = report.project.config !== null && !existsSync(report.project.config)
    return { ...report, ...left, is_forsaken: isConfigGone, leftovers: leftovers(paths, known), error: null }
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    return { ...none, error: { code: isCoded(thrown) ? thrown.code : 'SYSG_INTERNAL', message: thrown.message } }
  }
}

/** A project at rest is no failure, unless there is nothing else. */
const worst = (projects: readonly ProjectStatus[]): ExitCode => {
  const failed = projects.find(({ error }) => error !== null)?.error?.code
  if (failed !== undefined) return failed === 'SYSG_SUPERVISOR_SILENT' ? exitCodes.timedOut : exitCodeOf(failed)
  const isForsaken = projects.some(({ supervisor, services }) => supervisor === null && services.length > 0)
  if (isForsaken || projects.every(({ supervisor }) => supervisor === null)) return exitCodes.noSupervisor
  return exitCodeFor(projects.flatMap(({ services }) => services))
}

const linesOf = (project: ProjectStatus, options: StatusTableOptions): readonly string[] => {
  const { services, supervisor, error } = project
  const head = headOf(project, options)
  if (error !== null)
    return [...head, ...wrap(plain(error.message), options.width).map((line) => options.paint('red', line))]
  const table = supervisor === null && services.length === 0 ? [] : statusTable(services, options)
  const left = project.leftovers.map(({ name, what }) => `${plain(name)} (${what.join(', ')})`).join(', ')
  const strays = project.strays.map(({ pid, command }) => `${pid} (${plain(command)})`).join(', ')
  const isRemovable = left !== '' || strays !== '' || (project.is_forsaken && supervisor === null)
  return [
    ...head,
    ...table,
    ...wrap(project.is_forsaken ? forsaken(project) : '', options.width),
    ...wrap(left === '' ? '' : `No longer in the config, but still kept: ${left}.`, options.width),
    ...wrap(strays === '' ? '' : `Processes that belong to no service any more: ${strays}.`, options.width),
    ...wrap(isRemovable ? `\`sysg purge -p ${project.project.id}\` removes that.` : '', options.width),
  ]
}

const forsaken = ({ project, supervisor }: ProjectStatus): string =>
  supervisor === null
    ? project.config === null
      ? 'No config leads to it.'
      : 'Its config is gone.'
    : `Its config is gone; \`sysg stop -p ${project.id}\` ends what runs, \`sysg purge --force -p ${project.id}\` removes it, too.`

const headOf = (
  { project, supervisor, error }: ProjectStatus,
  { width, paint, nowMs }: StatusTableOptions,
): readonly string[] => {
  const who =
    supervisor === null
      ? 'no supervisor'
      : `supervisor ${supervisor.pid}, up ${formatAge(nowMs - Date.parse(supervisor.started_at))}`
  const parts = [project.id, ...(error === null ? [who] : []), ...(project.config === null ? [] : [project.config])]
  const [first = '', ...rest] = wrap(parts.join('  '), width)
  return [first.replace(project.id, () => paint('bold', project.id)), ...rest]
}
