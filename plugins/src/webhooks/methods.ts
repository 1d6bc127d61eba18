/** What control clients may ask about webhooks. */
import { once, SysgError, whyOf, type ControlMethod, type Host, type SystemApi } from '@systemg/core'
import * as z from 'zod/mini'
import type { Answer } from './attempt.ts'
import type { Endpoint } from './endpoint.ts'
import { targetOf } from './target.ts'

/** How a test went, for one endpoint. */
export interface TestResult {
  readonly webhook: number
  readonly url: string
  readonly ok: boolean
  /** Null when nobody answered. */
  readonly status: number | null
  readonly reason: string | null
  /** What it answered, the beginning. */
  readonly body: string
  readonly duration_ms: number
}

/** What is to be seen of an endpoint. */
export type WebhookView = Endpoint['view']

const testParams = once(() => {
  const asked = z.union([z.int().check(z.minimum(0)), z.string()], 'must be the number of a webhook, or its URL')
  return z.strictObject({ webhook: z.optional(asked) })
})
const noParams = once(() => z.strictObject({}))

/**
 * - `webhooks.list` → an array of `{ webhook, url, events, services, waiting, failed, dropped, last_failure, next_try, next_try_in_ms }`
 * - `webhooks.test { webhook? }` → an array of `{ webhook, url, ok, status, reason, body, duration_ms }`: a sample event is
 *   sent to one endpoint, by index or URL, or to all
 */
export const webhookMethods = (
  host: Host,
  system: SystemApi,
  endpoints: () => readonly Endpoint[],
): Readonly<Record<string, ControlMethod>> => ({
  'webhooks.list': (params) => {
    noParams().parse(params ?? {})
    return endpoints().map(({ view }) => view)
  },
  'webhooks.test': (params, { signal }) => {
    const { webhook } = testParams().parse(params ?? {})
    const chosen = endpoints().filter((endpoint) => webhook === undefined || isMeant(endpoint, webhook))
    if (chosen.length === 0) throw unknown(webhook, endpoints().length)
    return Promise.all(chosen.map((endpoint) => test(endpoint, host, system, signal)))
  },
})

const isMeant = ({ index, webhook: { url } }: Endpoint, meant: number | string): boolean =>
  meant === index || meant === url || meant === targetOf(url).url

const test = async (endpoint: Endpoint, host: Host, system: SystemApi, signal: AbortSignal): Promise<TestResult> => {
  const type = 'webhook.test'
  const event = {
    ...{ seq: 0, time: new Date(host.clock.now()).toISOString(), project: system.config.project.id, type },
    data: { message: 'This is a test.' },
  }
  const sinceMs = host.clock.monotonic()
  const answer = await endpoint
    .test({ id: host.token(), type, body: JSON.stringify(event) }, signal)
    .catch((thrown: unknown): Answer => ({ kind: 'refused', reason: whyOf(thrown) }))
  return {
    webhook: endpoint.index,
    url: targetOf(endpoint.webhook.url).shown,
    ok: answer.kind === 'delivered',
    status: answer.response?.status ?? null,
    reason: answer.kind === 'delivered' ? null : answer.reason,
    body: answer.response?.body ?? '',
    duration_ms: Math.round(host.clock.monotonic() - sinceMs),
  }
}

const unknown = (webhook: number | string | undefined, count: number): SysgError => {
  const has = count === 0 ? 'The config has no `webhooks`.' : `The config has ${count}, counted from 0.`
  // What was asked for may be a URL with a secret.
  const which =
    typeof webhook === 'number' ? ` with the number ${webhook}` : webhook === undefined ? '' : ' of this URL'
  return SysgError.of('SYSG_WEBHOOK_UNKNOWN', {
    message: `There is no webhook${which}. ${has}`,
    hint: '`sysg webhooks` lists them.',
  })
}
