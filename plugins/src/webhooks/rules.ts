/** What of `webhooks` cannot be meant. */
import { nearest, type ConfigIssue, type ResolvedSystem } from '@systemg/core'
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

/** Plugins have events that nobody knows here, so only what is close to one of systemg's own is doubted. */
const doubtAbout = (type: string): Pick<ConfigIssue, 'message' | 'hint'> | undefined => {
  if (isOfDeliveries(type))
    return {
      message: `\`${type}\` is never sent: it would have no end`,
      hint: '`sysg webhooks` and `sysg events` tell of deliveries that failed.',
    }
  const family = /^(\w+)\.\*$/.exec(type)?.[1]
  if (family !== undefined) return doubtAboutFamily(family)
  if (type.includes('*') || eventTypes.includes(type)) return undefined
  const near = nearest(type, eventTypes)
  return near === undefined
    ? undefined
    : { message: `systemg has no event \`${type}\``, hint: `Did you mean \`${near}\`?` }
}

const doubtAboutFamily = (family: string): Pick<ConfigIssue, 'message' | 'hint'> | undefined => {
  if (Object.hasOwn(families, family)) return undefined
  // A longer name around one of ours (`my_plugin`) is that of a plugin.
  const alike = Object.keys(families).filter((known) => Math.abs(known.length - family.length) <= 2)
  const near = nearest(family, alike)
  return near === undefined
    ? undefined
    : { message: `no event of systemg begins with \`${family}.\``, hint: `Did you mean \`${near}.*\`?` }
}

/** Those of systemg itself; plugins have more. Only for suggestions. */
const families = {
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
  metrics: ['listen_failed'],
  plugin: ['error'],
  spawn: ['started', 'rejected', 'exited', 'moved', 'memory_exceeded'],
  watch: ['changed', 'failed', 'loops'],
}

const eventTypes = Object.entries(families).flatMap(([of, types]) => types.map((type) => `${of}.${type}`))
