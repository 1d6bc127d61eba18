/**
 * What has happened to one service, and which hooks follow from it: the matrix of `docs/plugins/lifecycle-commands.md`.
 *
 * It looks at the service as people see it: with several replicas it has started when all are ready, and has stopped with
 * the last of them. Decides, and does nothing.
 *
 *   down ──ready──► up ──last instance ends──► down
 *
 * A deploy that never leaves the service without a ready instance is told as a stop and a start when it has succeeded.
 */
import type { InstanceInfo, SysgEvent } from '@systemg/core'
import type { End } from './ends.ts'
import type { HookName } from './hook-names.ts'

/** A hook that is due. */
export interface Due {
  readonly hook: HookName
  /** Whom it is about; undefined when nothing of it ever was. */
  readonly instance: InstanceInfo | undefined
  readonly cause: number | undefined
}

/** What must be known after the death of the supervisor. */
export interface CourseRecord {
  readonly isUp: boolean
  /** It has ended by itself, and may come back. */
  readonly isRestarting: boolean
  /** Restarts in a row of each replica when it failed to start, in this round; see `#failed`. */
  readonly failed: Readonly<Record<string, number>>
  /** Tokens of instances whose end has been told. */
  readonly told: readonly string[]
}

/** Ends that are remembered: instances whose records may still be there when the supervisor dies. */
const mostTold = 32

interface RunningDeploy {
  readonly wasUp: boolean
  /** Hooks of this deploy have been due already. */
  isTold: boolean
  /** What it has started last. */
  newest: InstanceInfo | undefined
  /** What was replaced last. */
  old: { readonly instance: InstanceInfo; readonly cause: number | undefined } | undefined
}

export class Course {
  #isUp = false
  #isRestarting = false
  #failed: Readonly<Record<string, number>> = {}
  #told: readonly string[] = []
  /** Everything that runs, by id. */
  readonly #living = new Map<string, InstanceInfo>()
  #readyLast: InstanceInfo | undefined
  #deploy: RunningDeploy | undefined
  /** People know already that it is stopped; a start that is called off is not told as another stop. */
  #isStopTold = false
  /** What has been told is known: by this supervisor, or it was written down by an earlier one. */
  #isKnown: boolean
  /** An earlier supervisor died before it could restart the service: the next start is that restart. */
  #isTakenOver = false

  /** @param before - What an earlier supervisor has left. */
  constructor(before?: CourseRecord) {
    this.#isKnown = before !== undefined
    if (before === undefined) return
    this.#isUp = before.isUp
    this.#isRestarting = before.isRestarting
    this.#isTakenOver = before.isRestarting
    this.#failed = before.failed
    this.#told = before.told
  }

  get record(): CourseRecord {
    return { isUp: this.#isUp, isRestarting: this.#isRestarting, failed: this.#failed, told: this.#told }
  }

  /** Something of it runs. */
  get isLiving(): boolean {
    return this.#living.size > 0
  }

  /** An instance runs. */
  started(instance: InstanceInfo): void {
    this.#living.set(instance.id, instance)
    this.#isKnown = true
    if (instance.start !== 'deploy') this.#isStopTold = false
    else if (this.#deploy !== undefined) this.#deploy.newest = instance
    if (instance.role !== 'candidate') this.#isRestarting &&= this.#mayBeRestart(instance)
  }

  /** An instance of an earlier supervisor goes on. */
  adopted(instance: InstanceInfo, was: { readonly ready: boolean }): void {
    this.#living.set(instance.id, instance)
    this.#believe(instance, was.ready)
  }

  /** A person has said what is to become of it: what comes next is no restart. */
  intended(): void {
    this.#isTakenOver = false
  }

  instanceReady(id: string): void {
    this.#readyLast = this.#living.get(id) ?? this.#readyLast
  }

  /** The service is ready, as people see it. */
  ready(cause: number): readonly Due[] {
    if (this.#isUp) return []
    this.#isUp = true
    const instance = this.#readyLast ?? [...this.#living.values()].find(({ role }) => role === 'active')
    return this.#succeeded(instance, cause)
  }

  /** Nothing of an instance lives any more. */
  ended(instance: InstanceInfo, end: End, cause: number | undefined): readonly Due[] {
    this.#living.delete(instance.id)
    if (this.#told.includes(instance.token)) return []
    this.#told = [...this.#told, instance.token].slice(-mostTold)
    if (end === 'nothing') return []
    if (instance.role === 'candidate') return end === 'stopped' ? [] : this.#candidateFailed(instance, cause)
    const others = [...this.#living.values()].filter(({ role }) => role !== 'candidate')
    this.#believe(instance, instance.wasReady)
    if (this.#isUp) return this.#endedWhileUp(instance, end, cause, others)
    if (end === 'failed' || end === 'crashed') return this.#startFailed(instance, cause)
    if (others.length > 0) return []
    return end === 'completed' ? this.#completed(instance, cause) : this.#calledOff(instance, cause)
  }

  /** It stays as it is until somebody starts it. */
  rested(): void {
    this.#isRestarting = false
  }

  deployStarted(): void {
    this.#deploy = { wasUp: this.#isUp, isTold: false, newest: undefined, old: undefined }
  }

  deploySucceeded(cause: number): readonly Due[] {
    const deploy = this.#deploy
    this.#deploy = undefined
    if (deploy?.old === undefined || deploy.isTold || !deploy.wasUp || !this.#isUp) return []
    return [
      { hook: 'on_stop.success', ...deploy.old },
      { hook: 'on_start.success', instance: this.#readyLast, cause },
    ]
  }

  deployFailed({ data, seq }: SysgEvent<'deploy.rolled_back'>): readonly Due[] {
    const deploy = this.#deploy
    this.#deploy = undefined
    const isCalledOff = data.code === 'SYSG_DEPLOY_SUPERSEDED' || data.step === 'dependency'
    if (deploy === undefined || deploy.isTold || isCalledOff) return []
    return [{ hook: 'on_start.error', instance: deploy.newest, cause: seq }]
  }

  #endedWhileUp(
    instance: InstanceInfo,
    end: End,
    cause: number | undefined,
    others: readonly InstanceInfo[],
  ): readonly Due[] {
    if (!instance.wasReady && end !== 'stopped' && this.#deploy !== undefined)
      return this.#candidateFailed(instance, cause)
    if (others.some(({ wasReady }) => wasReady)) {
      if (this.#deploy !== undefined) this.#deploy.old = { instance, cause }
      return []
    }
    this.#isUp = false
    this.#isKnown = true
    this.#failed = {}
    const isBad = end === 'crashed' || end === 'failed'
    this.#isStopTold = !isBad
    this.#isRestarting = end !== 'stopped'
    return this.#due([{ hook: isBad ? 'on_stop.error' : 'on_stop.success', instance, cause }])
  }

  /** It had done its work before it counted as ready. */
  #completed(instance: InstanceInfo, cause: number | undefined): readonly Due[] {
    const hasOtherFailed = Object.keys(this.#failed).some((replica) => Number(replica) !== instance.replica)
    if (hasOtherFailed) return []
    const started = this.#succeeded(instance, cause)
    this.#isRestarting = true
    return [...started, { hook: 'on_stop.success', instance, cause }]
  }

  /** It was to end before it was ready. */
  #calledOff(instance: InstanceInfo, cause: number | undefined): readonly Due[] {
    if (this.#isStopTold) return []
    this.#isStopTold = true
    return this.#due([{ hook: 'on_stop.success', instance, cause }])
  }

  #succeeded(instance: InstanceInfo | undefined, cause: number | undefined): readonly Due[] {
    const isRestart = this.#isRestarting && instance !== undefined && this.#mayBeRestart(instance)
    this.#isRestarting = false
    this.#isTakenOver = false
    this.#failed = {}
    const started: Due = { hook: 'on_start.success', instance, cause }
    return this.#due(isRestart ? [started, { hook: 'on_restart.success', instance, cause }] : [started])
  }

  /**
   * Once for all replicas that fail in the same round: the next one begins when a replica fails again. A start that the
   * machine was short of something for is tried again with the same count, and told once.
   */
  #startFailed(instance: InstanceInfo, cause: number | undefined): readonly Due[] {
    const { exit, replica, restarts, start, wasReady } = instance
    // The last replica of a service that an earlier supervisor has left, and that is known to be down.
    if (wasReady && exit?.unknown === true) return []
    const before = this.#failed[replica]
    if (before === undefined && Object.keys(this.#failed).length > 0) {
      this.#failed = { ...this.#failed, [replica]: restarts }
      return []
    }
    if (before === restarts && start === 'automatic') return []
    this.#failed = { [replica]: restarts }
    const isRestart = this.#isRestarting && this.#mayBeRestart(instance)
    this.#isRestarting = true
    this.#isTakenOver = false
    const failed: Due = { hook: 'on_start.error', instance, cause }
    return this.#due(isRestart ? [failed, { hook: 'on_restart.error', instance, cause }] : [failed])
  }

  #candidateFailed(instance: InstanceInfo, cause: number | undefined): readonly Due[] {
    return this.#due([{ hook: 'on_start.error', instance, cause }])
  }

  #due(due: readonly Due[]): readonly Due[] {
    if (this.#deploy !== undefined) this.#deploy.isTold = true
    return due
  }

  /** Nobody has written down what was told of it: one that was ready is believed to be known. */
  #believe({ role, start }: InstanceInfo, wasReady: boolean): void {
    if (wasReady && !this.#isKnown && role === 'active' && start === 'adopted') this.#isUp = true
  }

  #mayBeRestart({ start }: InstanceInfo): boolean {
    return start === 'automatic' || start === 'adopted' || this.#isTakenOver
  }
}
