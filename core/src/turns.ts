/** Whose turn it is: what may start, and what may stop, while other things are on their way. */
import type { Instance } from './instance.ts'
import type { Roster } from './roster.ts'
import type { Service } from './service.ts'

/** `max_concurrent_starts` has room for another one. */
export const mayStart = (roster: Roster): boolean =>
  !isLimited(roster) ||
  roster.living.filter(({ state }) => state === 'starting').length < roster.config.max_concurrent_starts

/** Only so many may start at once, so that one that has started lets others begin. */
export const isLimited = (roster: Roster): boolean => roster.config.max_concurrent_starts !== Number.MAX_SAFE_INTEGER

/** Candidates go before what serves, dependents before what they need. */
export const mayStop = (roster: Roster, service: Service, instance: Instance): boolean => {
  const replica = service.replicas[instance.replica]
  const siblings = [...(replica?.living ?? [])]
  if (instance.role === 'active' && siblings.some((one) => one.role === 'candidate' && isLeaving(one))) return false
  const why = instance.stopRequest?.why ?? ''
  const isOrdered = ['person', 'shutdown', 'cascade', 'removed'].includes(why)
  // What a deploy has done is taken back while everything still runs.
  const isDeploying = replica?.isDeploying === true
  if (isDeploying && instance.role !== 'candidate' && (isOrdered || why === 'scaled')) return false
  const dependents = isOrdered ? roster.named(roster.graph.dependents(service.name)) : []
  return !dependents.some(
    (dependent) => dependent.living.some(isLeaving) || (dependent.living.length > 0 && !roster.isWanted(dependent)),
  )
}

const isLeaving = (one: Instance): boolean => one.stopRequest !== undefined
