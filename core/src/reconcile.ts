/** The one decision of the reconciler: what a replica needs next. Pure. */
import type { ReplicaState } from './states.ts'

export interface ReplicaFacts {
  readonly state: ReplicaState
  /** The system, the service's intent and the number of replicas all want it. */
  readonly wanted: boolean
  /** Something of it lives: an active instance, a candidate, one on its way out. */
  readonly living: boolean
  /** A deploy is at work on it and decides what is launched. */
  readonly deploying: boolean
  /** It is known whether the service is started at boot, and it is; or a run was asked for. */
  readonly planned: boolean
  readonly gate: 'open' | 'waiting' | 'blocked'
  /** The wait before the next restart is over. */
  readonly retryDue: boolean
  /** Fewer services are starting than `max_concurrent_starts`. */
  readonly mayStart: boolean
}

export type Step = 'launch' | 'stop' | 'rest' | 'none'

/** What to do now; `none` also when something is under way. Called after every change, so it must be repeatable. */
export const nextStep = (facts: ReplicaFacts): Step => {
  if (!facts.wanted) {
    if (facts.living) return 'stop'
    return facts.state === 'backoff' ? 'rest' : 'none'
  }
  if (facts.living || facts.deploying) return 'none'
  const mayLaunch = facts.gate === 'open' && facts.mayStart
  if (facts.state === 'idle') return facts.planned && mayLaunch ? 'launch' : 'none'
  if (facts.state !== 'backoff') return 'none'
  if (facts.gate !== 'open') return 'rest'
  return facts.retryDue && mayLaunch ? 'launch' : 'none'
}
