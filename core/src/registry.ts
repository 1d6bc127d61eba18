/** Names that plugins give to things others look up: probes, sinks, control methods, commands. */
import { SysgError } from './errors.ts'

export class Registry<T> {
  readonly #entries = new Map<string, { value: T; plugin: string }>()
  readonly #kind: string

  /** @param kind - What is registered, for messages: `probe`, `control method`. */
  constructor(kind: string) {
    this.#kind = kind
  }

  /** @throws {SysgError} `SYSG_REGISTRY_TAKEN` when another plugin has the name. */
  register(name: string, value: T, plugin: string): void {
    const taken = this.#entries.get(name)
    if (taken !== undefined) {
      throw new SysgError('SYSG_REGISTRY_TAKEN', { kind: this.#kind, name, plugin, other: taken.plugin })
    }
    this.#entries.set(name, { value, plugin })
  }

  get(name: string): T | undefined {
    return this.#entries.get(name)?.value
  }

  /** Every entry with the plugin that brought it, in order of registration. */
  list(): readonly { readonly name: string; readonly plugin: string; readonly value: T }[] {
    return [...this.#entries].map(([name, entry]) => ({ name, ...entry }))
  }
}
