/**
 * The sockets of a system that are open, and until when.
 *
 *   bound before the first start ──► kept over crashes, backoff, restarts and stops of the service
 *                                    └─► closed when no config wants the address any more and no instance has it
 */
import type { Descriptor, Host, ListenOptions, TreeRef } from '@systemg/core'
import { bindFailure } from './failures.ts'
import type { SocketSpec } from './options.ts'

interface Holding {
  readonly socket: Promise<Descriptor>
  /** How it was made; anything else makes it anew, of the same socket. */
  readonly options: ListenOptions
}

/** Who wants sockets, for messages; and its running tree, if it has one. */
export interface Wanting {
  readonly service: string
  /** Its instances that run. */
  readonly trees: readonly TreeRef[]
}

export class Holdings {
  readonly #host: Host
  readonly #isWanted: (address: string) => boolean
  readonly #holdings = new Map<string, Holding>()
  /** Addresses that instances have inherited, by instance. */
  readonly #users = new Map<string, readonly string[]>()

  /** @param isWanted - Whether the present config has a socket of this address. */
  constructor(host: Host, isWanted: (address: string) => boolean) {
    this.#host = host
    this.#isWanted = isWanted
  }

  /** The open sockets, bound where they are not yet. @throws {SysgError} when one can't be. */
  async open(specs: readonly SocketSpec[], by: Wanting): Promise<readonly Descriptor[]> {
    return Promise.all(
      specs.map((spec) =>
        this.#open(spec).catch(async (thrown: unknown) => {
          throw await bindFailure(spec.listen, thrown, by, this.#host.processes)
        }),
      ),
    )
  }

  /** From here on the instance has these, until `forget`. */
  use(instance: string, specs: readonly SocketSpec[]): void {
    this.#users.set(
      instance,
      specs.map(({ listen }) => listen),
    )
  }

  /** Nothing of the instance lives. */
  forget(instance: string): void {
    if (this.#users.delete(instance)) this.sweep()
  }

  isUsed(address: string): boolean {
    return [...this.#users.values()].some((addresses) => addresses.includes(address))
  }

  /** Close what nobody wants and nobody has. */
  sweep(): void {
    for (const address of this.#holdings.keys())
      if (!this.#isWanted(address) && !this.isUsed(address)) void this.#close(address)
  }

  /** Close these, wanted or not; the next start binds them anew. Resolves when others may have them. */
  async release(addresses: readonly string[]): Promise<void> {
    await Promise.all(addresses.map((address) => this.#close(address)))
    await this.#host.sockets.settled()
  }

  /** Close all. */
  async close(): Promise<void> {
    await this.release([...this.#holdings.keys()])
  }

  /** What an earlier supervisor left open: kept where it is wanted, else closed. `known`: how sockets are made now. */
  async takeUp(known: readonly SocketSpec[]): Promise<void> {
    for (const address of this.#host.sockets.inherited()) {
      try {
        await this.#open(known.find(({ listen }) => listen === address) ?? { listen: address })
      } catch (thrown) {
        this.#host.trace('warn', `${address}, left by an earlier supervisor, can't be taken up`, { thrown })
      }
    }
    this.sweep()
  }

  #open({ listen: address, backlog, mode, name }: Partial<SocketSpec> & { listen: string }): Promise<Descriptor> {
    const options: ListenOptions = {
      ...(backlog === undefined ? {} : { backlog }),
      ...(mode === undefined ? {} : { mode }),
      ...(name === undefined || name === 'unknown' ? {} : { name }),
    }
    const known = this.#holdings.get(address)
    if (known !== undefined && JSON.stringify(known.options) === JSON.stringify(options)) return known.socket
    const socket = this.#host.sockets.listen(address, options)
    const holding = { socket, options }
    this.#holdings.set(address, holding)
    socket.then(
      () => known?.socket.then((before) => before.close()).catch(() => undefined),
      () => {
        if (this.#holdings.get(address) !== holding) return
        if (known === undefined) this.#holdings.delete(address)
        else this.#holdings.set(address, known)
      },
    )
    return socket
  }

  async #close(address: string): Promise<void> {
    const holding = this.#holdings.get(address)
    this.#holdings.delete(address)
    const socket = await holding?.socket.catch(() => undefined)
    socket?.close()
  }
}
