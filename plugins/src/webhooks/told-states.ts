/**
 * Which states of services have been told. A supervisor that takes over tells the state of each service anew; for those who
 * listen from outside that is no news.
 */
import { eventOfState, whyOf, type DurableTable, type Host, type SysgEvent } from '@systemg/core'

const stateEvents: ReadonlySet<string> = new Set(Object.values(eventOfState))

export class ToldStates {
  readonly #host: Pick<Host, 'store' | 'trace'>
  readonly #table: DurableTable
  /** The latest of each service, by an earlier supervisor until this one knows better. */
  readonly #told = new Map<string, unknown>()
  /** Services whose state this supervisor has told. */
  readonly #known = new Set<string>()

  constructor(host: Pick<Host, 'store' | 'trace'>) {
    this.#host = host
    this.#table = host.store.table('webhook_states')
  }

  restore(): void {
    for (const [service, type] of this.#table.entries()) this.#told.set(service, type)
  }

  /** Whether an earlier supervisor has told just this. */
  isRepeated({ type, service }: Pick<SysgEvent, 'type' | 'service'>): boolean {
    if (service === undefined || !stateEvents.has(type)) return false
    const isFirst = !this.#known.has(service)
    const isSame = this.#told.get(service) === type
    this.#known.add(service)
    if (!isSame) {
      this.#told.set(service, type)
      this.#write(() => this.#table.set(service, type))
    }
    return isFirst && isSame
  }

  /** The system has ended: whatever comes next is news. */
  clear(): void {
    for (const service of this.#told.keys()) this.#write(() => this.#table.delete(service))
    this.#told.clear()
  }

  #write(write: () => void): void {
    const { store, trace } = this.#host
    try {
      store.transaction(write, { survives: 'crash' })
    } catch (thrown) {
      trace('debug', `what was told is not recorded: ${whyOf(thrown)}`)
    }
  }
}
