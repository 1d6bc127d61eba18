/**
 * Brings services back after they end by themselves, waiting longer each time.
 *
 * Owns the service keys `restart_policy`, `backoff`, `max_restarts` and `reset_after`. Taps `retry`.
 * The wait grows up to a ceiling and is forgotten after a good run, as Kubernetes does for a container that keeps crashing.
 */
import { definePlugin, type ConfigIssue, type EndedRun, type ResolvedSystem } from '@systemg/core'
import type { z } from 'zod'
import { nextDelay } from './backoff.ts'
import type { backoff, maxRestarts, resetAfter, restartPolicy } from './options.ts'

export const restart = definePlugin({
  name: 'restart',
  schemas: () => import('./options.ts'),
  live: ['restart_policy', 'backoff', 'max_restarts', 'reset_after'],
  check: (config) => neverCompleted(config),
  setup({ hooks, host }) {
    hooks.retry.tap('restart', (run) => {
      const { restart_policy: policy, max_restarts: max, reset_after: resetAfterMs, backoff: wait } = run.service
      if (policy === 'never' || (policy === 'on-failure' && endedWell(run))) return undefined
      const forget = run.readyForMs > 0 && run.readyForMs >= resetAfterMs
      const restarts = forget ? 0 : run.restarts
      if (max !== 'unlimited' && restarts >= max) return { giveUp: whyGivenUp(max) }
      const delayMs = nextDelay(restarts, wait, host.random())
      return forget ? { delayMs, forget } : { delayMs }
    })
  },
})

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Which exits bring the service back. Default `never`. From the `restart` plugin. */
    restart_policy?: z.input<typeof restartPolicy>
    /** How long to wait before each restart: a duration, or `{ initial, max, factor, jitter }`. From the `restart` plugin. */
    backoff?: z.input<typeof backoff>
    /** Restarts in a row before the service is failed for good. Default `unlimited`. From the `restart` plugin. */
    max_restarts?: z.input<typeof maxRestarts>
    /** How long a service must have been ready for its waits and restarts to be forgotten. Default 1m. From the `restart` plugin. */
    reset_after?: z.input<typeof resetAfter>
  }
  interface ResolvedService {
    readonly restart_policy: z.output<typeof restartPolicy>
    readonly backoff: z.output<typeof backoff>
    readonly max_restarts: z.output<typeof maxRestarts>
    readonly reset_after: z.output<typeof resetAfter>
  }
}

/** A program ended by liveness may well exit 0 on the stop signal; it failed all the same. */
const endedWell = (run: EndedRun): boolean => run.success && run.unhealthy === undefined

/** Shown behind `gave up: `. */
const whyGivenUp = (max: number): string =>
  max === 0 ? '`max_restarts` is 0' : `${max} ${max === 1 ? 'restart' : 'restarts in a row'} (\`max_restarts\`)`

/** A service that is always restarted never completes, so nothing can wait for that. */
const neverCompleted = (config: ResolvedSystem): readonly ConfigIssue[] =>
  Object.values(config.services).flatMap((service) =>
    Object.entries(service.depends_on)
      .filter(
        ([name, { condition }]) => condition === 'completed' && config.services[name]?.restart_policy === 'always',
      )
      .map(([name]) => ({
        code: 'SYSG_RESTART_NEVER_COMPLETES' as const,
        path: ['services', service.name, 'depends_on', name],
        message: `\`${service.name}\` waits for \`${name}\` to complete, but \`${name}\` has \`restart_policy: always\` and never does`,
        hint: `Give \`${name}\` \`restart_policy: on-failure\`, or wait for \`ready\`.`,
      })),
  )
