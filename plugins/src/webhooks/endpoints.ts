/** All endpoints of a config. One that stays over a change of the config keeps what it was still to be told. */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { maskedDeep, Secrets, whyOf, type Host, type SysgEvent } from '@systemg/core'
import { Endpoint, type EndpointEvents } from './endpoint.ts'
import type { Webhook } from './options.ts'
import { forgetOthers, remember } from './outbox.ts'
import { secretsOf } from './target.ts'

export class Endpoints {
  readonly #host: Host
  readonly #events: EndpointEvents
  #byKey: ReadonlyMap<string, Endpoint> = new Map()
  /** What must not be told of any of them. Secrets of services are in no event. */
  #secrets = new Secrets()
  #isOpen = false

  constructor(host: Host, events: EndpointEvents) {
    this.#host = host
    this.#events = events
  }

  get all(): readonly Endpoint[] {
    return [...this.#byKey.values()]
  }

  /** `undefined`: whoever runs knows of no config, and leaves alone what waits. */
  configure(webhooks: readonly Webhook[] | undefined): void {
    if (webhooks === undefined) return
    const before = this.#byKey
    this.#byKey = new Map(
      keysOf(webhooks).map((key, index) => {
        const webhook = webhooks[index] as Webhook
        const known = before.get(key)
        known?.configure(index, webhook)
        return [key, known ?? new Endpoint(this.#host, key, index, webhook, this.#events)]
      }),
    )
    for (const [key, endpoint] of before) {
      if (!this.#byKey.has(key)) endpoint.close(new Error('it is no longer in the config'))
    }
    this.#secrets = Secrets.of(webhooks.flatMap(secretsOf))
    this.#remember()
    if (this.#isOpen) this.open()
  }

  /** Tell those who want to know. */
  tell(event: SysgEvent): void {
    const interested = this.all.filter((endpoint) => endpoint.wants(event))
    if (interested.length === 0) return
    const body = JSON.stringify({ ...event, data: this.#secrets.hideIn(maskedDeep(event.data)) })
    for (const endpoint of interested) endpoint.add({ id: this.#host.token(), type: event.type, body })
  }

  open(): void {
    this.#isOpen = true
    for (const endpoint of this.all) endpoint.open()
  }

  async settled(): Promise<void> {
    await Promise.all(this.all.map((endpoint) => endpoint.settled()))
  }

  close(): void {
    this.#isOpen = false
    for (const endpoint of this.all) endpoint.close(new Error('the system ends'))
  }

  #remember(): void {
    const { trace } = this.#host
    try {
      const lost = forgetOthers(this.#host, new Set(this.#byKey.keys()))
      if (lost > 0) trace('warn', `${lost} events are not delivered: nobody is told of them any more`)
      for (const key of this.#byKey.keys()) remember(this.#host, key)
    } catch (thrown) {
      trace('warn', `Webhooks are not recorded: ${whyOf(thrown)}`)
    }
  }
}

/** An endpoint is known by its URL; of several with the same one, by which of them it is. */
const keysOf = (webhooks: readonly Webhook[]): readonly string[] => {
  const seen = new Map<string, number>()
  return webhooks.map(({ url }) => {
    const count = (seen.get(url) ?? 0) + 1
    seen.set(url, count)
    return `${bytesToHex(sha256(utf8ToBytes(url))).slice(0, 16)}${count === 1 ? '' : `-${count}`}`
  })
}
