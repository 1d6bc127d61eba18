/** What control clients and other plugins may ask about events. */
import { once, type ControlMethod, type SysgEvent } from '@systemg/core'
import * as z from 'zod/mini'
import type { EventHistory } from './event-history.ts'

/** Hears every event; returns how to stop. */
export type Listen = (listener: (event: SysgEvent) => void) => () => void

const moment = once(() => {
  const isoTime = z.pipe(
    z.iso.datetime({ offset: true }),
    z.transform((text) => Date.parse(text)),
  )
  return z.union([z.number(), isoTime], 'must be a time in ISO 8601, or milliseconds since 1970')
})

const selection = once(() =>
  z.strictObject({
    after: z.optional(z.int().check(z.minimum(0))),
    since: z.optional(moment()),
    until: z.optional(moment()),
    limit: z._default(z.int().check(z.minimum(0), z.maximum(10_000)), 1_000),
    service: z.optional(z.string()),
    /** `deploy.*`; `*` stands for any text. */
    type: z.optional(z.string().check(z.maxLength(200))),
  }),
)

/**
 * - `events.read`: an array of events in order, the newest `limit` (1000) of those with a number above `after` or not
 *   older than `since` nor newer than `until` (ms or ISO 8601), of one `service`, of a `type` that may hold `*`.
 * - `events.follow`: the same as `event` notifications, then every new one, until aborted.
 */
export const eventMethods = (history: EventHistory, listen: Listen): Readonly<Record<string, ControlMethod>> => ({
  'events.read': (params) => history.read(queryOf(params)),
  'events.follow': async (params, call) => {
    const query = queryOf(params)
    // Nothing can happen between these two: reading is synchronous.
    for (const event of history.read(query)) void call.notify('event', event)
    const stop = listen((event) => {
      if (query.matches(event)) void call.notify('event', event)
    })
    try {
      await aborted(call.signal)
    } finally {
      stop()
    }
  },
})

const queryOf = (params: unknown) => {
  const { after, since: sinceMs, until: untilMs, limit, service, type } = selection().parse(params ?? {})
  const isOfType = type === undefined ? () => true : globTest(type)
  const matches = (event: SysgEvent) =>
    (service === undefined || event.service === service) &&
    isOfType(event.type) &&
    (untilMs === undefined || Date.parse(event.time) <= untilMs)
  const isFiltered = service !== undefined || type !== undefined || untilMs !== undefined
  return { after, sinceMs, limit, matches, isFiltered }
}

const globTest = (glob: string): ((text: string) => boolean) => {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('.*')}$`)
  return (text) => expression.test(text)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
