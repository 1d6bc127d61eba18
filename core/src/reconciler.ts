/**
 * Brings what is to what should be. Commands change intents and `wake` services; after every change each woken service
 * is looked at once more, and at most one step per replica is taken. All of it is synchronous: what takes time is in
 * `Instance` and `Deploy`, which report back by waking again. So two commands at once cannot start a second copy, and
 * the later intent wins.
 */
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import type { DeployWorld } from './deploy.ts'
import { SysgError, whyOf } from './errors.ts'
import { eventOfState, type EventData, type EventType, type SysgEvent } from './events.ts'
import { describeEnd, explain } from './explain.ts'
import { gateOf, type DependencyFacts } from './gate.ts'
import { Graph } from './graph.ts'
import type { EndedRun, Hooks, LaunchSpec } from './hooks.ts'
import type { Host } from './host.ts'
import { Instance, type InstanceWorld, type StopRequest } from './instance.ts'
import { planService } from './plan-service.ts'
import { nextStep } from './reconcile.ts'
import type { Replica } from './replica.ts'
import { Service } from './service.ts'
import type { OnMove } from './states.ts'

export interface ReconcilerWorld {
  readonly host: Host
  readonly hooks: Hooks
  readonly project: string
  readonly onMove: OnMove | undefined
  /** Told of a failure that only a mistake in systemg can cause; the other services go on. */
  bug(thrown: unknown): void
  emit<T extends EventType>(
    type: T,
    of: { service?: string | undefined; instance?: string | undefined; cause?: number | undefined },
    data: EventData[T],
  ): SysgEvent
}

/** errno of failures that pass by themselves: tried again whatever the policy says. */
const passingFailures = /\((EAGAIN|EMFILE|ENFILE|ENOMEM)\)/
const passingDelayMs = 1_000

export class Reconciler {
  readonly services = new Map<string, Service>()
  graph = new Graph(new Map())
  config: ResolvedSystem
  /** Everything is to end. */
  isShuttingDown = false
  readonly #world: ReconcilerWorld
  readonly #woken = new Set<Service>()
  readonly #waiters = new Set<() => boolean>()
  readonly #planning = new AbortController()
  #isDraining = false
  /** Instance numbers used, per service. */
  readonly #counts = new Map<string, number>()

  constructor(config: ResolvedSystem, world: ReconcilerWorld) {
    this.config = config
    this.#world = world
  }

  /** Take up the services of a config; those gone from it are to be removed. Starts nothing. */
  adoptConfig(config: ResolvedSystem): void {
    this.config = config
    for (const [name, spec] of Object.entries(config.services)) {
      const service = this.services.get(name) ?? new Service(spec, this.#world.onMove)
      service.config = spec
      service.isRemoved = false
      this.services.set(name, service)
    }
    for (const service of this.services.values()) {
      if (!(service.name in config.services)) service.isRemoved = true
    }
    this.#redraw()
  }

  /** Look at these services again, and at whatever that changes. */
  wake(services: Iterable<Service>, cause?: number): void {
    for (const service of services) {
      if (cause !== undefined) service.cause = cause
      this.#woken.add(service)
    }
    this.#drain()
  }

  /** Make several changes before anything is looked at again. */
  batch(body: () => void): void {
    if (this.#isDraining) {
      body()
      return
    }
    this.#isDraining = true
    try {
      body()
    } finally {
      this.#isDraining = false
    }
    this.#drain()
  }

  #drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      for (const service of this.#woken) {
        this.#woken.delete(service)
        try {
          this.#reconcile(service)
        } catch (thrown) {
          this.#world.bug(thrown)
        }
      }
    } finally {
      this.#isDraining = false
    }
    for (const waiter of [...this.#waiters]) if (waiter()) this.#waiters.delete(waiter)
  }

  wakeAll(cause?: number): void {
    this.wake(this.#named(this.graph.order()), cause)
  }

  /** Resolves as soon as `condition` holds after a change. @throws the signal's reason. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        this.#waiters.delete(look)
        reject(signal?.reason as Error)
      }
      const look = () => {
        if (!condition()) return false
        signal?.removeEventListener('abort', onAbort)
        resolve()
        return true
      }
      if (look()) return
      this.#waiters.add(look)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** The system and the service want it up. */
  isWanted(service: Service): boolean {
    return (
      !this.isShuttingDown &&
      (service.isIntended || service.replicas.some(({ isRunAsked }) => isRunAsked)) &&
      !service.isRemoved
    )
  }

  /** Something is under way that will change its state by itself. */
  isBusy(service: Service): boolean {
    if (service.deploy !== undefined) return true
    if (
      service.living.some(
        (one) =>
          one.state === 'starting' ||
          one.state === 'stopping' ||
          one.stopRequest !== undefined ||
          one.exit !== undefined,
      )
    )
      return true
    if (!this.isWanted(service)) return service.living.length > 0
    if (service.planError !== undefined || service.isSkipped) return false
    if (service.planning !== 'done') return true
    if (service.isScheduled) return service.replicas.some(({ isRunAsked }) => isRunAsked)
    return service.wanted.some(({ state }) => state === 'idle') && service.gate.state !== 'blocked'
  }

  /** Ask an instance to stop; it begins once what must go first is gone. */
  requestStop(instance: Instance, request: StopRequest): void {
    instance.requestStop(request)
    const service = this.services.get(instance.service.name)
    if (service !== undefined) this.wake([service], request.cause)
  }

  /** No more grace for anything that is being stopped. */
  killAll(): void {
    for (const instance of [...this.services.values()].flatMap(({ living }) => living)) {
      instance.beginStop()
      instance.kill()
    }
  }

  nextId(service: string): string {
    const count = (this.#counts.get(service) ?? 0) + 1
    this.#counts.set(service, count)
    return `${service}-${count}`
  }

  /** Instance ids up to this one have been used. */
  reserveId(id: string): void {
    const [, service, number] = /^(.*)-(\d+)$/.exec(id) ?? []
    if (service !== undefined) this.#counts.set(service, Math.max(this.#counts.get(service) ?? 0, Number(number)))
  }

  /** Make an instance of a replica; the caller starts or adopts it. */
  createInstance(
    service: Service,
    replica: Replica,
    start: Omit<ConstructorParameters<typeof Instance>[0], 'replica'>,
  ): Instance {
    const instance = new Instance({ ...start, replica: replica.index }, this.#instanceWorld)
    replica.living.add(instance)
    if (start.role === 'active') replica.active = instance
    return instance
  }

  /** What a deploy of any service works with. */
  get deployWorld(): DeployWorld {
    return {
      clock: this.#world.host.clock,
      emit: (type, of, data) => this.#world.emit(type, { ...of, instance: of.instance?.id }, data),
      launch: (service, replica, spec, refine) => this.#launch(service, replica, spec, refine),
      record: (changed) => this.#record(changed),
      stop: (instance, detail) => this.requestStop(instance, { why: 'deploy', detail }),
      settle: (service, replica) => this.#settle(service, replica, replica.endedMeanwhile),
      bringUp: (service, replica, signal) => this.#bringUp(service, replica, signal),
      changed: (service, cause) => this.wake([service], cause),
    }
  }

  /** Take up a verdict about an instance. One that its policy would restart is ended, and that counts as a crash. */
  judge(instance: Instance, healthy: boolean, reason: string | null): void {
    instance.judge(healthy, reason)
    const service = this.services.get(instance.service.name)
    const replica = service?.replicas[instance.replica]
    if (instance.state !== 'unhealthy' || service === undefined || replica?.active !== instance) return
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

  /** The system was stopped on purpose: everything runs anew the next time. */
  forgetOutcomes(): void {
    for (const service of this.services.values()) {
      for (const replica of service.replicas) this.#forgetOutcome(service, replica)
    }
  }

  /** Stop planning; nothing is started any more. */
  close(): void {
    this.#planning.abort(new SysgError('SYSG_SHUTTING_DOWN', undefined))
  }

  #reconcile(service: Service): void {
    const wanted = this.isWanted(service)
    if (wanted && service.planning === 'needed') this.#plan(service)
    if (!wanted) service.deploy?.abort(new SysgError('SYSG_DEPLOY_SUPERSEDED', { service: service.name, by: 'stop' }))
    for (const replica of service.fitReplicas()) {
      replica.retry?.cancel()
      this.#forgetOutcome(service, replica)
    }
    service.isUp = this.#isUp(service)
    service.gate = this.#gate(service)
    if (service.gate.state !== 'open') this.#holdBack(service)
    for (const replica of service.replicas) this.#step(service, replica, wanted)
    for (const instance of service.living) {
      if (instance.stopRequest !== undefined && this.#mayStop(service, instance)) instance.beginStop()
    }
    this.#look(service, wanted)
    if (service.isRemoved && service.living.length === 0 && service.deploy === undefined) this.#forget(service)
  }

  #step(service: Service, replica: Replica, serviceWanted: boolean): void {
    const wanted = serviceWanted && replica.index < service.wantedReplicas
    const step = nextStep({
      state: replica.state,
      wanted,
      living: replica.living.size > 0,
      deploying: replica.isDeploying,
      planned: service.planning === 'done' && (replica.isRunAsked || !(service.isSkipped || service.isScheduled)),
      gate: service.gate.state,
      retryDue: replica.retry?.due === true,
      mayStart: this.#mayStart(),
    })
    if (step === 'rest') replica.move('rest')
    if (step === 'stop') this.#stopUnwanted(service, replica)
    if (step === 'launch') {
      if (replica.state === 'backoff') service.restarts += 1
      this.#launch(service, replica, replica.spec)
    }
  }

  /** What is only being prepared waits again when a dependency was lost meanwhile. */
  #holdBack(service: Service): void {
    for (const instance of service.living) {
      if (instance.isPreparing) instance.requestStop({ why: 'gate', detail: null, cause: service.cause })
    }
  }

  #stopUnwanted(service: Service, replica: Replica): void {
    const { cause } = service
    for (const instance of replica.living) {
      if (this.isShuttingDown) instance.requestStop({ why: 'shutdown', detail: 'the system stops', cause })
      else if (service.isRemoved) instance.requestStop({ why: 'removed', detail: 'no longer in the config', cause })
      else if (service.isIntended) instance.requestStop({ why: 'scaled', detail: 'scaled down', cause })
      else instance.requestStop({ why: 'person', detail: 'stopped by you', graceMs: service.stopGraceMs, cause })
    }
  }

  #launch(
    service: Service,
    replica: Replica,
    spec: ResolvedService,
    refine?: (spec: LaunchSpec) => LaunchSpec,
  ): Instance {
    const role = replica.active === undefined ? 'active' : 'candidate'
    if (role === 'active') replica.spec = spec
    if (replica.state !== 'live') replica.move('launch')
    this.#forgetOutcome(service, replica)
    const token = this.#world.host.token()
    const { restarts } = replica
    const start = { id: this.nextId(service.name), service: spec, role, token, restarts, cause: service.cause } as const
    const instance = this.createInstance(service, replica, start)
    instance.start(refine)
    this.wake([service])
    return instance
  }

  async #bringUp(service: Service, replica: Replica, signal: AbortSignal): Promise<void> {
    replica.rearm()
    this.wake([service])
    const isAtRest = () => replica.living.size === 0 && (replica.state !== 'idle' || service.gate.state === 'blocked')
    await this.until(() => replica.active?.isServing === true || isAtRest(), signal)
    if (replica.active?.isServing === true || replica.state === 'completed') return
    const reason = replica.last === undefined ? (service.seen.reason ?? 'it did not start') : describeEnd(replica.last)
    throw new SysgError('SYSG_START_FAILED', { service: service.name, reason })
  }

  get #instanceWorld(): InstanceWorld {
    const { host, hooks, project, onMove } = this.#world
    return {
      ...{ host, hooks, project, onMove },
      emit: (type, { instance, cause }, data) =>
        this.#world.emit(type, { service: instance.service.name, instance: instance.id, cause }, data),
      record: (changed) => this.#record(changed),
      changed: (instance, cause) => this.#wakeOf(instance, cause),
      exitedByItself: (instance, cause) => {
        const others = this.services.get(instance.service.name)?.wanted ?? []
        const success =
          instance.service.success_exit_codes.includes(instance.exit?.code ?? -1) &&
          !others.some(({ state }) => state === 'failed')
        if (instance.role !== 'candidate' && !success) this.#cascade(instance, cause)
      },
      hasEnded: (instance) => this.#hasEnded(instance),
    }
  }

  #hasEnded(instance: Instance): void {
    const service = this.services.get(instance.service.name)
    const replica = service?.replicas[instance.replica]
    this.#world.hooks.journal.call({ kind: 'instances', changed: [], ended: [instance.id] })
    if (service === undefined || replica === undefined) return
    replica.living.delete(instance)
    const byItself = instance.stopRequest === undefined || instance.stopRequest.crash === true
    const run = byItself ? this.#endedRun(instance, replica) : undefined
    if (run?.success === false && instance.role !== 'candidate') this.#cascade(instance, instance.cause)
    if (run !== undefined && !instance.wasReady && !run.success) {
      const of = { service: service.name, instance: instance.id, cause: instance.cause }
      this.#world.emit('service.start_failed', of, { reason: describeEnd(instance) })
    }
    if (replica.active === instance) {
      replica.active = undefined
      replica.last = instance
      if (replica.isDeploying) replica.endedMeanwhile = run
      else this.#settle(service, replica, run)
    } else if (replica.active === undefined && replica.living.size === 0 && !replica.isDeploying) {
      this.#settle(service, replica, undefined)
    }
    this.wake([service, ...this.#named(this.graph.dependencies(service.name))], instance.cause)
  }

  /** Decide what becomes of a replica of which nothing is active any more. `run` is missing when it was stopped on purpose. */
  #settle(service: Service, replica: Replica, run: EndedRun | undefined): void {
    if (replica.state !== 'live') return
    const isWanted = this.isWanted(service) && replica.index < service.wantedReplicas
    if (run === undefined || !isWanted || replica.isRunAsked) {
      replica.isRunAsked = false
      replica.move('rest')
      return
    }
    const failure = replica.last?.failure
    const isPassing = failure !== undefined && passingFailures.test(failure.message)
    const decision = isPassing ? { delayMs: passingDelayMs } : this.#world.hooks.retry.call(run)
    if (decision === undefined) {
      replica.move(run.success ? 'complete' : 'giveUp')
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

  #recordOutcome(service: Service, replica: Replica): void {
    const record = replica.outcome(service.name)
    if (record === undefined) return
    replica.isOutcomeRecorded = true
    this.#world.hooks.journal.call({ kind: 'outcome', service: service.name, replica: replica.index, record })
  }

  #forgetOutcome(service: Service, replica: Replica): void {
    if (!replica.isOutcomeRecorded) return
    replica.isOutcomeRecorded = false
    const entry = { kind: 'outcome', service: service.name, replica: replica.index, record: undefined } as const
    this.#world.hooks.journal.call(entry)
  }

  #waitToRetry(service: Service, replica: Replica, delayMs: number): void {
    const { clock } = this.#world.host
    replica.move('retry')
    const retry = {
      at: clock.now() + delayMs,
      delayMs,
      due: false,
      cancel: clock.timer(delayMs, () => {
        retry.due = true
        this.wake([service])
      }),
    }
    replica.retry = retry
    const reason = replica.last === undefined ? '' : describeEnd(replica.last)
    const of = { service: service.name, instance: replica.last?.id, cause: replica.last?.cause }
    service.cause = this.#world.emit('service.restarting', of, {
      delay_ms: delayMs,
      attempt: replica.restarts,
      reason,
    }).seq
  }

  /** A crash of what served last stops every running service that needs it; deploys among them fail. */
  #cascade(instance: Instance, cause: number | undefined): void {
    const service = this.services.get(instance.service.name)
    if (service === undefined || service.serving.length > 0) return
    const reason = `${service.name} went down`
    this.batch(() => {
      for (const dependent of this.#named(this.graph.takenDownBy(service.name))) {
        const facts = { service: dependent.name, step: 'dependency', reason }
        dependent.deploy?.abort(new SysgError('SYSG_DEPLOY_FAILED', facts), 'dependency')
        for (const one of dependent.living) one.requestStop({ why: 'cascade', detail: reason, cause })
      }
    })
  }

  /** Candidates go before what serves, dependents before what they need. */
  #mayStop(service: Service, instance: Instance): boolean {
    const { living } = service.replicas[instance.replica] ?? { living: new Set<Instance>() }
    if (
      instance.role === 'active' &&
      [...living].some((one) => one.role === 'candidate' && one.stopRequest !== undefined)
    )
      return false
    const isOrdered = ['person', 'shutdown', 'cascade', 'removed'].includes(instance.stopRequest?.why ?? '')
    const dependents = isOrdered ? this.#named(this.graph.dependents(service.name)) : []
    return !dependents.some((dependent) => dependent.living.some((one) => one.stopRequest !== undefined))
  }

  #mayStart(): boolean {
    const limit = this.config.max_concurrent_starts
    if (!Number.isFinite(limit)) return true
    const starting = [...this.services.values()]
      .flatMap(({ living }) => living)
      .filter(({ state }) => state === 'starting')
    return starting.length < limit
  }

  #isUp(service: Service): boolean {
    const serves = (replica: Replica) => [...replica.living].some((one) => one.isServing && one.role !== 'candidate')
    if (!service.wanted.some(serves)) return false
    return service.isUp || service.wanted.every(serves)
  }

  #gate(service: Service): Service['gate'] {
    const facts = Object.entries(service.config.depends_on).map(([name, { condition }]): DependencyFacts => {
      const dependency = this.services.get(name)
      return {
        name,
        condition,
        state: dependency?.seen.state ?? (dependency === undefined ? 'failed' : 'waiting'),
        isUp: dependency?.isUp === true,
        hasProcess:
          dependency?.living.some(
            (one) => one.role !== 'candidate' && one.pid !== undefined && one.exit === undefined,
          ) === true,
      }
    })
    return gateOf(facts)
  }

  #plan(service: Service): void {
    service.planning = 'asking'
    const { config } = service
    planService(config, this.#world, this.#planning.signal).then(
      (decision) => {
        service.plan = decision ?? 'boot'
        // Another config may have come meanwhile.
        service.planning = service.config === config ? 'done' : 'needed'
        this.wake([service])
      },
      (thrown: unknown) => {
        service.planError = whyOf(thrown)
        service.planning = 'done'
        this.wake([service])
      },
    )
  }

  /** Tell what people see, when that has changed, and let those who depend on it look again. */
  #look(service: Service, wanted: boolean): void {
    if (isBeingSettled(service)) return
    const state = service.state(wanted)
    const reason = explain(service, state, (name) => this.services.get(name))
    const before = service.seen
    if (before.state === state && before.reason === reason) return
    const isNew = before.state !== state
    service.seen = { state, reason, sinceMs: isNew ? this.#world.host.clock.now() : before.sinceMs }
    const isTold = state === 'backoff' || (before.state === undefined && state === 'stopped')
    if (isNew && !isTold) {
      const pid = service.serving.find((one) => one.pid !== undefined)?.pid ?? null
      const of = { service: service.name, cause: service.cause }
      service.cause = this.#world.emit(eventOfState[state], of, state === 'running' ? { pid } : { reason }).seq
    }
    this.wake(this.#named(this.graph.dependents(service.name)), isNew ? service.cause : undefined)
  }

  #forget(service: Service): void {
    for (const replica of service.replicas) this.#forgetOutcome(service, replica)
    this.services.delete(service.name)
    for (const { retry } of service.replicas) retry?.cancel()
    this.#redraw()
  }

  #redraw(): void {
    this.graph = new Graph(new Map([...this.services].map(([name, { config }]) => [name, config])))
  }

  #wakeOf(instance: Instance, cause: number | undefined): void {
    const service = this.services.get(instance.service.name)
    if (service === undefined) return
    const isLimited = Number.isFinite(this.config.max_concurrent_starts)
    this.wake(isLimited ? this.services.values() : [service], cause)
  }

  #record(changed: readonly Instance[]): void {
    this.#world.hooks.journal.call({ kind: 'instances', changed: changed.map(({ record }) => record), ended: [] })
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

  #named(names: readonly string[]): readonly Service[] {
    return names.map((name) => this.services.get(name)).filter((service) => service !== undefined)
  }
}

/** Its process has just ended by itself, and it is not yet known whether it left others behind: no state worth telling. */
const isBeingSettled = (service: Service): boolean =>
  service.serving.length === 0 &&
  service.living.some(
    ({ exit, stopRequest, state, role }) =>
      role === 'active' && exit !== undefined && stopRequest === undefined && state !== 'stopping',
  )
