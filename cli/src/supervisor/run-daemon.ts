/** What the process in the background does: reads its request, becomes the supervisor, starts what is wanted. */
import { readFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { whyOf, type ResolvedSystem } from '@systemg/core'
import type { LoadedConfig } from '../config/load-config.ts'
import { firstPartyPlugins } from '../first-party.ts'
import { takenExitCode } from '../host/index.ts'
import type { DaemonRequest } from './daemon.ts'
import { rehearsal } from './rehearse.ts'
import { survive } from './survive.ts'
import { supervise } from './supervise.ts'

/** Resolves with the exit code of the process. @param how - `rehearse`: load everything, and supervise nothing. */
export const runDaemon = async (how: string | undefined): Promise<number> => {
  const request = JSON.parse(readFileSync(0, 'utf8')) as DaemonRequest
  const { comeback } = request
  if (how === rehearsal && comeback !== undefined) {
    await loadAgain(request, comeback)
    return 0
  }
  const { system, plugins, code } = comeback === undefined ? await load(request) : await comeBack(request, comeback)
  const running = await supervise({
    request,
    config: system,
    plugins,
    code,
    show: undefined,
    respawn: system.respawn ?? true,
    isComeback: comeback !== undefined,
  })
  if (running === undefined) return takenExitCode
  survive((line) => void process.stderr.write(line))
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void running.stop(`the supervisor got ${signal}`))
  // Node writes it when a process ends; one that is killed would leave the next one to compile everything again.
  flushCompileCache()
  const verdict = await running.ended
  return verdict?.exitCode ?? 0
}

type Loaded = Pick<LoadedConfig, 'plugins' | 'code'> & { readonly system: ResolvedSystem }

const load = async ({ config, project, cwd, env }: DaemonRequest): Promise<Loaded> => {
  const firstParty = firstPartyPlugins()
  if (config === undefined) return (await import('../config/no-config.ts')).noConfig(cwd, project, firstParty)
  const { loadConfig } = await import('../config/load-config.ts')
  const { system, plugins, code, problems } = await loadConfig({ config, cwd, env, firstParty })
  if (system === undefined) throw new Error(`the config is not valid: ${problems[0]?.message ?? ''}`)
  return { system, plugins, code }
}

/** The config may have gone or be broken by now. */
const comeBack = async (request: DaemonRequest, system: ResolvedSystem): Promise<Loaded> => {
  try {
    return await loadAgain(request, system)
  } catch (thrown) {
    process.stderr.write(`coming back without the plugins of the config: ${whyOf(thrown)}\n`)
    return { system, plugins: firstPartyPlugins(), code: [] }
  }
}

/** The config only says which plugins there are. */
const loadAgain = async ({ config, cwd, env, hasCode }: DaemonRequest, system: ResolvedSystem): Promise<Loaded> => {
  const firstParty = firstPartyPlugins()
  // Without code there are no plugins but ours, and nothing is to be read: every millisecond counts.
  if (config === undefined || !hasCode) return { system, plugins: firstParty, code: [] }
  const { loadConfig } = await import('../config/load-config.ts')
  const { plugins, code } = await loadConfig({ config, cwd, env, firstParty })
  return { system, plugins, code }
}
