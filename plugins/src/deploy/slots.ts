/** Which slot of a service serves, over deploys, restarts and the supervisor's death. */
import type { DurableTable, InstanceInfo, ResolvedService } from '@systemg/core'
import { deploymentOf } from './deployment.ts'
import type { Places } from './placeholders.ts'

export interface SlotRecord {
  /** Where what serves is, or was last; `undefined` when nobody knows. */
  readonly active: string | undefined
  /** `switch_command` has been begun and it is not known to have led to `active`. */
  readonly isSwitching: boolean
}

export class Slots {
  readonly #table: DurableTable
  /** Slots given to what a running deploy launches, by service. */
  readonly #candidates = new Map<string, string>()

  constructor(table: DurableTable) {
    this.#table = table
  }

  read(service: string): SlotRecord {
    const value = this.#table.get(service)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return unknown
    const { active, switching } = value as Readonly<Record<string, unknown>>
    return { active: typeof active === 'string' ? active : undefined, isSwitching: switching === true }
  }

  /** On disk when it returns. */
  write(service: string, { active, isSwitching }: SlotRecord): void {
    const before = this.read(service)
    if (before.active === active && before.isSwitching === isSwitching) return
    this.#table.set(service, { active: active ?? null, switching: isSwitching })
  }

  /** What a deploy launches from now on gets `slot`. Returns how to end that. */
  assign(service: string, slot: string): () => void {
    this.#candidates.set(service, slot)
    return () => void this.#candidates.delete(service)
  }

  isDeploying(service: string): boolean {
    return this.#candidates.has(service)
  }

  /** The slot of an instance that is about to start. */
  slotFor(service: ResolvedService, { start }: Pick<InstanceInfo, 'start'>): string | undefined {
    const { name } = service
    const { slots, switch_command: switchCommand } = deploymentOf(service).blue_green ?? {}
    if (slots === undefined) return undefined
    const assigned = start === 'deploy' ? this.#candidates.get(name) : undefined
    if (assigned !== undefined) return assigned
    const { active, isSwitching } = this.read(name)
    if (active !== undefined && slots.includes(active)) return active
    const [first] = slots
    // Whoever leads users there still leads them to a slot that is gone.
    const isMoved = active !== undefined && switchCommand !== undefined
    this.write(name, { active: first, isSwitching: isSwitching || isMoved })
    return first
  }

  /** The slot that a deploy would use next. */
  next(service: ResolvedService): string | undefined {
    const slots = deploymentOf(service).blue_green?.slots
    return slots === undefined ? undefined : nextSlot(slots, this.read(service.name).active)
  }

  /** What the names in commands stand for, for an instance in `slot`. */
  places(service: ResolvedService, slot: string | undefined): Places {
    const { name } = service
    const slots = deploymentOf(service).blue_green?.slots
    if (slots === undefined) return { service: name }
    const { active } = this.read(name)
    const candidate = slot !== undefined && slot !== active ? slot : nextSlot(slots, active)
    return { service: name, slot, active_slot: active, candidate_slot: candidate }
  }
}

const unknown: SlotRecord = { active: undefined, isSwitching: false }

/** The slot behind `slot`, around; the first when it is none of them. */
export const nextSlot = (slots: readonly string[], slot: string | undefined): string =>
  slots[(slot === undefined ? 0 : slots.indexOf(slot) + 1) % slots.length] ?? ''

/** Variables that say what `places` say. */
export const slotVariables = (service: ResolvedService, places: Places): Readonly<Record<string, string>> => {
  const { slot, active_slot: active, candidate_slot: candidate } = places
  const { env_var: variable, slots } = deploymentOf(service).blue_green ?? {}
  if (slots === undefined || variable === undefined || slot === undefined) return {}
  return {
    [variable]: slot,
    SYSG_SLOT: slot,
    SYSG_ACTIVE_SLOT: active ?? slot,
    SYSG_CANDIDATE_SLOT: candidate ?? slot,
  }
}

/** Where an instance is: its slot, or what its variable says when slots came later. */
export const slotOf = (instance: InstanceInfo | undefined, service: ResolvedService): string | undefined => {
  const { env_var: variable = '', slots = [] } = deploymentOf(service).blue_green ?? {}
  const said = instance?.launch?.env[variable]
  return instance?.slot ?? (said !== undefined && slots.includes(said) ? said : undefined)
}
