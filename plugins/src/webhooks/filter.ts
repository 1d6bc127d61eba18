/** Which events an endpoint is told. Pure. */
import type { SysgEvent } from '@systemg/core'
import type { Webhook } from './options.ts'

/** What happens to deliveries is never delivered: it would have no end. */
export const isOfDeliveries = (type: string): boolean => type.startsWith('webhook.')

export const filterFor = ({ events, services }: Pick<Webhook, 'events' | 'services'>) => {
  const patterns = events.map(globOf)
  return ({ type, service }: Pick<SysgEvent, 'type' | 'service'>): boolean =>
    !isOfDeliveries(type) &&
    (services === undefined || (service !== undefined && services.includes(service))) &&
    patterns.some((pattern) => pattern.test(type))
}

const globOf = (glob: string): RegExp => {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
