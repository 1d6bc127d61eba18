/** Runs a scheduled or one-shot service once, now. */
import type { Exit } from '../host.ts'
import type { OperationWorld } from './operation-world.ts'
import { findService, requireOpen } from './services.ts'

export const run = async (world: OperationWorld, name: string): Promise<Exit | undefined> => {
  requireOpen(world)
  const { reconciler } = world
  const service = findService(world, name)
  const replica = service.replica(0)
  if (replica.isAtRest) replica.rearm()
  replica.isRunAsked = true
  reconciler.wake([service])
  const hasRun = () => !replica.isRunAsked
  const isHopeless = () => service.gate.state === 'blocked' || reconciler.roster.isShuttingDown
  await reconciler.until(() => hasRun() || isHopeless())
  if (hasRun()) return replica.last?.exit
  replica.isRunAsked = false
  return undefined
}
