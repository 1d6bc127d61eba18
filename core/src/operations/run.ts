/** Runs a scheduled or one-shot service once, now. */
import { SysgError } from '../errors.ts'
import { describeEnd, explain, type EndedFacts } from '../explain.ts'
import type { Service } from '../service.ts'
import type { RunOptions } from '../system-api.ts'
import type { OperationWorld } from './operation-world.ts'
import { findService, requireOpen } from './services.ts'

/** What came of asking for a run. Neither: it was called off before it began. */
export interface RunEnd {
  readonly ended?: EndedFacts
  /** Why there was none: what it needs is down. */
  readonly refused?: SysgError
}

/** Resolves when the run has ended. One that is under way is joined. @throws the signal's reason; the run goes on. */
export const run = async (
  world: OperationWorld,
  name: string,
  { isPatient = false, onlyWanted = false, signal }: RunOptions = {},
): Promise<RunEnd> => {
  requireOpen(world)
  const { reconciler } = world
  const service = findService(world, name)
  if (onlyWanted && !service.isIntended) return {}
  const replica = service.replica(0)
  if (replica.isAtRest) replica.rearm()
  const asked = (replica.askedRun ??= { isPatient, before: replica.last })
  asked.isPatient ||= isPatient
  reconciler.wake([service])
  const isOver = () => replica.askedRun !== asked
  const isRefused = () =>
    replica.living.size === 0 && (isHopeless() || (!isPatient && service.gate.state === 'blocked'))
  const isHopeless = () =>
    service.isRemoved ||
    service.planError !== undefined ||
    service.wantedReplicas === 0 ||
    reconciler.roster.isShuttingDown
  await reconciler.until(() => isOver() || isRefused(), signal)
  if (isOver()) return replica.last === undefined || replica.last === asked.before ? {} : { ended: replica.last }
  const reason = explain(service, 'blocked', (other) => reconciler.roster.services.get(other)) ?? ''
  // A schedule may go on waiting for what it needs.
  if (isHopeless() || !asked.isPatient) replica.askedRun = undefined
  reconciler.wake([service])
  return isHopeless() ? {} : { refused: new SysgError('SYSG_START_BLOCKED', { service: name, reason }) }
}

/** Run these for a person, who is told what failed. By service, as errors. */
export const runByHand = async (
  world: OperationWorld,
  services: readonly Service[],
  options: Pick<RunOptions, 'signal'>,
): Promise<ReadonlyMap<string, SysgError>> => {
  const errors = await Promise.all(
    services.map(async ({ name, config }) => {
      const { ended, refused } = await run(world, name, options)
      const error = refused ?? (ended === undefined ? undefined : failureOf(name, ended, config.success_exit_codes))
      return error === undefined ? [] : [[name, error] as const]
    }),
  )
  return new Map(errors.flat())
}

const failureOf = (service: string, ended: EndedFacts, successCodes: readonly number[]): SysgError | undefined => {
  const { failure, stopRequest, exit, lastLines } = ended
  if (failure !== undefined && failure.code !== 'SYSG_START_FAILED') return failure
  // Who stops it knows.
  if (stopRequest?.why === 'person' || stopRequest?.why === 'shutdown') return undefined
  const isSuccess = failure === undefined && stopRequest === undefined && successCodes.includes(exit?.code ?? -1)
  if (isSuccess) return undefined
  const reason = stopRequest?.detail ?? describeEnd(ended)
  return new SysgError('SYSG_RUN_FAILED', { service, reason }, { lastLines })
}
