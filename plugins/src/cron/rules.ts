/** Combinations with `cron` that cannot work. Keys of other plugins are only looked at; those may not be there. */
import type { ConfigIssue, ResolvedService, ResolvedSystem } from '@systemg/core'

export const findMistakes = (config: ResolvedSystem): readonly ConfigIssue[] => [
  ...Object.values(config.services).flatMap((service) => [
    ...(service.cron === undefined ? [] : besideCron(service)),
    ...dependsOnCron(service, config),
  ]),
  ...endsWithCron(config),
]

const endsWithCron = ({ exit_when: name, services }: ResolvedSystem): readonly ConfigIssue[] => {
  if (!Object.hasOwn(services, name) || services[name]?.cron === undefined) return []
  const message = `\`exit_when\` waits for the end of \`${name}\`, which runs by a schedule and has none`
  return [{ path: ['exit_when'], message, hint: `Name another service, or remove the \`cron\` of \`${name}\`.` }]
}

/** What other plugins may have added. */
interface Others {
  readonly restart_policy?: unknown
  readonly health_check?: unknown
  readonly deployment?: { readonly strategy?: unknown; readonly health_check?: unknown } | undefined
}

const besideCron = (service: ResolvedService): readonly ConfigIssue[] => {
  const { restart_policy: policy, health_check: check, deployment } = service as Others
  const { name, replicas } = service
  const issue = (path: readonly string[], what: string, hint: string): ConfigIssue => ({
    path: ['services', name, ...path],
    message: `\`${name}\` has \`cron\` and ${what}`,
    hint,
  })
  const healthHint = 'Whether a run went well is known by its exit code: remove the check.'
  return [
    ...(replicas > 1
      ? [issue(['replicas'], `${replicas} replicas`, 'Each due time is one run: set `replicas: 1`.')]
      : []),
    ...(typeof policy === 'string' && policy !== 'never'
      ? [
          issue(
            ['restart_policy'],
            `\`restart_policy: ${policy}\``,
            'A run that failed is not repeated before it is due again: remove it, or repeat within the command.',
          ),
        ]
      : []),
    ...(check === undefined ? [] : [issue(['health_check'], 'a health check', healthHint)]),
    ...(deployment?.health_check === undefined
      ? []
      : [issue(['deployment', 'health_check'], 'a health check', healthHint)]),
    ...(typeof deployment?.strategy === 'string' && deployment.strategy !== 'immediate'
      ? [
          issue(
            ['deployment', 'strategy'],
            `\`strategy: ${deployment.strategy}\``,
            'There is nothing to keep up between two runs: remove it.',
          ),
        ]
      : []),
  ]
}

const dependsOnCron = ({ name, depends_on: needs }: ResolvedService, config: ResolvedSystem): readonly ConfigIssue[] =>
  Object.keys(needs)
    .filter((other) => Object.hasOwn(config.services, other) && config.services[other]?.cron !== undefined)
    .map((other) => ({
      path: ['services', name, 'depends_on', other],
      message: `\`${name}\` depends on \`${other}\`, which runs by a schedule and is up only now and then`,
      hint: `Remove it. What must run before \`${name}\` can be a service of its own, without \`cron\`, that it waits for as \`completed\`.`,
    }))
