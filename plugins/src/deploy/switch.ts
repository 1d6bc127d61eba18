/** Leads users from one slot to another with `switch_command`, and back; also after a supervisor that died in between. */
import { whyOf, type PluginApi, type ResolvedService, type SysgEvent } from '@systemg/core'
import type { Commands } from './commands.ts'
import { deploymentOf } from './options.ts'
import type { Slots } from './slots.ts'

export class Switch {
  readonly #api: PluginApi
  readonly #commands: Commands
  readonly #slots: Slots
  /** Services whose users are being led to what serves, outside of a deploy. */
  readonly #repairs = new Map<string, { readonly controller: AbortController; readonly ended: Promise<void> }>()

  constructor(api: PluginApi, commands: Commands, slots: Slots) {
    this.#api = api
    this.#commands = commands
    this.#slots = slots
  }

  /** Run `switch_command` for a slot. Until somebody writes otherwise, nobody knows where it leads. */
  async to(service: ResolvedService, slot: string, signal: AbortSignal): Promise<void> {
    const { switch_command: command, switch_timeout: limitMs = 0 } = deploymentOf(service).blue_green ?? {}
    if (command === undefined) return
    const { active } = this.#slots.read(service.name)
    this.#slots.write(service.name, { active, isSwitching: true })
    const places = this.#slots.places(service, slot)
    await this.#commands.run({ name: 'switch_command', service, command, places, limitMs, signal })
  }

  async verify(service: ResolvedService, slot: string, signal: AbortSignal): Promise<void> {
    const { switch_verify: command, switch_timeout: limitMs = 0 } = deploymentOf(service).blue_green ?? {}
    if (command === undefined) return
    const places = this.#slots.places(service, slot)
    await this.#commands.run({ name: 'switch_verify', service, command, places, limitMs, signal })
  }

  /** What serves has become known: when users may be led elsewhere, lead them there. */
  readonly onEvent = ({ type, service: name, instance }: SysgEvent): void => {
    if (name === undefined) return
    if (type === 'instance.stopping') this.#repairs.get(name)?.controller.abort(new Error('it stops'))
    if (type !== 'instance.ready' || this.#slots.isDeploying(name)) return
    const { system } = this.#api
    const service = system.config.services[name]
    const view = system.view().find((one) => one.name === name)
    const slot = view?.instances.find(({ id, role }) => id === instance && role === 'active')?.slot
    if (service === undefined || slot === null || slot === undefined) return
    const record = this.#slots.read(name)
    if (record.active === slot && !record.isSwitching) return
    this.#slots.write(name, { active: slot, isSwitching: true })
    void this.#repair(service, slot)
  }

  /** A deploy leads users itself. */
  async endRepair(service: string): Promise<void> {
    const repair = this.#repairs.get(service)
    repair?.controller.abort(new Error('a deploy begins'))
    await repair?.ended
  }

  async close(): Promise<void> {
    await Promise.all([...this.#repairs.keys()].map((service) => this.endRepair(service)))
  }

  async #repair(service: ResolvedService, slot: string): Promise<void> {
    const { name } = service
    await this.endRepair(name)
    const controller = new AbortController()
    const ended = this.#lead(service, slot, controller.signal).finally(() => this.#repairs.delete(name))
    this.#repairs.set(name, { controller, ended })
  }

  /** Never rejects. */
  async #lead(service: ResolvedService, slot: string, signal: AbortSignal): Promise<void> {
    const { name } = service
    try {
      await this.to(service, slot, signal)
      this.#slots.write(name, { active: slot, isSwitching: false })
      if (deploymentOf(service).blue_green?.switch_command === undefined) return
      this.#api.system.emit('deploy.switch_repeated', { service: name }, { slot })
    } catch (thrown) {
      if (signal.aborted) return
      const reason = whyOf(thrown)
      this.#api.host.trace('error', `\`switch_command\` of \`${name}\` failed for slot ${slot}: ${reason}`)
      this.#api.system.emit('deploy.switch_failed', { service: name }, { slot, reason })
    }
  }
}
