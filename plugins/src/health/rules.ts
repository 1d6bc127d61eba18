/** Combinations that cannot work, or not as one might think. */
import type { ConfigIssue, ResolvedService, ResolvedSystem } from '@systemg/core'
import { deploymentOf } from './checks.ts'
import type { HealthCheck } from './options.ts'
import { askedOnSharedSocket } from './shared-socket.ts'

export const findMistakes = (config: ResolvedSystem): readonly ConfigIssue[] =>
  Object.values(config.services).flatMap((service) => [
    ...twoChecks(service),
    ...unreadLog(service, config),
    ...askedOnSharedSocket(service),
  ])

const twoChecks = (service: ResolvedService): readonly ConfigIssue[] => {
  if (service.health_check === undefined || deploymentOf(service)?.health_check === undefined) return []
  return [
    {
      code: 'SYSG_HEALTH_CHECK_TWICE',
      path: ['services', service.name, 'deployment', 'health_check'],
      message: `\`${service.name}\` has two health checks: \`health_check\` and \`deployment.health_check\`.`,
      hint: 'They mean the same. Keep `health_check`.',
    },
  ]
}

/** What the `logs` plugin may have. */
interface WithLogs {
  readonly logs?: { readonly sink?: string | undefined }
}

const unreadLog = (service: ResolvedService, config: ResolvedSystem): readonly ConfigIssue[] => {
  const sink = (service as WithLogs).logs?.sink ?? (config as WithLogs).logs?.sink
  if (sink !== 'none' && sink !== 'inherit') return []
  const deployment = deploymentOf(service)
  const checks: readonly (readonly [HealthCheck | undefined, readonly string[]])[] = [
    [service.health_check, ['health_check']],
    [deployment?.health_check, ['deployment', 'health_check']],
    [deployment?.blue_green?.candidate_health_check, ['deployment', 'blue_green', 'candidate_health_check']],
  ]
  return checks
    .filter(([check]) => check?.probe === 'log')
    .map(([, path]) => ({
      code: 'SYSG_HEALTH_LOG_UNREAD' as const,
      path: ['services', service.name, ...path, 'log'],
      message: `\`${service.name}\` waits for a line of its output, but with \`logs.sink: ${sink}\` nobody reads it.`,
      hint: 'Use `logs: { sink: file }`, or another probe.',
    }))
}
