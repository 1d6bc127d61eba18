/**
 * Keeps metrics served where the config says. An address that cannot be had is told once, and tried again: the system goes
 * on without.
 */
import { whyOf, type Host, type PluginApi } from '@systemg/core'
import { contentType } from './exposition.ts'
import { addressOf } from './settings.ts'
import type { OpenServer, ServeMetrics } from './port.ts'

const retryMs = 30_000

export interface ListenerWorld {
  readonly host: Pick<Host, 'clock' | 'trace' | 'processes'>
  readonly emit: PluginApi['system']['emit']
  readonly text: (signal: AbortSignal) => Promise<string>
  /** Loaded when it is needed. */
  readonly serve: () => Promise<ServeMetrics>
}

export class Listener {
  readonly #world: ListenerWorld
  /** As the config has it. */
  #address: string | undefined
  #server: OpenServer | undefined
  /** What is done is done one after the other. */
  #work: Promise<void> = Promise.resolve()
  #cancelRetry: (() => void) | undefined
  #isTold = false
  /** Why nothing is served there. */
  #problem: string | undefined
  /** Several who ask at once get one answer. */
  #answering: Promise<string> | undefined

  constructor(world: ListenerWorld) {
    this.#world = world
  }

  follow(address: string | undefined): void {
    if (address === this.#address) return
    this.#address = address
    this.#isTold = false
    this.#cancelRetry?.()
    this.#work = this.#work.then(() => this.#move())
  }

  /** What a person should know, once it is known: nothing is served there, why, and what to do. */
  async warning(): Promise<string | undefined> {
    await this.#work
    if (this.#problem === undefined || this.#address === undefined) return undefined
    return `Metrics are not served at ${this.#address}: ${this.#problem}. Free it, or give \`metrics.listen\` another address; it is tried again every ${retryMs / 1_000} s.`
  }

  async close(): Promise<void> {
    this.follow(undefined)
    await this.#work
  }

  async #move(): Promise<void> {
    await this.#server?.close()
    this.#server = undefined
    await this.#open()
  }

  async #open(): Promise<void> {
    const address = this.#address
    this.#problem = undefined
    const at = address === undefined ? undefined : addressOf(address)
    if (address === undefined || at === undefined) return
    const { host, emit, serve } = this.#world
    try {
      const open = await serve()
      this.#server = await open(at, async () => ({ type: contentType, body: await this.#answer() }))
      host.trace('info', `metrics are served at http://${address}/metrics`)
    } catch (thrown) {
      const reason = await this.#reasonOf(thrown, at.port)
      this.#problem = reason
      if (!this.#isTold) {
        this.#isTold = true
        // Who starts a system is told by the warning, others by the event.
        host.trace(
          'info',
          `metrics can't be served at ${address}: ${reason}; it is tried again every ${retryMs / 1_000} s`,
        )
        emit('metrics.listen_failed', {}, { address, reason })
      }
      this.#cancelRetry = host.clock.timer(retryMs, () => {
        if (this.#address === address) this.#work = this.#work.then(() => this.#open())
      })
    }
  }

  #answer(): Promise<string> {
    this.#answering ??= this.#world.text(new AbortController().signal).finally(() => (this.#answering = undefined))
    return this.#answering
  }

  async #reasonOf(thrown: unknown, port: number): Promise<string> {
    const code = (thrown as { code?: unknown }).code
    if (code !== 'EADDRINUSE') return whyOf(thrown)
    const holders = (await this.#world.host.processes.listening(port).catch(() => undefined)) ?? []
    const [holder] = holders
    return holder === undefined ? 'the port is taken' : `the port is taken by pid ${holder.pid} (${holder.command})`
  }
}
