/**
 * Tells others what happens, over HTTP: events as JSON, signed, tried again, and kept on disk until they have arrived.
 *
 * Owns the top-level key `webhooks`. Taps `event` (what is told), `boot`, `reload` and `shutdown` (goes on where it was, and
 * waits a moment at the end). Registers the control methods `webhooks.list` and `webhooks.test`, which the command `webhooks`
 * asks. Headers and signature are like GitHub's; at least once, as with everybody.
 */
import { definePlugin, pause } from '@systemg/core'
import type { z } from 'zod'
import { command } from './command.ts'
import { Endpoints } from './endpoints.ts'
import { webhookMethods } from './methods.ts'
import type { webhooksKey } from './options.ts'
import { findMistakes } from './rules.ts'
import { targetOf } from './target.ts'
import { ToldStates } from './told-states.ts'

export { doubtAboutType, type TypeDoubt } from './event-types.ts'
export type { TestResult, WebhookView } from './methods.ts'
export type { Webhook } from './options.ts'

/** How long the end of the system waits for what is under way, ms. */
const lastMs = 5_000

export const webhooks = definePlugin({
  name: 'webhooks',
  schemas: () => import('./options.ts'),
  commands: { webhooks: command },
  check: findMistakes,
  setup(api) {
    const { host, hooks, system } = api
    const endpoints = new Endpoints(host, {
      failed({ index, webhook: { url } }, { id, type }, { attempts, reason }) {
        const { shown } = targetOf(url)
        host.trace('warn', `${type} was not delivered to ${shown}: ${reason}`, { webhook: index, attempts })
        system.emit('webhook.failed', {}, { webhook: index, url: shown, delivery: id, event: type, attempts, reason })
      },
      dropped({ index, webhook: { url }, view }, count) {
        const { shown } = targetOf(url)
        host.trace('warn', `${count} events for ${shown} were left out: too many wait`, { webhook: index })
        system.emit('webhook.dropped', {}, { webhook: index, url: shown, count, total: view.dropped })
      },
    })
    const states = new ToldStates(host)
    const methods = webhookMethods(host, system, () => endpoints.all)
    for (const [name, method] of Object.entries(methods)) api.registerMethod(name, method)

    hooks.boot.tap({ name: 'webhooks', stage: -40 }, (state) => {
      endpoints.configure(system.config.webhooks)
      states.restore()
      return state
    })
    hooks.event.tap('webhooks', (event) => {
      if (endpoints.all.length > 0 && !states.isRepeated(event)) endpoints.tell(event)
      if (event.type === 'system.started') endpoints.open()
    })
    hooks.reload.tap('webhooks', ({ after }) => endpoints.configure(after.webhooks))
    // Behind those who may have something to tell at the end, before the store closes.
    hooks.shutdown.tapPromise({ name: 'webhooks', stage: 50 }, async ({ hurry }) => {
      const over = new AbortController()
      const patience = pause(host.clock, lastMs, AbortSignal.any([hurry, over.signal])).catch(() => undefined)
      await Promise.race([endpoints.settled(), patience])
      over.abort(new Error('everything has arrived'))
      endpoints.close()
      states.clear()
    })
  },
})

declare module '@systemg/core' {
  interface SystemConfig {
    /** Who is told of events, over HTTP: `{ url, events, services, secret, headers, timeout, retries }` each. From the `webhooks` plugin. */
    webhooks?: z.input<typeof webhooksKey>
  }
  interface ResolvedSystem {
    /** Missing where no config was read. */
    readonly webhooks?: z.output<typeof webhooksKey>
  }
  interface EventData {
    /** An event could not be delivered and is given up. Never delivered itself. */
    'webhook.failed': {
      webhook: number
      url: string
      delivery: string
      event: string
      attempts: number
      reason: string
    }
    /** Events were left out, as too many wait for an endpoint: `count` since this was told last, `total` in all. Never delivered itself. */
    'webhook.dropped': { webhook: number; url: string; count: number; total: number }
  }
}
