/** What the process in the background does: reads its request, becomes the supervisor, starts what is wanted. */
import { text } from 'node:stream/consumers'
import { whyOf } from '@systemg/core'
import { loadConfig } from '../config/load-config.ts'
import { noConfig } from '../config/no-config.ts'
import { firstPartyPlugins } from '../first-party.ts'
import { takenExitCode, type DaemonRequest } from './daemon.ts'
import { survive } from './survive.ts'
import { supervise } from './supervise.ts'

/** Resolves with the exit code of the process. */
export const runDaemon = async (): Promise<number> => {
  const request = JSON.parse(await text(process.stdin)) as DaemonRequest
  const { root, env, logLevel, services } = request
  const loaded = await loadFor(request)
  const running = await supervise({
    ...{ root, env, logLevel },
    config: loaded.system,
    configFile: loaded.file,
    plugins: loaded.plugins,
    code: loaded.code,
    show: undefined,
  })
  if (running === undefined) return takenExitCode
  survive((line) => void process.stderr.write(line))
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void running.stop(`the supervisor got ${signal}`))
  running.system.start(services === undefined ? {} : { names: services }).catch((thrown: unknown) => {
    process.stderr.write(`${whyOf(thrown)}\n`)
  })
  const verdict = await running.ended
  return verdict?.exitCode ?? 0
}

const loadFor = async ({ config, project, cwd, env }: DaemonRequest) => {
  const firstParty = firstPartyPlugins()
  if (config === undefined) return noConfig(cwd, project, firstParty)
  const { system, ...loaded } = await loadConfig({ config, cwd, env, firstParty })
  if (system === undefined) throw new Error(`the config is not valid: ${loaded.problems[0]?.message ?? ''}`)
  return { ...loaded, system }
}
