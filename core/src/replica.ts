/** One of the instances a service should have at once, over all the runs it takes: its retry state, its count, its instances. */
import type { ResolvedService } from './config/types.ts'
import { SysgError } from './errors.ts'
import type { EndedFacts } from './explain.ts'
import type { Exit } from './host.ts'
import type { EndedRun } from './instance-info.ts'
import type { Instance } from './instance.ts'
import type { OutcomeRecord } from './journal.ts'
import { moveReplica, type OnMove, type ReplicaCue, type ReplicaState } from './states.ts'

/** One run that was asked for. */
export interface AskedRun {
  /** Somebody also waits for dependencies that are down. */
  isPatient: boolean
  /** The run that had ended last when it was asked for. */
  readonly before: EndedFacts | undefined
}

export class Replica {
  readonly index: number
  /** What its next instance is started with: the config last proved, or taken over. */
  spec: ResolvedService
  state: ReplicaState = 'idle'
  /** What serves, or is to serve. */
  active: Instance | undefined
  /** Everything of it that lives: the active one, a candidate, those on their way out. */
  readonly living = new Set<Instance>()
  /** The run that ended last. */
  last: EndedFacts | undefined
  /** Restarts in a row, not counting those that a person or a dependency caused. */
  restarts = 0
  /** Why it gave up, when the reason is not the exit itself. */
  gaveUp: string | undefined
  retry: { readonly at: number; due: boolean; readonly delayMs: number; readonly cancel: () => void } | undefined
  /** A deploy is at work on it. */
  isDeploying = false
  /** An active run that ended by itself while a deploy was at work: its policy applies if the deploy fails. */
  endedMeanwhile: EndedRun | undefined
  /** What is recorded of how it came to rest. */
  recorded: OutcomeRecord['outcome'] | undefined
  /** The next start is one that a person or the boot asked for, not one that follows from a crash. */
  isFresh = true
  /** A person asked for a start while a run that has crashed was still being ended: the next one does not wait. */
  isAskedMeanwhile = false
  /** It is to run once now, whatever the plan says; until that run has ended. */
  askedRun: AskedRun | undefined

  readonly #onMove: OnMove | undefined

  constructor(index: number, spec: ResolvedService, onMove: OnMove | undefined) {
    this.index = index
    this.spec = spec
    this.#onMove = onMove
  }

  /** It never ran, or not since it was scaled away. */
  get isNew(): boolean {
    return this.living.size === 0 && (this.last === undefined || this.last.stopRequest?.why === 'scaled')
  }

  /** It came to rest by itself. */
  get isAtRest(): boolean {
    return this.state === 'completed' || this.state === 'failed'
  }

  /** Its run has ended by itself, or is being ended since it is unhealthy, and what is left of it is not gone yet. */
  get isCrashing(): boolean {
    const { active, state } = this
    if (active === undefined || state !== 'live') return false
    return active.stopRequest === undefined ? active.exit !== undefined : active.stopRequest.crash === true
  }

  move(cue: ReplicaCue): void {
    this.state = moveReplica(this.state, cue, this.#onMove)
    if (this.state !== 'backoff') {
      this.retry?.cancel()
      this.retry = undefined
    }
    if (this.state !== 'failed') this.gaveUp = undefined
  }

  /** Resolves when what an earlier deploy has left is gone, or cannot be ended: it may have what a new instance needs. */
  async untilAlone(): Promise<void> {
    await Promise.all([...this.living].filter((instance) => instance !== this.active).map(goneOrStuck))
  }

  /** What must be remembered of a replica that does not run. */
  outcome(service: string): OutcomeRecord | undefined {
    const { state: outcome, index: replica, spec: config, gaveUp: why = null, restarts } = this
    if (outcome === 'idle' || outcome === 'live') return undefined
    const { exit, exitAt = 0, lastLines = [], id = '', failure } = this.last ?? {}
    const { at: due, delayMs } = this.retry ?? {}
    return {
      ...{ service, replica, outcome, config, instance: id, at: exitAt, lastLines, why },
      ...(due === undefined || delayMs === undefined ? {} : { retry: { at: due, delayMs, restarts } }),
      ...(exit === undefined ? {} : { exit }),
      ...(failure === undefined ? {} : { failure: textOf(failure) }),
    }
  }

  /** Take up what an earlier supervisor saw it come to. */
  restore(record: OutcomeRecord): void {
    const { instance: id, exit, failure, at, lastLines, retry } = record
    this.last = {
      id,
      exit: isKnown(exit) ? exit : undefined,
      exitAt: at > 0 ? at : undefined,
      lastLines,
      failure: failure === undefined ? undefined : SysgError.of(failure.code, failure, { lastLines }),
      stopRequest: undefined,
      cause: undefined,
      isDaemonized: false,
    }
    this.state = record.outcome
    this.restarts = retry?.restarts ?? 0
    this.isFresh = retry === undefined
    this.recorded = record.outcome
    this.gaveUp = record.why ?? undefined
  }

  /** Ready to be launched again after it had given up, completed or crashed; the count starts anew. */
  rearm(): void {
    this.restarts = 0
    this.isFresh = true
    if (this.isAtRest) this.move('rearm')
    else if (this.retry !== undefined) this.retry.due = true
    else this.isAskedMeanwhile = this.isCrashing
  }
}

/** It neither runs nor is about to. */
export const isDown = ({ state }: Replica): boolean => state === 'failed' || state === 'backoff'

const goneOrStuck = (instance: Instance): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (instance.isLiving && instance.stuck.length === 0) return false
      resolve()
      return true
    }
    if (!look()) instance.onChange(look)
  })

const textOf = ({ code, message, hint }: SysgError): NonNullable<OutcomeRecord['failure']> =>
  hint === undefined ? { code, message } : { code, message, hint }

/** An older systemg recorded one that says nothing where there was none. */
const isKnown = (exit: Exit | undefined): boolean =>
  exit !== undefined && (exit.code !== null || exit.signal !== null || exit.unknown === true)
