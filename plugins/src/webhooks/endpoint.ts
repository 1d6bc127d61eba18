/**
 * Tells one endpoint what is in its outbox, one after the other and in order: while it is away, what comes first is tried
 * again, and the rest waits without using up its tries.
 */
import type { Host, SysgEvent } from '@systemg/core'
import { attempt, type Answer, type Delivery } from './attempt.ts'
import { longestWaitMs, waitBefore } from './backoff.ts'
import { filterFor } from './filter.ts'
import type { Webhook } from './options.ts'
import { Outbox } from './outbox.ts'
import { targetOf } from './target.ts'

export interface EndpointEvents {
  /** It is given up. */
  failed(endpoint: Endpoint, delivery: Delivery, facts: { readonly attempts: number; readonly reason: string }): void
  /** So many were left out since this was told last. */
  dropped(endpoint: Endpoint, count: number): void
}

type EndpointHost = Pick<Host, 'clock' | 'http' | 'random' | 'store' | 'trace'>

/** What is left out is told at most this often, ms. */
const tellAgainMs = 60_000

export class Endpoint {
  /** Of the config. */
  index: number
  #webhook: Webhook
  #isWanted: ReturnType<typeof filterFor>
  readonly #host: EndpointHost
  readonly #events: EndpointEvents
  readonly #outbox: Outbox
  readonly #closing = new AbortController()
  #isOpen = false
  #isBusy = false
  #stopWaiting: (() => void) | undefined
  /** Why the first one that waits was not delivered. */
  #lastFailure: string | null = null
  #untold = 0
  #toldMs = Number.NEGATIVE_INFINITY
  /** Until what is under way has its answer. */
  #rest = Promise.resolve()

  constructor(host: EndpointHost, key: string, index: number, webhook: Webhook, events: EndpointEvents) {
    this.#host = host
    this.#events = events
    this.#outbox = new Outbox(host, key)
    this.index = index
    this.#webhook = webhook
    this.#isWanted = filterFor(webhook)
  }

  get webhook(): Webhook {
    return this.#webhook
  }

  get view() {
    const { failed, dropped, nextAt } = this.#outbox.progress
    const isWaiting = this.#stopWaiting !== undefined
    return {
      webhook: this.index,
      url: targetOf(this.#webhook.url).shown,
      events: this.#webhook.events,
      services: this.#webhook.services ?? null,
      waiting: this.#outbox.size,
      failed,
      dropped,
      last_failure: this.#lastFailure,
      next_try: isWaiting ? new Date(nextAt).toISOString() : null,
      next_try_in_ms: isWaiting ? Math.max(0, nextAt - this.#host.clock.now()) : null,
    }
  }

  configure(index: number, webhook: Webhook): void {
    this.index = index
    this.#webhook = webhook
    this.#isWanted = filterFor(webhook)
  }

  wants(event: Pick<SysgEvent, 'type' | 'service'>): boolean {
    return this.#isWanted(event)
  }

  /** Put it on disk, and deliver it when its turn comes. */
  add(delivery: Delivery): void {
    this.#untold += this.#outbox.add(delivery, this.#isBusy)
    this.#tellDropped(false)
    this.#look()
  }

  /** Begin to deliver. */
  open(): void {
    this.#isOpen = true
    this.#look()
  }

  /** Send it now, beside what waits, and once. */
  test(delivery: Delivery, signal: AbortSignal): Promise<Answer> {
    return attempt(this.#host, this.#webhook, delivery, signal)
  }

  /** Resolves when nothing is under way; what is to be tried again later stays where it is. */
  async settled(): Promise<void> {
    while (this.#isBusy) await this.#rest
  }

  /** End what is under way: it will be sent again. */
  close(reason: Error): void {
    this.#isOpen = false
    this.#stopWaiting?.()
    this.#stopWaiting = undefined
    this.#tellDropped(true)
    this.#closing.abort(reason)
  }

  #look(): void {
    if (!this.#isOpen || this.#isBusy || this.#stopWaiting !== undefined) return
    const delivery = this.#outbox.first()
    if (delivery === undefined) return
    const { clock } = this.#host
    const leftMs = Math.min(this.#outbox.progress.nextAt - clock.now(), longestWaitMs)
    if (leftMs > 0) this.#wait(leftMs)
    else void this.#deliver(delivery)
  }

  /** By steady time, whatever becomes of the clock. */
  #wait(ms: number): void {
    this.#stopWaiting = this.#host.clock.timer(ms, () => {
      this.#stopWaiting = undefined
      const delivery = this.#isOpen && !this.#isBusy ? this.#outbox.first() : undefined
      if (delivery !== undefined) void this.#deliver(delivery)
    })
  }

  async #deliver(delivery: Delivery): Promise<void> {
    this.#isBusy = true
    const rest = Promise.withResolvers<void>()
    this.#rest = rest.promise
    const answer = await attempt(this.#host, this.#webhook, delivery, this.#closing.signal).catch(() => undefined)
    this.#isBusy = false
    if (answer !== undefined) this.#take(answer, delivery)
    // The next one may begin here, with a rest of its own.
    this.#look()
    rest.resolve()
  }

  #take(answer: Answer, delivery: Delivery): void {
    if (answer.kind === 'delivered') {
      this.#lastFailure = null
      this.#outbox.done('delivered')
      this.#tellDropped(true)
      return
    }
    const { reason } = answer
    this.#lastFailure = reason
    const attempts = this.#outbox.progress.failures + 1
    if (answer.kind === 'again' && attempts <= this.#webhook.retries) {
      const waitMs = waitBefore(attempts, this.#host.random(), answer.afterMs)
      this.#outbox.postpone(waitMs)
      if (this.#isOpen) this.#wait(waitMs)
      return
    }
    this.#outbox.done('failed')
    this.#events.failed(this, delivery, { attempts, reason })
  }

  #tellDropped(atOnce: boolean): void {
    const now = this.#host.clock.monotonic()
    if (this.#untold === 0 || (!atOnce && now - this.#toldMs < tellAgainMs)) return
    const count = this.#untold
    this.#untold = 0
    this.#toldMs = now
    this.#events.dropped(this, count)
  }
}
