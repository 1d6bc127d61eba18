/** Removes what is left of one project: what belongs to no service of it any more, or everything. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { untilGone } from '../client/until-gone.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { acquireLock } from '../host/lock.ts'
import { openStore } from '../host/store.ts'
import { operate } from '../operations/operate.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { leftovers, type Leftover } from '../unsupervised/leftovers.ts'
import { leftServices } from '../unsupervised/left-services.ts'
import { endProcesses } from './end-processes.ts'
import { removeLinks } from './project-home.ts'
import { strayProcesses, type StrayProcess } from './stray-processes.ts'

export interface Purged {
  /** Services that nothing is kept of any more, and what that was. */
  readonly services: readonly Leftover[]
  /** Processes that were ended. */
  readonly processes: readonly StrayProcess[]
  /** The whole project went. */
  readonly everything: boolean
}

/** Everything of the project goes; it is stopped first. */
export const purgeEverything = async (
  context: CommandContext,
  root: string,
  paths: ProjectPaths,
  supervisor: Supervisor | undefined,
): Promise<Purged> => {
  if (supervisor === undefined) await stopAll(context, paths)
  else await shutDown(context, supervisor)
  const processes = await endStrays(paths, false)
  withLock(paths, () => {
    for (const name of readdirSync(paths.folder)) {
      // Two supervisors could have a lock that is removed while one of them takes it.
      if (name !== 'lock.db') rmSync(join(paths.folder, name), { recursive: true, force: true })
    }
    removeLinks(root, paths.id)
  })
  return { services: [], processes, everything: true }
}

/** What belongs to none of these services goes. @param known - Names of the config, or those that the supervisor has. */
export const purgeLeftovers = async (
  paths: ProjectPaths,
  known: readonly string[],
  supervisor: Supervisor | undefined,
): Promise<Purged> => {
  const processes = await endStrays(paths, supervisor !== undefined)
  const adHoc = leftovers(paths, known).filter(({ what }) => what.includes('ad-hoc'))
  // A supervisor knows best what still runs; without one, what lives is for `sysg stop`.
  const left = supervisor === undefined ? leftServices(paths, Date.now()) : []
  const living = left.flatMap(({ name, pid }) => (pid === null ? [] : [name]))
  const kept = new Set([...adHoc.map(({ name }) => name), ...living])
  const gone = leftovers(paths, known).filter(({ name, what }) => !kept.has(name) && !isRunning(what, supervisor))
  if (gone.length === 0) return { services: [], processes, everything: false }
  const names = gone.map(({ name }) => name)
  if (supervisor !== undefined) await supervisor.call('store.forget', { services: names }, { timeoutMs: 10_000 })
  else withLock(paths, () => forget(paths, names))
  for (const name of names) rmSync(join(paths.logs, name), { recursive: true, force: true })
  return { services: gone, processes, everything: false }
}

/** The supervisor is just ending an instance of it. */
const isRunning = (what: Leftover['what'], supervisor: Supervisor | undefined): boolean =>
  supervisor !== undefined && what.includes('instance')

const endStrays = async (paths: ProjectPaths, isSupervised: boolean): Promise<readonly StrayProcess[]> => {
  const strays = strayProcesses(paths, isSupervised)
  await endProcesses(strays)
  return strays
}

const stopAll = async (context: CommandContext, paths: ProjectPaths): Promise<void> => {
  const { stopUnsupervised } = await import('../operations/stop-unsupervised.ts')
  if ((await stopUnsupervised(context, paths, [])) !== exitCodes.done)
    throw new Failure('SYSG_PURGE_STOPPED_SHORT', undefined)
}

const shutDown = async (context: CommandContext, supervisor: Supervisor): Promise<void> => {
  const params = { why: 'sysg purge --force' }
  const code = await operate(context, supervisor, { verb: 'stop', method: 'shutdown', params })
  if (code !== exitCodes.done) throw new Failure('SYSG_PURGE_STOPPED_SHORT', undefined)
  await supervisor.closed
  await untilGone(supervisor.pid)
}

const forget = ({ folder }: ProjectPaths, names: readonly string[]): void => {
  if (!existsSync(join(folder, 'state.db'))) return
  const store = openStore(folder)
  try {
    for (const name of names) {
      store.table('intents').delete(name)
      for (const table of ['outcomes', 'instances'].map((one) => store.table(one)))
        for (const [key, value] of table.entries()) if (serviceOf(value) === name) table.delete(key)
    }
  } finally {
    store.close()
  }
}

/** Of an outcome its name, of an instance that of its config. */
const serviceOf = (value: unknown): unknown => {
  const service = field(value, 'service')
  return typeof service === 'string' ? service : field(service, 'name')
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined

const withLock = (paths: ProjectPaths, body: () => void): void => {
  if (!existsSync(paths.folder)) return
  const lock = acquireLock(paths.folder)
  if (lock === undefined) throw new Failure('SYSG_SUPERVISOR_SILENT', { pid: undefined, limitMs: 0 })
  try {
    body()
  } finally {
    lock.release()
  }
}
