/** Numbers events and sends them to everyone who listens. */
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Host } from './host.ts'
import type { Hooks } from './hooks.ts'
import type { Secrets } from './secrets.ts'

export interface EventSubject {
  readonly service?: string | undefined
  readonly instance?: string | undefined
  readonly cause?: number | undefined
}

export class EventStream {
  /** The number of the newest event. */
  seq = 0
  readonly #project: string
  readonly #host: Host
  readonly #hooks: Hooks
  readonly #secrets: Secrets

  /** @param secrets - Are in no event. */
  constructor(project: string, host: Host, hooks: Hooks, secrets: Secrets) {
    this.#project = project
    this.#host = host
    this.#hooks = hooks
    this.#secrets = secrets
  }

  emit<T extends EventType>(type: T, of: EventSubject, data: EventData[T]): SysgEvent {
    this.seq += 1
    const event: SysgEvent = {
      seq: this.seq,
      time: new Date(this.#host.clock.now()).toISOString(),
      project: this.#project,
      ...(of.service === undefined ? {} : { service: of.service }),
      ...(of.instance === undefined ? {} : { instance: of.instance }),
      type,
      ...(of.cause === undefined ? {} : { cause: of.cause }),
      data: this.#secrets.hideIn<Readonly<Record<string, unknown>>>({ ...data }),
    }
    this.#hooks.event.call(event)
    return event
  }
}
