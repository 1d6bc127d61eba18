/**
 * `rolling`: the new instance beside the old one.
 *
 *   candidate ─► ready ─► switch_command ─► switch_verify ─► (promoted) ─► grace_period ─► retire
 *                              │                 │                              │
 *                              └──── fails ──────┴───────── crashes ────────────┘
 *                             switch_command with the old slot, grace_period, then the candidate goes
 */
import { pause, type Clock, type Replacement, type ResolvedService, type Strategy, type Undoing } from '@systemg/core'
import { deploymentOf, graceOf } from './deployment.ts'
import { nextSlot, slotOf, type Slots } from './slots.ts'
import type { Switch } from './switch.ts'

export interface RollingWorld {
  readonly clock: Clock
  readonly slots: Slots
  readonly users: Switch
  /** The service is being stopped: nobody is to be served any more. */
  readonly isStopping: (service: string) => boolean
  /** Its process lives, and nobody has asked it to stop. */
  readonly isRunning: (service: string, instance: string) => boolean
}

/** Beyond the command's own limit, to end it. */
const undoReserveMs = 15_000

/** Made for one deploy of one service; slots mean one replica. */
export const rolling = (world: RollingWorld, service: ResolvedService): Strategy => {
  const { blue_green: blueGreen } = deploymentOf(service)
  const graceMs = graceOf(service)
  /** Where users are led from and to; undefined without slots. */
  let way: { readonly from: string | undefined; readonly to: string; readonly release: () => void } | undefined
  let hasSwitched = false
  return {
    name: 'rolling',
    undoLimitMs: (blueGreen?.switch_timeout ?? 0) + graceMs + undoReserveMs,
    async run(replacement) {
      hasSwitched = false
      await world.users.endRepair(service.name)
      way = planWay(world.slots, service, replacement)
      await replacement.step('candidate', () => replacement.launch())
      await replacement.step('ready', () => replacement.ready())
      if (way !== undefined && blueGreen?.switch_command !== undefined) {
        hasSwitched = true
        await leadUsers(world.users, service, replacement, way.to)
      }
      replacement.promote()
      if (way !== undefined) world.slots.write(service.name, { active: way.to, isSwitching: false })
      await replacement.step('grace_period', () => replacement.pause(graceMs))
      await replacement.step('retire', () => replacement.retire())
      way?.release()
    },
    async undo(undoing) {
      if (way === undefined) return
      try {
        await leadBack(world, service, undoing, { ...way, hasSwitched, graceMs })
      } finally {
        way.release()
      }
    },
  }
}

const planWay = (slots: Slots, service: ResolvedService, { active }: Replacement) => {
  const names = deploymentOf(service).blue_green?.slots
  if (names === undefined) return undefined
  const { active: recorded, isSwitching } = slots.read(service.name)
  const from = slotOf(active, service) ?? recorded
  if (from !== recorded) slots.write(service.name, { active: from, isSwitching })
  const to = nextSlot(names, from)
  return { from, to, release: slots.assign(service.name, to) }
}

/** The candidate may die meanwhile: then nobody is to be led to it. */
const leadUsers = async (
  users: Switch,
  service: ResolvedService,
  replacement: Replacement,
  to: string,
): Promise<void> => {
  const { signal } = replacement
  await replacement.step('switch_command', async () => {
    await users.to(service, to, signal)
    await replacement.pause(0)
  })
  if (deploymentOf(service).blue_green?.switch_verify === undefined) return
  await replacement.step('switch_verify', async () => {
    await users.verify(service, to, signal)
    await replacement.pause(0)
  })
}

interface SwitchToUndo {
  readonly from: string | undefined
  readonly to: string
  readonly hasSwitched: boolean
  readonly graceMs: number
}

/** Lead users to where something serves, or will: nobody else knows the way back. */
const leadBack = async (
  { clock, slots, users, isStopping, isRunning }: RollingWorld,
  service: ResolvedService,
  { active, launched, signal }: Undoing,
  { from, to, hasSwitched, graceMs }: SwitchToUndo,
): Promise<void> => {
  const serving = active === undefined ? from : (slotOf(active, service) ?? from)
  // When the new instance is what is left, users have been led to it.
  const isAstray = hasSwitched && serving !== to
  const { isSwitching } = slots.read(service.name)
  slots.write(service.name, { active: serving, isSwitching: isSwitching || isAstray })
  if (!isAstray) return
  if (serving === undefined) throw new Error('it is not known in which slot the old instance is')
  await users.to(service, serving, signal)
  slots.write(service.name, { active: serving, isSwitching: false })
  // A proxy that reloads goes on for a moment with those it has: the new instance must not go before.
  const mayBeAsked = launched !== undefined && isRunning(service.name, launched.id)
  if (mayBeAsked && !isStopping(service.name)) await pause(clock, graceMs, signal).catch(() => undefined)
}
