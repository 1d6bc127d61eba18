/**
 * The states of systemg, as data: one table of moves for an instance, one for a replica, and the pure function
 * that makes of them the state of a service that people see. Any move not in a table is a bug and throws.
 *
 *   instance   starting ──ready──► ready ◄──healthy── unhealthy
 *                  │                 │ ──unhealthy──►    │
 *                  └────────stop─────┴───────stop────────┴──► stopping ──end──► ended   (end: from anywhere)
 *
 *   replica    idle ──launch──► live ──retry──► backoff ──launch──► live
 *                ▲                │ ──giveUp──► failed                   (rearm: back to idle)
 *                └──rest── live   │ ──complete─► completed
 */
import { SysgError } from './errors.ts'

export const instanceMoves = {
  starting: { ready: 'ready', stop: 'stopping', end: 'ended' },
  ready: { unhealthy: 'unhealthy', stop: 'stopping', end: 'ended' },
  unhealthy: { healthy: 'ready', stop: 'stopping', end: 'ended' },
  stopping: { end: 'ended' },
  ended: {},
} as const

export type InstanceState = keyof typeof instanceMoves
export type InstanceCue = 'ready' | 'unhealthy' | 'healthy' | 'stop' | 'end'

export const replicaMoves = {
  idle: { launch: 'live' },
  live: { retry: 'backoff', giveUp: 'failed', complete: 'completed', rest: 'idle' },
  backoff: { launch: 'live', rest: 'idle' },
  failed: { rearm: 'idle' },
  completed: { rearm: 'idle' },
} as const

export type ReplicaState = keyof typeof replicaMoves
export type ReplicaCue = 'launch' | 'retry' | 'giveUp' | 'complete' | 'rest' | 'rearm'

type Table<S extends string, C extends string> = Readonly<Record<S, Readonly<Partial<Record<C, S>>>>>

/** Told of every move made, for histograms of what a test reached. */
export type OnMove = (table: 'instance' | 'replica', from: string, cue: string) => void

const mover =
  <S extends string, C extends string>(name: 'instance' | 'replica', table: Table<S, C>) =>
  (from: S, cue: C, onMove?: OnMove): S => {
    const to = table[from][cue]
    if (to === undefined) throw new SysgError('SYSG_INTERNAL_TRANSITION', { table: name, from, cue })
    onMove?.(name, from, cue)
    return to
  }

/** The state after `cue`. @throws {SysgError} `SYSG_INTERNAL_TRANSITION` when the table has no such move. */
export const moveInstance = mover<InstanceState, InstanceCue>('instance', instanceMoves)
/** The state after `cue`. @throws {SysgError} `SYSG_INTERNAL_TRANSITION` when the table has no such move. */
export const moveReplica = mover<ReplicaState, ReplicaCue>('replica', replicaMoves)

/** The states of a service that people see. */
export type ServiceState =
  | 'waiting'
  | 'blocked'
  | 'starting'
  | 'running'
  | 'unhealthy'
  | 'stopping'
  | 'stopped'
  | 'completed'
  | 'backoff'
  | 'failed'
  | 'scheduled'
  | 'skipped'

/** What `serviceState` looks at. */
export interface ServiceFacts {
  readonly wanted: boolean
  readonly skipped: boolean
  readonly scheduled: boolean
  /** Closed gates say whether the dependency is on its way (`waiting`) or down (`blocked`). */
  readonly gate: 'open' | 'waiting' | 'blocked'
  /** All wanted replicas have been ready at once, and since then at least one always was. */
  readonly up: boolean
  readonly replicas: readonly {
    readonly state: ReplicaState
    /** States of its living instances that serve or are to serve; candidates of a deploy left out. */
    readonly instances: readonly InstanceState[]
  }[]
}

const has = (facts: ServiceFacts, ...states: readonly InstanceState[]) =>
  facts.replicas.some(({ instances }) => instances.some((state) => states.includes(state)))
const any = (facts: ServiceFacts, state: ReplicaState) => facts.replicas.some((replica) => replica.state === state)
const every = (facts: ServiceFacts, state: ReplicaState) =>
  facts.replicas.length > 0 && facts.replicas.every((replica) => replica.state === state)

/** The state people see. Pure: the same facts always give the same answer. */
export const serviceState = (facts: ServiceFacts): ServiceState => {
  if (!facts.wanted) {
    if (has(facts, 'starting', 'ready', 'unhealthy', 'stopping')) return 'stopping'
    if (facts.skipped) return 'skipped'
    if (every(facts, 'completed')) return 'completed'
    return every(facts, 'failed') ? 'failed' : 'stopped'
  }
  if (facts.up && has(facts, 'ready')) return 'running'
  if (has(facts, 'unhealthy')) return 'unhealthy'
  if (has(facts, 'starting', 'ready')) return 'starting'
  if (has(facts, 'stopping')) return 'stopping'
  if (any(facts, 'backoff')) return facts.gate === 'blocked' ? 'blocked' : 'backoff'
  if (any(facts, 'failed')) return 'failed'
  if (every(facts, 'completed')) return 'completed'
  if (facts.skipped) return 'skipped'
  if (facts.scheduled) return 'scheduled'
  if (facts.replicas.length === 0) return 'stopped'
  if (facts.gate === 'blocked') return 'blocked'
  return facts.gate === 'waiting' ? 'waiting' : 'starting'
}
