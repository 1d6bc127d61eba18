/** Combinations below `deployment` that cannot work. Pure. */
import { nearest, type ConfigIssue, type ResolvedService, type ResolvedSystem } from '@systemg/core'
import type { BlueGreen, Deployment } from './deployment.ts'
import { namesSlot, placeNames, unknownPlaces } from './placeholders.ts'

export const checkDeployments = (config: ResolvedSystem): readonly ConfigIssue[] =>
  Object.values(config.services).flatMap((service) => {
    const { deployment } = service
    if (deployment === undefined) return []
    const issues = [
      ...blueGreenIssues(service, deployment),
      ...commandIssues(service, deployment),
      ...unusedOptions(deployment),
    ]
    return issues.map(({ path, ...issue }) => ({ ...issue, path: ['services', service.name, ...path] }))
  })

const blueGreenIssues = (service: ResolvedService, { strategy, blue_green: blueGreen }: Deployment): ConfigIssue[] => {
  if (blueGreen === undefined) return []
  const issues: ConfigIssue[] = []
  const path = ['deployment', 'blue_green']
  if (strategy === 'immediate') {
    issues.push({
      path,
      message: `\`${service.name}\` has \`blue_green\`, but \`strategy: immediate\` stops the old instance first and has no use for it`,
      hint: 'Write `strategy: rolling`.',
    })
  }
  if (blueGreen.slots !== undefined && service.replicas > 1) {
    issues.push({
      path: [...path, 'slots'],
      message: `\`${service.name}\` has ${service.replicas} replicas, which cannot share one slot`,
      hint: 'Set `replicas: 1`, or use `sockets`, which replicas share.',
    })
  }
  if (blueGreen.switch_verify !== undefined && blueGreen.switch_command === undefined) {
    issues.push({
      path: [...path, 'switch_verify'],
      message: `\`${service.name}\` has \`switch_verify\` without a \`switch_command\` that it could verify`,
      hint: 'Add `switch_command`, or remove it.',
    })
  }
  return issues
}

const commandIssues = (service: ResolvedService, { pre_start: preStart, blue_green: blueGreen }: Deployment) => {
  const commands: readonly (readonly [path: readonly string[], text: string | undefined])[] = [
    [['deployment', 'pre_start'], preStart],
    ...(['switch_command', 'switch_verify'] as const satisfies readonly (keyof BlueGreen)[]).map(
      (key) => [['deployment', 'blue_green', key], blueGreen?.[key]] as const,
    ),
    ...(blueGreen?.slots === undefined ? [] : [[['command'], service.command] as const]),
  ]
  return commands.flatMap(([path, text = '']): ConfigIssue[] => {
    const unknown = unknownPlaces(text).map((name) => ({
      path,
      message: `\`{${name}}\` is not filled in: there is no such name`,
      hint: hintFor(name),
    }))
    if (!namesSlot(text) || blueGreen?.slots !== undefined) return unknown
    const message = `\`${service.name}\` has no slots that could be filled in here`
    return [...unknown, { path, message, hint: 'Add `deployment.blue_green.slots`, for example `["8000", "8001"]`.' }]
  })
}

const hintFor = (name: string): string => {
  const near = nearest(name, placeNames)
  return near === undefined
    ? `Known are ${placeNames.map((known) => `\`{${known}}\``).join(', ')}.`
    : `Did you mean \`{${near}}\`?`
}

/** Options of a strategy that was not chosen. */
const unusedOptions = (deployment: Deployment): ConfigIssue[] =>
  Object.keys(deployment)
    .filter((key) => !ownKeys.includes(key) && key !== deployment.strategy)
    .map((key) => ({
      path: ['deployment', key],
      message: `\`deployment.${key}\` says how \`strategy: ${key}\` works, but the strategy is \`${deployment.strategy}\``,
      hint: `Write \`strategy: ${key}\`, or remove it.`,
    }))

const ownKeys: readonly string[] = [
  ...['strategy', 'pre_start', 'pre_start_timeout', 'grace_period', 'blue_green', 'health_check'],
]
