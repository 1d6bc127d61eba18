/** Leads users from one slot to another with `switch_command`, and back; also after a supervisor that died in between. */
import {
  orAborted,
  pause,
  whyOf,
  type InstanceAt,
  type InstanceView,
  type PluginApi,
  type ResolvedService,
  type SysgEvent,
} from '@systemg/core'
import type { Commands } from './commands.ts'
import { deploymentOf, graceOf } from './deployment.ts'
import type { Slots } from './slots.ts'

interface Repair {
  /** What serves. */
  readonly instance: string
  readonly controller: AbortController
  /** Never rejects. */
  readonly ended: Promise<void>
}

export class Switch {
  readonly #api: PluginApi
  readonly #commands: Commands
  readonly #slots: Slots
  /** Services whose users are being led to what serves, outside of a deploy. */
  readonly #repairs = new Map<string, Repair>()
  /** Instances in a slot: of all others it need not be asked what serves. */
  readonly #inSlots = new Set<string>()

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
  readonly onEvent = ({ type, service: name, instance, data }: SysgEvent): void => {
    if (name === undefined) return
    if (instance !== undefined) this.#noteSlot(type, instance, data)
    const repair = this.#repairs.get(name)
    const isOver = type === 'service.stopping' || (type === 'service.exited' && instance === repair?.instance)
    if (isOver) repair?.controller.abort(new Error('it stops'))
    if (type !== 'instance.ready' || instance === undefined || !this.#inSlots.has(instance)) return
    if (this.#slots.isDeploying(name)) return
    const service = this.#api.system.config.services[name]
    const active = this.#instancesOf(name).find(({ id, role }) => id === instance && role === 'active')
    if (service === undefined || active === undefined || active.slot === null) return
    const { slot } = active
    const record = this.#slots.read(name)
    if (record.active === slot && !record.isSwitching) return
    this.#slots.write(name, { active: slot, isSwitching: true })
    this.#repair(service, active.id, slot)
  }

  /** What users may be led to does not go before they have been led elsewhere. */
  readonly beforeStop = async ({ service, instance, signal }: InstanceAt): Promise<void> => {
    const repair = this.#repairs.get(service.name)
    if (repair === undefined || instance.role === 'active') return
    await orAborted(repair.ended, signal).catch(() => undefined)
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

  #noteSlot(type: string, instance: string, data: SysgEvent['data']): void {
    const hasBegun = type === 'instance.started' || type === 'instance.adopted'
    if (hasBegun && typeof data['slot'] === 'string') this.#inSlots.add(instance)
    if (type === 'instance.ended') this.#inSlots.delete(instance)
  }

  #repair(service: ResolvedService, instance: string, slot: string): void {
    const { name } = service
    const before = this.endRepair(name)
    const controller = new AbortController()
    const ended = before
      .then(() => this.#lead(service, slot, controller.signal))
      .finally(() => {
        if (this.#repairs.get(name) === repair) this.#repairs.delete(name)
      })
    const repair: Repair = { instance, controller, ended }
    this.#repairs.set(name, repair)
  }

  /** Never rejects. */
  async #lead(service: ResolvedService, slot: string, signal: AbortSignal): Promise<void> {
    const { name } = service
    try {
      await this.to(service, slot, signal)
      this.#slots.write(name, { active: slot, isSwitching: false })
      if (deploymentOf(service).blue_green?.switch_command === undefined) return
      this.#api.system.emit('deploy.switch_repeated', { service: name }, { slot })
      await this.#giveProxyTime(service, signal)
    } catch (thrown) {
      if (signal.aborted) return
      const reason = whyOf(thrown)
      this.#api.host.trace('error', `\`switch_command\` of \`${name}\` failed for slot ${slot}: ${reason}`)
      this.#api.system.emit('deploy.switch_failed', { service: name }, { slot, reason })
    }
  }

  /** A proxy that reloads goes on for a moment with those it has; what is left of a deploy stays that long. */
  async #giveProxyTime(service: ResolvedService, signal: AbortSignal): Promise<void> {
    if (this.#instancesOf(service.name).every(({ role }) => role === 'active')) return
    await pause(this.#api.host.clock, graceOf(service), signal)
  }

  #instancesOf(service: string): readonly InstanceView[] {
    return this.#api.system.view([service])[0]?.instances ?? []
  }
}
