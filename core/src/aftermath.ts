/**
 * What follows the end of a run: dependents that must stop, the decision whether the replica comes back, and what is
 * remembered of one that stays down.
 */
import { describeEnd } from './explain.ts'
import { SysgError } from './errors.ts'
import type { EndedRun } from './instance-info.ts'
import type { Instance } from './instance.ts'
import type { OutcomeRecord } from './journal.ts'
import type { SystemWorld } from './system-world.ts'
import { isDown, type Replica } from './replica.ts'
import type { Roster } from './roster.ts'
import type { Service } from './service.ts'
import type { HealthReport } from './system-api.ts'

/** What the aftermath needs of the reconciler. */
export interface Wakes {
  wake(services: Iterable<Service>, cause?: number): void
  batch(body: () => void): void
}

/** errno of failures that pass by themselves: tried again whatever the policy says. */
const passingFailures = /\((EAGAIN|EMFILE|ENFILE|ENOMEM)\)/
const passingDelayMs = 1_000

export class Aftermath {
  readonly #roster: Roster
  readonly #world: SystemWorld
  readonly #wakes: Wakes

  constructor(roster: Roster, world: SystemWorld, wakes: Wakes) {
    this.#roster = roster
    this.#world = world
    this.#wakes = wakes
  }

  /** A process has ended by itself, and nothing of its instance has been cleaned up. */
  exitedByItself(instance: Instance, cause: number): void {
    const service = this.#roster.services.get(instance.service.name)
    const isSuccess = instance.service.success_exit_codes.includes(instance.exit?.code ?? -1)
    // The last of several replicas takes the service down, and that is a crash when another one is down.
    const isCrash = !isSuccess || (service !== undefined && lacksOne(service))
    if (instance.role !== 'candidate' && isCrash) this.#cascade(instance, cause)
  }

  /** Nothing of an instance lives any more. */
  hasEnded(instance: Instance): void {
    const service = this.#roster.services.get(instance.service.name)
    const replica = service?.replicas[instance.replica]
    this.#world.hooks.journal.call({ kind: 'instances', changed: [], ended: [instance.id] })
    if (service === undefined || replica === undefined) return
    replica.living.delete(instance)
    if (service.isTransient) this.#roster.removeAdHoc(service)
    const byItself = instance.stopRequest === undefined || instance.stopRequest.crash === true
    const run = byItself ? this.#endedRun(instance, replica) : undefined
    // Scaling may leave only replicas that are down.
    const isScaledDown = instance.stopRequest?.why === 'scaled' && lacksOne(service)
    const isCrash = run?.success === false || isScaledDown
    if (isCrash && instance.role !== 'candidate') this.#cascade(instance, instance.cause)
    if (run !== undefined && !instance.wasReady && !run.success) {
      const of = { service: service.name, instance: instance.id, cause: instance.cause }
      this.#world.emit('service.start_failed', of, { reason: describeEnd(instance) })
    }
    service.cause = instance.cause ?? service.cause
    if (replica.active === instance) {
      replica.active = undefined
      replica.last = instance
      if (replica.isDeploying) replica.endedMeanwhile = run
      else this.settle(service, replica, run)
    } else if (replica.active === undefined && replica.living.size === 0 && !replica.isDeploying) {
      this.settle(service, replica, undefined)
    }
    // Dependencies may have waited for this to end; it is not why they do anything else.
    this.#wakes.wake([service, ...this.#roster.named(this.#roster.graph.dependencies(service.name))])
  }

  /** Decide what becomes of a replica of which nothing is active any more. `run` is missing when it was stopped on purpose. */
  settle(service: Service, replica: Replica, run: EndedRun | undefined): void {
    if (replica.state !== 'live') return
    replica.askedRun = undefined
    const { isAskedMeanwhile } = replica
    replica.isAskedMeanwhile = false
    const isWanted = this.#roster.isWanted(service) && replica.index < service.wantedReplicas
    if (run === undefined || !isWanted || service.isScheduled) {
      replica.move('rest')
      return
    }
    const failure = replica.last?.failure
    const isPassing = failure !== undefined && passingFailures.test(failure.message)
    const decision = isPassing ? { delayMs: passingDelayMs } : this.#world.hooks.retry.call(run)
    if (decision === undefined && run.success) {
      replica.move('complete')
    } else if (isAskedMeanwhile) {
      replica.move('rest')
    } else if (decision === undefined) {
      replica.move('giveUp')
    } else if ('giveUp' in decision) {
      replica.move('giveUp')
      replica.gaveUp = decision.giveUp
    } else {
      if ('forget' in decision && decision.forget) replica.restarts = 0
      if (!isPassing) replica.restarts += 1
      this.#waitToRetry(service, replica, decision.delayMs)
    }
    this.#recordOutcome(service, replica)
  }

  /** Take up a verdict about an instance. One that its policy would restart is ended, and that counts as a crash. */
  judge(instance: Instance, { healthy, reason, isShownOnly = false }: HealthReport): void {
    instance.judge(healthy, reason)
    const service = this.#roster.services.get(instance.service.name)
    const replica = service?.replicas[instance.replica]
    if (isShownOnly || instance.state !== 'unhealthy' || service === undefined || replica?.active !== instance) return
    const detail = instance.unhealthyReason ?? 'unhealthy'
    const decision = this.#world.hooks.retry.call({
      ...this.#endedRun(instance, replica),
      success: false,
      unhealthy: detail,
    })
    if (decision === undefined || 'giveUp' in decision) return
    instance.requestStop({ why: 'unhealthy', detail, crash: true, cause: service.cause })
    this.#cascade(instance, service.cause)
  }

  /** The system was stopped on purpose, or the service was removed: everything runs anew the next time. */
  forgetOutcomes(service: Service): void {
    for (const replica of service.replicas) this.forgetOutcome(service, replica)
  }

  #recordOutcome(service: Service, replica: Replica): void {
    const record = replica.outcome(service.name)
    if (record === undefined) return
    // What its output says is shown again by a supervisor that no longer knows what is secret in it.
    const { config, ...told } = record
    const hidden = { ...this.#world.hide(told), config }
    this.#journal(service, replica, hidden)
  }

  forgetOutcome(service: Service, replica: Replica): void {
    if (replica.recorded !== undefined) this.#journal(service, replica, undefined)
  }

  #journal({ name: service }: Service, replica: Replica, record: OutcomeRecord | undefined): void {
    const isPassing = (record?.outcome ?? replica.recorded) === 'backoff'
    replica.recorded = record?.outcome
    const entry = { kind: 'outcome', service, replica: replica.index, record } as const
    this.#world.hooks.journal.call(isPassing ? { ...entry, isPassing } : entry)
  }

  #waitToRetry(service: Service, replica: Replica, delayMs: number): void {
    replica.move('retry')
    replica.isFresh = false
    this.#retryIn(service, replica, delayMs, delayMs)
    const reason = replica.last === undefined ? '' : describeEnd(replica.last)
    const of = { service: service.name, instance: replica.last?.id, cause: replica.last?.cause }
    service.cause = this.#world.emit('service.restarting', of, {
      delay_ms: delayMs,
      attempt: replica.restarts,
      reason,
    }).seq
  }

  /** Go on with what an earlier supervisor had begun to wait for; the clock may have jumped meanwhile. */
  waitOn(service: Service, replica: Replica, { at, delayMs }: NonNullable<OutcomeRecord['retry']>): void {
    const leftMs = at - this.#world.host.clock.now()
    this.#retryIn(service, replica, Math.min(Math.max(0, leftMs), delayMs), delayMs)
  }

  #retryIn(service: Service, replica: Replica, leftMs: number, delayMs: number): void {
    const { clock } = this.#world.host
    const retry = {
      at: clock.now() + leftMs,
      delayMs,
      due: false,
      cancel: clock.timer(leftMs, () => {
        retry.due = true
        this.#wakes.wake([service])
      }),
    }
    replica.retry = retry
  }

  /** A crash of what served last stops every running service that needs it; deploys among them fail. */
  #cascade(instance: Instance, cause: number | undefined): void {
    const service = this.#roster.services.get(instance.service.name)
    if (service === undefined || service.serving.length > 0) return
    const reason = `${service.name} went down`
    this.#wakes.batch(() => {
      for (const dependent of this.#roster.named(this.#roster.graph.takenDownBy(service.name))) {
        const facts = { service: dependent.name, step: 'dependency', reason }
        dependent.deploy?.abort(new SysgError('SYSG_DEPLOY_FAILED', facts), 'dependency')
        for (const one of dependent.living) one.requestStop({ why: 'cascade', detail: reason, cause })
      }
    })
  }

  #endedRun(instance: Instance, replica: Replica): EndedRun {
    const { service, exit = { code: null, signal: null }, stopRequest } = instance
    const isCrash = stopRequest?.crash === true || instance.failure !== undefined
    return {
      service,
      instance,
      exit,
      success: !isCrash && service.success_exit_codes.includes(exit.code ?? -1),
      wasReady: instance.wasReady,
      readyForMs: instance.readyForMs,
      restarts: replica.restarts,
      ...(stopRequest?.why === 'unhealthy' ? { unhealthy: stopRequest.detail ?? '' } : {}),
    }
  }
}

/** Of the replicas it should have one is down. */
const lacksOne = ({ wanted }: Service): boolean => wanted.some(isDown)
