/** Output of a command that belongs to a service, on its way into the logs beside the service's own. */
import type { Host } from './host.ts'
import type { Registries } from './registries.ts'

/** Of which command. `source` names its files: lower case, digits, `-` and `_`. */
export interface CommandLogOf {
  readonly service: string
  readonly source: string
}

/** Sends output to the plugin that keeps logs as it comes, in order. A failure is traced and costs nothing else. */
export class CommandLog {
  readonly #world: { readonly registries: Registries; readonly host: Pick<Host, 'trace'> }
  readonly #of: CommandLogOf
  readonly #streams = new Set<string>()
  #written: Promise<unknown> = Promise.resolve()
  #hasFailed = false

  constructor(world: { readonly registries: Registries; readonly host: Pick<Host, 'trace'> }, of: CommandLogOf) {
    this.#world = world
    this.#of = of
  }

  /** For `onOutput` of `Host.run`. */
  readonly write = (stream: string, bytes: Uint8Array): void => {
    this.#streams.add(stream)
    this.#written = Promise.all([this.#written, this.#append({ stream, bytes })])
  }

  /** Nothing more comes: resolves when everything is with the logs. */
  async end(): Promise<void> {
    for (const stream of this.#streams) await this.#append({ stream, end: true })
    await this.#written
  }

  async #append(piece: Readonly<Record<string, unknown>>): Promise<void> {
    const { registries, host } = this.#world
    try {
      await registries.methods.call('logs.append', { ...this.#of, ...piece })
    } catch (thrown) {
      if (this.#hasFailed) return
      this.#hasFailed = true
      const { service, source } = this.#of
      host.trace('warn', `The output of \`${source}\` of \`${service}\` is not in the logs`, { thrown })
    }
  }
}
