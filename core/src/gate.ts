/** Whether a service's dependencies let it start, and which one does not. Pure over what is seen of them. */
import type { Condition } from './config/types.ts'
import type { ServiceState } from './states.ts'

export interface Gate {
  /** `waiting`: on its way; `blocked`: failed or down. */
  readonly state: 'open' | 'waiting' | 'blocked'
  /** The dependencies that hold it, worst first. */
  readonly by?: readonly string[]
}

/** What a gate looks at in a dependency. */
export interface DependencyFacts {
  readonly name: string
  readonly condition: Condition
  readonly state: ServiceState
  readonly isUp: boolean
  /** It has a process now. */
  readonly hasProcess: boolean
  /** One of its wanted replicas has failed or is in backoff, whatever the others do. */
  readonly isIncomplete: boolean
}

const down: readonly ServiceState[] = ['blocked', 'failed', 'backoff', 'stopped', 'unhealthy']

const isSatisfied = ({ condition, state, isUp, hasProcess }: DependencyFacts): boolean => {
  if (state === 'skipped' || state === 'completed') return true
  if (condition === 'completed') return false
  if (condition === 'started') return hasProcess && state !== 'stopping'
  return isUp && state === 'running'
}

/** Nobody knows when it will be what is waited for. */
const isBroken = ({ condition, state, isIncomplete }: DependencyFacts): boolean => {
  if (state === 'starting') return condition === 'ready' && isIncomplete
  return down.includes(state) && !(condition === 'completed' && state === 'unhealthy')
}

/** The gate over all dependencies. */
export const gateOf = (dependencies: readonly DependencyFacts[]): Gate => {
  const closed = dependencies.filter((dependency) => !isSatisfied(dependency))
  if (closed.length === 0) return { state: 'open' }
  const broken = closed.filter(isBroken)
  return broken.length > 0
    ? { state: 'blocked', by: broken.map(({ name }) => name) }
    : { state: 'waiting', by: closed.map(({ name }) => name) }
}
