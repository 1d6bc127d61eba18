/**
 * Brings what is to what should be. Commands change intents and `wake` services; after every change each woken service
 * is looked at once more, and at most one step per replica is taken. All of it is synchronous: what takes time is in
 * `Instance` and `Deploy`, which report back by waking again. So two commands at once cannot start a second copy, and
 * the later intent wins.
 */
import { Aftermath } from './aftermath.ts'
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import type { DeployWorld } from './deploy-world.ts'
import { SysgError, whyOf } from './errors.ts'
import { describeEnd } from './explain.ts'
import type { LaunchSpec } from './launch-spec.ts'
import type { Transient } from './instance-info.ts'
import { Instance } from './instance.ts'
import type { InstanceWorld, StopRequest } from './instance-world.ts'
import { currentGate, isUp, look } from './outlook.ts'
import { planService } from './plan-service.ts'
import { nextStep } from './reconcile.ts'
import type { Replica } from './replica.ts'
import { Roster } from './roster.ts'
import type { Service } from './service.ts'
import type { SystemWorld } from './system-world.ts'
import { isLimited, mayStart, mayStop } from './turns.ts'
import { WakeQueue } from './wake-queue.ts'

export class Reconciler {
  readonly roster: Roster
  readonly aftermath: Aftermath
  readonly #world: SystemWorld
  readonly #queue: WakeQueue<Service>
  readonly #planning = new AbortController()

  constructor(config: ResolvedSystem, world: SystemWorld) {
    this.#world = world
    this.roster = new Roster(config, world.onMove)
    this.#queue = new WakeQueue(
      (service) => this.#reconcile(service),
      (thrown) => world.bug(thrown),
    )
    this.aftermath = new Aftermath(this.roster, world, this)
  }

  /** Look at these services again, and at whatever that changes. */
  wake(services: Iterable<Service>, cause?: number): void {
    const woken = [...services]
    if (cause !== undefined) for (const service of woken) service.cause = cause
    this.#queue.wake(woken)
  }

  wakeAll(cause?: number): void {
    this.wake(this.roster.inOrder(), cause)
  }

  /** Make several changes before anything is looked at again. */
  batch(body: () => void): void {
    this.#queue.batch(body)
  }

  /** Resolves as soon as `condition` holds after a change. @throws the signal's reason. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    return this.#queue.until(condition, signal)
  }

  /** Ask an instance to stop; it begins once what must go first is gone. */
  requestStop(instance: Instance, request: StopRequest): void {
    instance.requestStop(request)
    const service = this.roster.services.get(instance.service.name)
    if (service !== undefined) this.wake([service], request.cause)
  }

  /** No more grace for anything that is being stopped. */
  killAll(): void {
    for (const { deploy } of this.roster.services.values()) deploy?.hurry()
    for (const instance of this.roster.living) {
      instance.beginStop()
      instance.kill()
    }
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

  /** Launch the one run of a transient. `onNamed` hears of it before anything happens. */
  launchTransient(service: Service, transient: Transient, onNamed?: (instance: Instance) => void): Instance {
    const replica = service.replica(0)
    replica.move('launch')
    const instance = this.createInstance(service, replica, {
      ...{ id: this.roster.nextId(service.name), service: service.config, role: 'active', restarts: 0 },
      ...{ token: this.#world.host.token(), start: 'asked', transient },
    })
    onNamed?.(instance)
    instance.begin()
    this.wake([service])
    return instance
  }

  /** A transient belongs to another instance, or to none. */
  giveTo(instanceId: string, owner: string | undefined): void {
    const instance = this.roster.living.find(({ id }) => id === instanceId)
    if (instance?.transient === undefined) return
    instance.transient = { ...instance.transient, owner }
    this.#record([instance])
    this.#world.emit(
      'instance.given',
      { service: instance.service.name, instance: instanceId },
      { owner: owner ?? null },
    )
    this.#wakeOf(instance, undefined)
  }

  /** What a deploy of any service works with. */
  get deployWorld(): DeployWorld {
    return {
      clock: this.#world.host.clock,
      emit: (type, of, data) => this.#world.emit(type, { ...of, instance: of.instance?.id }, data),
      launch: (service, replica, spec, refine) => this.#launch(service, replica, spec, refine),
      record: (changed) => this.#record(changed),
      beforeReplace: (at) => this.#world.hooks.beforeReplace.promise(at),
      stop: (instance, detail) => {
        this.requestStop(instance, { why: 'deploy', detail })
        instance.beginStop()
      },
      settle: (service, replica) => this.aftermath.settle(service, replica, replica.endedMeanwhile),
      bringUp: (service, replica, signal) => this.#bringUp(service, replica, signal),
      changed: (service, cause) => this.wake([service], cause),
    }
  }

  /** Stop planning; nothing is started any more. */
  close(): void {
    this.#planning.abort(new SysgError('SYSG_SHUTTING_DOWN', undefined))
  }

  #reconcile(service: Service): void {
    const wanted = this.roster.isWanted(service)
    if (wanted && service.planning === 'needed') this.#plan(service)
    if (!wanted) service.deploy?.abort(new SysgError('SYSG_DEPLOY_SUPERSEDED', { service: service.name, by: 'stop' }))
    service.deploy?.keepTo(service.wanted)
    for (const replica of service.fitReplicas()) {
      replica.retry?.cancel()
      this.aftermath.forgetOutcome(service, replica)
    }
    service.isUp = isUp(service)
    service.gate = currentGate(service, this.roster.services)
    if (service.gate.state !== 'open') this.#holdBack(service)
    for (const replica of service.replicas) this.#step(service, replica, wanted)
    for (const instance of service.living) {
      if (instance.stopRequest !== undefined && mayStop(this.roster, service, instance)) instance.beginStop()
    }
    this.#look(service, wanted)
    if (!service.isRemoved || service.living.length > 0 || service.deploy !== undefined) return
    for (const replica of service.replicas) replica.retry?.cancel()
    this.aftermath.forgetOutcomes(service)
    this.roster.forget(service)
    if (!service.isTransient) this.#world.emit('service.removed', { service: service.name, cause: service.cause }, {})
  }

  #look(service: Service, wanted: boolean): void {
    const changed = look(service, wanted, this.roster.services, this.#world)
    if (changed === undefined) return
    const dependents = this.roster.named(this.roster.graph.dependents(service.name))
    this.wake(dependents, changed === 'state' ? service.cause : undefined)
  }

  #step(service: Service, replica: Replica, serviceWanted: boolean): void {
    const wanted = serviceWanted && replica.index < service.wantedReplicas
    const step = nextStep({
      state: replica.state,
      wanted,
      living: replica.living.size > 0,
      deploying: replica.isDeploying || (replica.isNew && service.holdsNewReplicas),
      planned: service.isPlanned && (replica.askedRun !== undefined || !(service.isSkipped || service.isScheduled)),
      gate: service.gate.state,
      retryDue: replica.retry?.due === true,
      mayStart: mayStart(this.roster),
    })
    if (step === 'rest') replica.move('rest')
    if (step === 'stop') this.#stopUnwanted(service, replica)
    if (step === 'launch') {
      if (replica.state === 'backoff' && !replica.isFresh) service.restarts += 1
      if (replica.isNew) replica.spec = service.provenSpec
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
      if (this.roster.isShuttingDown)
        instance.requestStop({ why: 'shutdown', detail: 'the system stops', graceMs: service.stopGraceMs, cause })
      else if (service.isRemoved && !service.isAdHoc)
        instance.requestStop({ why: 'removed', detail: 'no longer in the config', cause })
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
    this.aftermath.forgetOutcome(service, replica)
    const token = this.#world.host.token()
    const { restarts } = replica
    const isAsked = replica.isFresh || replica.askedRun !== undefined
    const start = {
      id: this.roster.nextId(service.name),
      service: spec,
      role,
      token,
      restarts,
      start: service.deploy !== undefined ? 'deploy' : isAsked ? 'asked' : 'automatic',
      cause: service.cause,
    } as const
    replica.isFresh = false
    const instance = this.createInstance(service, replica, start)
    instance.begin(refine)
    this.wake([service])
    return instance
  }

  async #bringUp(service: Service, replica: Replica, signal: AbortSignal): Promise<void> {
    replica.rearm()
    this.wake([service])
    const isAtRest = () => replica.living.size === 0 && (replica.state !== 'idle' || service.gate.state === 'blocked')
    await this.until(() => replica.active?.isServing === true || isAtRest(), signal)
    if (replica.active?.isServing === true || replica.state === 'completed') return
    const { last } = replica
    const reason = last === undefined ? (service.seen.reason ?? 'it did not start') : describeEnd(last)
    const about = { cause: last?.failure, lastLines: last?.lastLines ?? [] }
    throw new SysgError('SYSG_START_FAILED', { service: service.name, reason }, about)
  }

  get #instanceWorld(): InstanceWorld {
    const { host, hooks, project, onMove } = this.#world
    return {
      ...{ host, hooks, project, onMove },
      emit: (type, { instance, cause }, data) =>
        this.#world.emit(type, { service: instance.service.name, instance: instance.id, cause }, data),
      record: (changed) => this.#record(changed),
      isAwaited: ({ name }) => this.roster.isAwaited(name),
      changed: (instance, cause) => this.#wakeOf(instance, cause),
      exitedByItself: (instance, cause) => this.aftermath.exitedByItself(instance, cause),
      hasEnded: (instance) => this.aftermath.hasEnded(instance),
    }
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

  #wakeOf(instance: Instance, cause: number | undefined): void {
    const service = this.roster.services.get(instance.service.name)
    if (service === undefined) return
    this.wake(isLimited(this.roster) ? this.roster.services.values() : [service], cause)
  }

  #record(changed: readonly Instance[]): void {
    this.#world.hooks.journal.call({ kind: 'instances', changed: changed.map(({ record }) => record), ended: [] })
  }
}
