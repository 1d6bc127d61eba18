/** What of `webhooks` cannot be meant. */
import { nearest, type ConfigIssue, type ResolvedSystem } from '@systemg/core'

export const findMistakes = ({ webhooks, services }: ResolvedSystem): readonly ConfigIssue[] =>
  (webhooks ?? []).flatMap((webhook, index) => [
    ...(webhook.services ?? []).flatMap((name, at): readonly ConfigIssue[] => {
      if (Object.hasOwn(services, name)) return []
      const near = nearest(name, Object.keys(services))
      return [
        {
          code: 'SYSG_WEBHOOK_SERVICE',
          path: ['webhooks', index, 'services', at],
          message: `\`${name}\` is no service`,
          hint: near === undefined ? `Services: ${Object.keys(services).join(', ')}.` : `Did you mean \`${near}\`?`,
        },
      ]
    }),
    ...webhook.events.flatMap((type, at): readonly ConfigIssue[] => {
      if (type.includes('*') || eventTypes.includes(type)) return []
      const near = nearest(type, eventTypes)
      if (near === undefined) return []
      return [
        {
          severity: 'warning',
          path: ['webhooks', index, 'events', at],
          message: `systemg has no event \`${type}\``,
          hint: `Did you mean \`${near}\`?`,
        },
      ]
    }),
  ])

/** Those of systemg itself; plugins have more. Only for suggestions. */
const eventTypes: readonly string[] = Object.entries({
  system: ['started', 'stopped', 'reloaded'],
  service: [
    ...['waiting', 'blocked', 'starting', 'ready', 'unhealthy', 'stopping', 'stopped', 'completed', 'restarting'],
    ...['failed', 'scheduled', 'skipped', 'exited', 'daemonized', 'start_failed', 'intent', 'scaled', 'pre_start'],
  ],
  instance: ['started', 'ready', 'stopping', 'adopted'],
  deploy: [
    'started',
    'step',
    'switched',
    'succeeded',
    'rolled_back',
    'undo_failed',
    'switch_repeated',
    'switch_failed',
  ],
  cron: ['started', 'finished', 'skipped'],
  hook: ['failed', 'dropped'],
  logs: ['dropping', 'dropped'],
  plugin: ['error'],
}).flatMap(([of, types]) => types.map((type) => `${of}.${type}`))
