/**
 * When an instance counts as ready: every gate that plugins put before it is open or, with no gate, it has lived for its
 * `startup_grace`.
 */
import type { Clock } from './host.ts'
import type { ReadyGate } from './hooks.ts'
import type { InstanceAt } from './instance-info.ts'
import { pause } from './wait.ts'

/** @throws what a gate says that will never open, or the reason of the signal. */
export const untilReady = async (gates: readonly ReadyGate[], at: InstanceAt, clock: Clock): Promise<void> => {
  if (gates.length === 0) await pause(clock, at.service.startup_grace, at.signal)
  else await Promise.all(gates.map((gate) => gate.open(at)))
}
