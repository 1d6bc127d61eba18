/** One try to deliver, and what its answer means. */
import { HostError, limited, formatDuration, Secrets, whyOf, type Host, type HttpResponse } from '@systemg/core'
import { retryAfterMs } from './backoff.ts'
import type { Webhook } from './options.ts'
import { signatureOf } from './signature.ts'
import { secretsOf, targetOf } from './target.ts'

/** What is sent, the same each time. */
export interface Delivery {
  /** Unique, the same over all tries. */
  readonly id: string
  readonly type: string
  readonly body: string
}

export type Answer =
  | { readonly kind: 'delivered'; readonly response: HttpResponse }
  /** It may go well another time. */
  | {
      readonly kind: 'again'
      readonly reason: string
      readonly afterMs?: number | undefined
      readonly response?: HttpResponse
    }
  /** It never will. */
  | { readonly kind: 'refused'; readonly reason: string; readonly response?: HttpResponse }

/** Rejects with the signal's reason alone. */
export const attempt = async (
  { http, clock }: Pick<Host, 'http' | 'clock'>,
  webhook: Webhook,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Answer> => {
  const { timeout, secret } = webhook
  const over = new Error(`no answer within ${formatDuration(timeout)}`)
  const limit = limited(clock, timeout, over, signal)
  const { url, headers } = targetOf(webhook.url)
  try {
    const response = await http({
      url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'systemg',
        ...headers,
        ...lowerCased(webhook.headers),
        'x-sysg-event': delivery.type,
        'x-sysg-delivery': delivery.id,
        ...(secret === undefined ? {} : { 'x-sysg-signature': signatureOf(delivery.body, secret) }),
      },
      body: delivery.body,
      keepBytes: 1024,
      signal: limit.signal,
    })
    return meaningOf(response, clock.now())
  } catch (thrown) {
    signal.throwIfAborted()
    return { kind: 'again', reason: reasonOf(thrown, webhook) }
  } finally {
    limit.end()
  }
}

const meaningOf = (response: HttpResponse, nowMs: number): Answer => {
  const { status, headers } = response
  if (status >= 200 && status < 300) return { kind: 'delivered', response }
  const reason = `status ${status}`
  if (status === 429 || status >= 500)
    return { kind: 'again', reason, afterMs: retryAfterMs(headers['retry-after'], nowMs), response }
  if (status >= 300 && status < 400)
    return { kind: 'refused', reason: `${reason}: redirects are not followed`, response }
  return { kind: 'refused', reason, response }
}

/** The errno says what matters; messages of the host may quote the URL. */
const reasonOf = (thrown: unknown, webhook: Webhook): string => {
  const { url, shown } = targetOf(webhook.url)
  const text = whyOf(thrown).replaceAll(url, shown).replaceAll(webhook.url, shown).replace(/\.$/, '')
  const said = Secrets.of(secretsOf(webhook)).hide(text)
  return thrown instanceof HostError && !said.includes(thrown.errno) ? `${said} (${thrown.errno})` : said
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
