/** `sysg stop` when the supervisor was killed: take up what still lives, stop it in order, and end. */
import { existsSync } from 'node:fs'
import { System } from '@systemg/core'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { firstPartyPlugins } from '../first-party.ts'
import { acquireLock, createNodeHost, endHolders, projectCgroups } from '../host/index.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { requireNoStrays } from '../purge/stray-processes.ts'
import { forgetComeback } from '../supervisor/comeback.ts'
import { createProgress } from '../terminal/progress.ts'
import { recordedServices } from '../unsupervised/recorded-services.ts'
import { exitOf } from './operate.ts'

/**
 * @returns `undefined` when a supervisor has the project after all: it is coming up, or on its way out.
 * @throws {Failure} `SYSG_STATE_LOST` when something goes on that is not recorded.
 */
export const stopUnsupervised = async (
  context: CommandContext,
  paths: ProjectPaths,
  services: readonly string[],
): Promise<ExitCode | undefined> => {
  // Those not named would be left alone again, with nobody to bring them back: a supervisor is needed for that.
  if (services.length > 0) throw new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
  // Stopping what is stopped is success.
  if (!existsSync(paths.folder)) return sayNothing(context)
  const lock = acquireLock(paths.folder)
  if (lock === undefined) return undefined
  try {
    const recorded = recordedServices(paths) ?? []
    const isEmpty = recorded.every(({ instances, kinds }) => instances.length === 0 && !kinds.includes('ad-hoc'))
    const code = isEmpty ? sayNothing(context) : await stopAll(context, paths)
    // Not before: the last words of services are in what the holder has open. What it starts meanwhile ends without the lock.
    if (code === exitCodes.done) {
      await forget(context, paths)
      requireNoStrays(paths)
    }
    return code
  } finally {
    lock.release()
  }
}

/** Nothing was to be stopped. */
const sayNothing = ({ terminal }: CommandContext): ExitCode => {
  createProgress(terminal, 'stop').done({ ok: true, problems: [], warnings: [] })
  return exitCodes.done
}

const stopAll = async (context: CommandContext, paths: ProjectPaths): Promise<ExitCode> => {
  const host = createNodeHost({ folder: paths.folder, env: context.env })
  try {
    const progress = createProgress(context.terminal, 'stop')
    const system = new System({ config: emptySystem(paths), host, plugins: stopPlugins(paths) })
    system.hooks.event.tap('progress', (event) => progress.onEvent(event))
    await system.boot()
    const outcome = await system.shutdown({ why: 'sysg stop' })
    progress.done(outcome)
    return outcome.ok ? exitCodes.done : exitOf(outcome)
  } finally {
    await host.dispose()
  }
}

/** Nothing is to come back any more. */
const forget = async ({ env }: CommandContext, paths: ProjectPaths): Promise<void> => {
  await endHolders(paths.folder)
  projectCgroups(paths.folder, env).tidy()
  forgetComeback(paths)
}

/** Without a service of its own: everything that is found is no longer wanted. */
const emptySystem = (paths: ProjectPaths): System['config'] => ({
  project: { id: paths.id, name: paths.id },
  folder: '/',
  env: { vars: {}, file: [] },
  logs: { sink: 'file', max_bytes: 10 * 1024 * 1024, max_files: 5 },
  metrics: { interval: 5_000, retention: 43_200_000 },
  stop_timeout: 10_000,
  max_concurrent_starts: Number.MAX_SAFE_INTEGER,
  respawn: false,
  exit_when: 'never',
  services: {},
})

/** What remembers and reads; nobody listens for commands. */
const stopPlugins = (paths: ProjectPaths) =>
  firstPartyPlugins({ logs: { folder: paths.logs, pipes: `${paths.folder}/run/output` } }).filter(
    ({ plugin }) => !['control', 'metrics'].includes(plugin.name),
  )
