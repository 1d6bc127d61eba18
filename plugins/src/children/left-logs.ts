/** The log files of children that have ended: those of the newest are kept, so that they do not grow in number for ever. */
import { hostOf, whyOf, type DurableTable, type PluginApi } from '@systemg/core'

const mostKept = 100

export class LeftLogs {
  readonly #api: PluginApi
  /** Names of those that have ended, the oldest first, by the service they were started for. */
  readonly #table: DurableTable

  constructor(api: PluginApi) {
    this.#api = api
    this.#table = api.host.store.table('children')
  }

  /** It has ended, and may have written something. */
  add(service: string): void {
    const host = hostOf(service) ?? service
    const names = [...this.#namesOf(host).filter((name) => name !== service), service]
    const over = names.splice(0, Math.max(0, names.length - mostKept))
    this.#keep(host, names)
    for (const name of over) void this.#forget(name)
  }

  /** Somebody is called that again, and goes on with the files. */
  takeBack(service: string): void {
    const host = hostOf(service) ?? service
    const names = this.#namesOf(host)
    if (names.includes(service))
      this.#keep(
        host,
        names.filter((name) => name !== service),
      )
  }

  #namesOf(host: string): readonly string[] {
    const names = this.#table.get(host)
    return Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string') : []
  }

  /** A list that is a little out of date costs some files their end, and nobody a child. */
  #keep(host: string, names: readonly string[]): void {
    const { store, trace } = this.#api.host
    try {
      store.transaction(() => this.#table.set(host, names), { survives: 'crash' })
    } catch (thrown) {
      trace('warn', `Which children have ended can't be written down: ${whyOf(thrown)}`)
    }
  }

  async #forget(service: string): Promise<void> {
    const { registries, host } = this.#api
    try {
      await registries.methods.call('logs.forget', { service })
    } catch (thrown) {
      host.trace('warn', `The logs of ${service} are not removed: ${whyOf(thrown)}`)
    }
  }
}
