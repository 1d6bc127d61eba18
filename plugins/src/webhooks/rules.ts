/** What of `webhooks` cannot be meant. */
import { nearest, type ConfigIssue, type ResolvedSystem } from '@systemg/core'
import { doubtAboutType } from './event-types.ts'
import { isOfDeliveries } from './filter.ts'

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
      const told = doubtAbout(type)
      return told === undefined ? [] : [{ severity: 'warning', path: ['webhooks', index, 'events', at], ...told }]
    }),
  ])

const doubtAbout = (type: string): Pick<ConfigIssue, 'message' | 'hint'> | undefined =>
  isOfDeliveries(type)
    ? {
        message: `\`${type}\` is never sent: it would have no end`,
        hint: '`sysg webhooks` and `sysg events` tell of deliveries that failed.',
      }
    : doubtAboutType(type)
