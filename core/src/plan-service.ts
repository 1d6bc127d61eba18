/** Whether a service is started at boot: `skip`, then what plugins say. */
import type { ResolvedService } from './config/types.ts'
import type { Host } from './host.ts'
import type { Hooks, PlanDecision } from './hooks.ts'
import { baseEnvironment } from './launch-environment.ts'
import { limited } from './wait.ts'

/**
 * @returns `undefined`: it is started.
 * @throws what a plugin threw, or the failure to run the `skip` command.
 */
export const planService = async (
  service: ResolvedService,
  world: { readonly host: Host; readonly hooks: Hooks },
  signal: AbortSignal,
): Promise<PlanDecision | undefined> => {
  if (await isSkipped(service, world.host, signal)) return { mode: 'skip', reason: 'skipped by its config' }
  return world.hooks.plan.promise({ service, signal })
}

/** A command that says whether to skip should not take long, ms. */
const skipLimitMs = 60_000

const isSkipped = async (service: ResolvedService, host: Host, signal: AbortSignal): Promise<boolean> => {
  if (typeof service.skip === 'boolean') return service.skip
  const over = new Error(`its \`skip\` command took longer than ${skipLimitMs / 1_000} s`)
  const limit = limited(host.clock, skipLimitMs, over, signal)
  try {
    const result = await host.run({
      argv: ['/bin/sh', '-c', service.skip],
      env: baseEnvironment(host.env),
      cwd: service.working_dir,
      signal: limit.signal,
    })
    limit.signal.throwIfAborted()
    if (result.failure !== undefined) throw new Error(`its \`skip\` command could not run: ${result.failure.message}`)
    return result.exit.code === 0
  } finally {
    limit.end()
  }
}
