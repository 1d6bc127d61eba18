/** Types of events that somebody wrote, and probably misspelt. Pure. */
import { nearest } from '@systemg/core'

export interface TypeDoubt {
  readonly message: string
  readonly hint: string
}

/**
 * Plugins have events that nobody knows here, so only what is close to one of systemg's own is doubted.
 *
 * @param type - A type, or a pattern in which `*` stands for any text.
 */
export const doubtAboutType = (type: string): TypeDoubt | undefined => {
  const family = /^(\w+)\.\*$/.exec(type)?.[1]
  if (family !== undefined) return doubtAboutFamily(family)
  if (type.includes('*') || eventTypes.includes(type)) return undefined
  if (!type.includes('.')) return doubtAboutWord(type)
  const near = nearest(type, eventTypes)
  return near === undefined
    ? undefined
    : { message: `systemg has no event \`${type}\``, hint: `Did you mean \`${near}\`?` }
}

const doubtAboutFamily = (family: string): TypeDoubt | undefined => {
  if (Object.hasOwn(families, family)) return undefined
  const near = nearFamily(family)
  return near === undefined
    ? undefined
    : { message: `no event of systemg begins with \`${family}.\``, hint: `Did you mean \`${near}.*\`?` }
}

/** Every type is `family.what`. */
const doubtAboutWord = (word: string): TypeDoubt => {
  const family = Object.hasOwn(families, word) ? word : nearFamily(word)
  const ends = eventTypes.filter((type) => type.endsWith(`.${word}`))
  const meant = family === undefined ? ends : [`${family}.*`]
  return {
    message: `no event has the type \`${word}\``,
    hint:
      meant.length === 0
        ? 'Types are like `service.ready` or `deploy.*`.'
        : `Did you mean ${meant.map((one) => `\`${one}\``).join(' or ')}?`,
  }
}

/** A longer name around one of ours (`my_plugin`) is that of a plugin. */
const nearFamily = (family: string): string | undefined =>
  nearest(
    family,
    Object.keys(families).filter((known) => Math.abs(known.length - family.length) <= 2),
  )

/** Those of systemg itself; plugins have more. Only for suggestions. */
const families = {
  system: ['booting', 'started', 'stopped', 'reloaded'],
  service: [
    ...['waiting', 'blocked', 'starting', 'ready', 'unhealthy', 'stopping', 'stopped', 'completed', 'restarting'],
    ...['failed', 'scheduled', 'skipped', 'exited', 'daemonized', 'start_failed', 'intent', 'scaled', 'pre_start'],
    ...['backoff', 'declared', 'degraded', 'reason', 'removed'],
  ],
  instance: ['started', 'ready', 'stopping', 'adopted', 'ended', 'given', 'healthy', 'unhealthy'],
  replica: ['restored'],
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
  webhook: ['failed', 'dropped'],
}

const eventTypes = Object.entries(families).flatMap(([of, types]) => types.map((type) => `${of}.${type}`))
