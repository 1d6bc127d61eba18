/**
 * A system: everything one config composes, with the plugins that act for it. Commands set intents and wait for what
 * they promise; the reconciler does the rest.
 */
import { addAdHoc, findAdHoc, giveUpNames, removeAdHoc, requireFree, tellPlugins } from './ad-hoc.ts'
import { adoptAll } from './adopt.ts'
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import { EventStream } from './dispatch.ts'
import { SysgError, whyOf } from './errors.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import { createHooks, type Hooks } from './hooks.ts'
import type { Exit, Host } from './host.ts'
import type { Instance } from './instance.ts'
import type { BootState, IntentRecord } from './journal.ts'
import { baseEnvironment } from './launch-environment.ts'
import { nearest } from './config/nearest.ts'
import { outcomeOfStart, outcomeOfStop, warningsOfAdHoc } from './outcome.ts'
import { liveKeys } from './changed-keys.ts'
import { orderPlugins, type Plugin, type PluginUse } from './plugin.ts'
import { sharedKeys } from './plugin-keys.ts'
import { Reconciler } from './reconciler.ts'
import type { SystemWorld } from './system-world.ts'
import { createRegistries, type Registries } from './registries.ts'
import { planChanges, replaceInOrder, replacingAll, takeUp, type ReloadWorld } from './reload.ts'
import { checkScale, outdatedScales } from './scaling.ts'
import type { Service } from './service.ts'
import { setUpPlugins } from './set-up.ts'
import type { OnMove } from './states.ts'
import type { HealthReport, Outcome, PlannedChange, ServiceView, SystemApi } from './system-api.ts'
import { viewOf } from './view.ts'
import { orAborted } from './wait.ts'

export interface SystemOptions {
  readonly config: ResolvedSystem
  readonly host: Host
  readonly plugins: readonly (Plugin | PluginUse)[]
  /** Version of systemg, for `system.started`. */
  readonly version?: string
  /** Told of every move in the transition tables. */
  readonly onMove?: OnMove
  /** Told of failures that only a mistake in systemg can cause. Default: the host's trace. */
  readonly onBug?: (thrown: unknown) => void
}

export class System implements SystemApi {
  readonly hooks: Hooks
  readonly registries: Registries = createRegistries()
  readonly ended: Promise<void>
  readonly #host: Host
  readonly #version: string
  readonly #events: EventStream
  readonly #world: SystemWorld
  readonly #reconciler: Reconciler
  readonly #reload: ReloadWorld
  readonly #uses: readonly PluginUse[]
  readonly #releases: (() => void | Promise<void>)[] = []
  readonly #resolveEnded: () => void
  readonly #boot = Promise.withResolvers<void>()
  #owner: string | undefined
  #ending: Promise<void> | undefined

  /** Sets up every plugin. @throws {SysgError} when one fails to. */
  constructor(options: SystemOptions) {
    const { host, config, onMove, onBug } = options
    this.#host = host
    this.#version = options.version ?? '0.0.0'
    this.hooks = createHooks({
      clock: host.clock,
      owner: () => this.#owner,
      report: (error, { plugin, hook, service }) => {
        host.trace('error', error.message, { code: error.code, plugin, hook })
        if (hook !== 'event') this.emit('plugin.error', { service }, { plugin, hook, message: error.message })
      },
    })
    this.#events = new EventStream(config.project.id, host, this.hooks)
    this.#world = {
      host,
      hooks: this.hooks,
      project: config.project.id,
      onMove,
      bug: onBug ?? ((thrown) => host.trace('error', `internal: ${whyOf(thrown)}`, { thrown })),
      emit: (type, of, data) => this.#events.emit(type, of, data),
    }
    this.#reconciler = new Reconciler(config, this.#world)
    const uses = orderPlugins(options.plugins.map((entry) => ('plugin' in entry ? entry : { plugin: entry })))
    this.#uses = uses
    this.#reload = {
      reconciler: this.#reconciler,
      hooks: this.hooks,
      sharedKeys: sharedKeys(uses),
      live: [...liveKeys, ...uses.flatMap(({ plugin }) => plugin.live ?? [])],
    }
    setUpPlugins(uses, {
      host,
      hooks: this.hooks,
      system: this,
      registries: this.registries,
      releases: this.#releases,
      own: (name) => (this.#owner = name),
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#resolveEnded = resolve
  }

  get #booted(): Promise<void> {
    return this.#boot.promise
  }

  get config(): ResolvedSystem {
    return this.#reconciler.roster.config
  }

  view(): readonly ServiceView[] {
    const now = this.#host.clock.now()
    return [...this.#reconciler.roster.services.values()].map((service) => viewOf(service, this.config, now))
  }

  async environment(service: ResolvedService, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { env } = await this.hooks.environment.promise({ env: baseEnvironment(this.#host.env) }, { service, signal })
    return { ...env, SYSG_PROJECT: this.config.project.id, SYSG_SERVICE: service.name }
  }

  emit<T extends EventType>(
    type: T,
    of: { service?: string | undefined; instance?: string; cause?: number },
    data: EventData[T],
  ): SysgEvent {
    return this.#events.emit(type, of, data)
  }

  /**
   * Take up what an earlier supervisor left. Starts nothing new. To be called once; everything else waits for it.
   *
   * @throws what a tap of `boot` threw. Nothing has been started then.
   */
  boot(): Promise<void> {
    this.#boot.resolve(this.#bootOnce())
    return this.#booted
  }

  async #bootOnce(): Promise<void> {
    const { signal } = new AbortController()
    const state = await this.hooks.boot.promise(emptyState, { signal })
    this.#events.seq = Math.max(this.#events.seq, state.lastSeq)
    const adopted = await adoptAll(state, this.#reconciler, this.#world)
    for (const warning of this.#forgetOutdatedScales()) this.#host.trace('warn', warning)
    this.emit('system.started', {}, { version: this.#version, adopted })
    this.#reconciler.wakeAll()
  }

  async settled(options: { names?: readonly string[]; signal?: AbortSignal } = {}): Promise<Outcome> {
    await this.#booted
    const { roster } = this.#reconciler
    const names = options.names ?? this.#ofConfig().map(({ name }) => name)
    const services = roster.graph.withDependencies(names).map((name) => this.#find(name))
    await this.#untilSettled(services, new Map(), options.signal)
    return options.names === undefined ? this.#outcomeOfAll(services) : outcomeOfStart(services)
  }

  async start(options: { names?: readonly string[]; withDeps?: boolean; signal?: AbortSignal } = {}): Promise<Outcome> {
    await this.#booted
    this.#checkOpen()
    const { names, signal } = options
    const services = names === undefined ? this.#askAll() : this.#askNamed(names, options.withDeps === true)
    this.#reconciler.wakeAll()
    const runs = services.filter((service) => names?.includes(service.name) === true && service.isScheduled)
    await Promise.all(runs.map((service) => this.run(service.name)))
    await this.#reconciler.until(() => services.every((service) => !this.#reconciler.roster.isBusy(service)), signal)
    return names === undefined ? this.#outcomeOfAll(services) : outcomeOfStart(services)
  }

  async startAdHoc(spec: ResolvedService, options: { isNew?: boolean; signal?: AbortSignal } = {}): Promise<Outcome> {
    await this.#booted
    this.#checkOpen()
    const { signal } = options
    const known = findAdHoc(this.#reconciler.roster, spec, options.isNew === true)
    const isRunning = known !== undefined && known.living.length > 0
    if (known === undefined) await addAdHoc(spec, this.#reconciler, this.#world)
    const outcome = await this.start({ names: [spec.name], ...(signal === undefined ? {} : { signal }) })
    if (!isRunning) return outcome
    return { ...outcome, warnings: [`\`${spec.name}\` runs already, with the same command.`, ...outcome.warnings] }
  }

  async resume(options: { names?: readonly string[]; signal?: AbortSignal } = {}): Promise<Outcome> {
    await this.#booted
    this.#checkOpen()
    const { roster } = this.#reconciler
    const names = options.names?.filter((name) => roster.services.has(name)) ?? [...roster.services.keys()]
    const services = roster.graph.withDependencies(names).map((name) => this.#find(name))
    // Ad-hoc services are remembered by themselves: one may not have come up yet.
    for (const service of [...services, ...roster.adHoc]) service.isAsked = true
    this.#reconciler.wakeAll()
    await this.#untilSettled(services, new Map(), options.signal)
    return outcomeOfStart(services)
  }

  async stop(names: readonly string[], options: { graceMs?: number; signal?: AbortSignal } = {}): Promise<Outcome> {
    await this.#booted
    const services = names.map((name) => this.#find(name))
    const before = this.config
    const adHoc = services.filter(({ isAdHoc }) => isAdHoc)
    removeAdHoc(adHoc, this.#reconciler, this.#world)
    for (const service of services) {
      service.stopGraceMs = options.graceMs
      this.#reconciler.aftermath.forgetOutcomes(service)
      for (const replica of service.replicas) if (replica.isAtRest) replica.rearm()
      this.#setIntent(service, { ...service.intent, intent: 'stopped' })
    }
    const warnings = this.#warnOfDependents(services)
    const leaving = services.flatMap(({ living }) => living)
    this.#reconciler.wake(services)
    if (adHoc.length > 0) await tellPlugins(before, this.#reconciler.roster, this.#world)
    await this.#reconciler.until(() => areGoneOrStuck(leaving) && services.every(isLeftAlone), options.signal)
    return outcomeOfStop(services, warnings)
  }

  async restart(options: Parameters<SystemApi['restart']>[0] = {}): Promise<Outcome> {
    await this.#booted
    this.#checkOpen()
    const { names, causes = {} } = options
    if (names === undefined) return this.apply(this.#reconciler.roster.declared, { ...options, all: true })
    const named = names.map((name) => this.#findKept(name))
    const services = options.onlyWanted === true ? named.filter((one) => one.isIntended && !one.isSkipped) : named
    for (const service of services) {
      service.cause = causes[service.name] ?? service.cause
      if (options.onlyWanted === true) continue
      this.#setIntent(service, { ...service.intent, intent: 'up' })
      service.isAsked = true
      service.ignoresSkip = true
    }
    const errors = await replaceInOrder(this.#reload, replacingAll(services))
    await this.#untilSettled(services, errors, options.signal)
    return outcomeOfStart(services, errors)
  }

  async scale(
    counts: Readonly<Record<string, number>>,
    options: { wait?: boolean; signal?: AbortSignal } = {},
  ): Promise<Outcome> {
    await this.#booted
    this.#checkOpen()
    const wanted = new Map(Object.entries(counts))
    const services = [...wanted.keys()].map((name) => this.#findKept(name))
    checkScale(this.config, wanted, this.#uses)
    const leaving: Service[] = []
    for (const service of services) {
      const [from, to] = [service.wantedReplicas, wanted.get(service.name) ?? 0]
      this.#setIntent(service, { ...service.intent, replicas: to, scaledFrom: service.config.replicas })
      if (to === 0 && service.living.length > 0) leaving.push(service)
      if (from !== to)
        service.cause = this.emit('service.scaled', { service: service.name }, { from, to, by: 'you' }).seq
    }
    const warnings = this.#warnOfDependents(leaving)
    this.#reconciler.wake(services)
    if (options.wait === false) return { ok: true, problems: [], warnings }
    await this.#untilSettled(services, new Map(), options.signal)
    const outcome = outcomeOfStart(services)
    return { ...outcome, warnings: [...warnings, ...outcome.warnings] }
  }

  plan(next: ResolvedSystem, options: { all?: boolean } = {}): readonly PlannedChange[] {
    const declared = this.#reconciler.roster.withoutAdHoc(next)
    requireFree(this.#reconciler.roster, declared)
    return planChanges(this.#reload, declared, options.all === true)
  }

  async apply(next: ResolvedSystem, options: { all?: boolean; signal?: AbortSignal } = {}): Promise<Outcome> {
    await this.#booted
    this.#checkOpen()
    const work = this.#apply(next, options.all === true)
    // Whoever asked may stop waiting; what was begun is done all the same.
    return options.signal === undefined ? work : orAborted(work, options.signal)
  }

  async #apply(given: ResolvedSystem, all: boolean): Promise<Outcome> {
    const { roster } = this.#reconciler
    const before = this.config
    const next = roster.withoutAdHoc(given)
    const changed = this.plan(next, { all }).filter(({ action }) => action !== 'keep')
    giveUpNames(roster, next, this.#reconciler, this.#world)
    const replacing = takeUp(this.#reload, next, all)
    const warnings = this.#forgetOutdatedScales()
    if (changed.length > 0) this.emit('system.reloaded', {}, { changed: changed.map(({ service }) => service) })
    await tellPlugins(before, roster, this.#world)
    this.#reconciler.wakeAll()
    const removed = [...roster.services.values()].filter(({ isRemoved }) => isRemoved).flatMap(({ living }) => living)
    await this.#reconciler.until(() => areGoneOrStuck(removed))
    const errors = await replaceInOrder(this.#reload, replacing)
    // A later reload may have removed some of them again.
    const services = [...roster.services.values()].filter(({ name }) => Object.hasOwn(next.services, name))
    await this.#untilSettled(services, errors)
    const outcome = this.#outcomeOfAll(services, errors)
    return { ...outcome, warnings: [...warnings, ...outcome.warnings] }
  }

  async run(name: string): Promise<Exit | undefined> {
    await this.#booted
    this.#checkOpen()
    const service = this.#find(name)
    const replica = service.replica(0)
    if (replica.state === 'completed' || replica.state === 'failed') replica.rearm()
    replica.isRunAsked = true
    this.#reconciler.wake([service])
    const hasRun = () => !replica.isRunAsked
    const isHopeless = () => service.gate.state === 'blocked' || this.#reconciler.roster.isShuttingDown
    await this.#reconciler.until(() => hasRun() || isHopeless())
    if (hasRun()) return replica.last?.exit
    replica.isRunAsked = false
    return undefined
  }

  reportHealth(instanceId: string, report: HealthReport): void {
    const instance = [...this.#reconciler.roster.services.values()]
      .flatMap(({ living }) => living)
      .find(({ id }) => id === instanceId)
    if (instance === undefined) return
    const { healthy, reason } = report
    this.hooks.probed.call({ service: instance.service, instance, healthy, reason })
    this.#reconciler.aftermath.judge(instance, report)
  }

  async shutdown(options: { now?: boolean; why?: string; graceMs?: number } = {}): Promise<Outcome> {
    await this.#booted.catch(() => undefined)
    const services = [...this.#reconciler.roster.services.values()]
    for (const service of services) service.stopGraceMs = options.graceMs
    this.#reconciler.roster.isShuttingDown = true
    // Nothing of them is to come back, even if the supervisor is killed before everything has ended.
    removeAdHoc(this.#reconciler.roster.adHoc, this.#reconciler, this.#world)
    this.#reconciler.close()
    this.#reconciler.wakeAll()
    if (options.now === true) this.#reconciler.killAll()
    this.#ending ??= this.#end(options.why ?? null)
    await Promise.race([this.#ending, this.#reconciler.until(() => services.some(isStuck))])
    return outcomeOfStop(services)
  }

  /** What runs goes on when what it needs is stopped by a person. */
  #warnOfDependents(stopped: readonly Service[]): readonly string[] {
    const { graph } = this.#reconciler.roster
    const names = new Set(stopped.map(({ name }) => name))
    const dependents = new Set(stopped.flatMap(({ name }) => graph.dependents(name)).filter((name) => !names.has(name)))
    return this.#reconciler.roster
      .named(dependents)
      .filter(({ living }) => living.length > 0)
      .map(({ name }) => `\`${name}\` depends on what you stopped, and goes on.`)
  }

  /** What `scale` asked for holds until a config says something else. Returns a warning for each that the config forbids. */
  #forgetOutdatedScales(): readonly string[] {
    const outdated = outdatedScales(this.#reconciler.roster.services.values(), this.config, this.#uses)
    return [...outdated].flatMap(([service, why]) => {
      const from = service.wantedReplicas
      const { intent } = service.intent
      this.#setIntent(service, { intent })
      const to = service.wantedReplicas
      if (from !== to)
        service.cause = this.emit('service.scaled', { service: service.name }, { from, to, by: 'the config' }).seq
      return why === undefined ? [] : [`\`${service.name}\` is scaled back from ${from} to ${to}: ${why}`]
    })
  }

  /** Those that failed already are not waited for: somebody else may be at work on them. */
  #untilSettled(
    services: readonly Service[],
    errors: ReadonlyMap<string, SysgError>,
    signal?: AbortSignal,
  ): Promise<void> {
    const open = services.filter(({ name }) => !errors.has(name))
    return this.#reconciler.until(() => open.every((service) => !this.#reconciler.roster.isBusy(service)), signal)
  }

  async #end(reason: string | null): Promise<void> {
    const services = () => [...this.#reconciler.roster.services.values()]
    await this.#reconciler.until(() =>
      services().every(({ living, deploy }) => living.length === 0 && deploy === undefined),
    )
    for (const service of this.#reconciler.roster.services.values()) this.#reconciler.aftermath.forgetOutcomes(service)
    this.emit('system.stopped', {}, { reason })
    await this.hooks.shutdown.promise({ signal: new AbortController().signal })
    for (const release of this.#releases.reverse()) {
      await Promise.resolve()
        .then(release)
        .catch((thrown: unknown) =>
          this.#host.trace('error', `A plugin could not release what it opened: ${whyOf(thrown)}`),
        )
    }
    this.#resolveEnded()
  }

  /** How a start of everything went. */
  #outcomeOfAll(services: readonly Service[], errors?: ReadonlyMap<string, SysgError>): Outcome {
    const outcome = outcomeOfStart(services, errors)
    return { ...outcome, warnings: [...outcome.warnings, ...warningsOfAdHoc(this.#reconciler.roster.adHoc)] }
  }

  /** Services of the config. */
  #ofConfig(): readonly Service[] {
    return [...this.#reconciler.roster.services.values()].filter(({ isRemoved, isAdHoc }) => !isRemoved && !isAdHoc)
  }

  #askAll(): readonly Service[] {
    // One that was recorded but had not come up when the supervisor died. Those that have run are left alone.
    for (const service of this.#reconciler.roster.adHoc) service.isAsked = true
    const services = this.#ofConfig()
    for (const service of services) {
      service.isAsked = true
      if (service.intent.intent === 'up') rearmFailed(service)
    }
    return services
  }

  #askNamed(names: readonly string[], withDeps: boolean): readonly Service[] {
    const named = names.map((name) => this.#findKept(name))
    const all = this.#reconciler.roster.graph.withDependencies(names).map((name) => this.#find(name))
    const stopped = all.filter((service) => !names.includes(service.name) && service.intent.intent === 'stopped')
    if (stopped.length > 0 && !withDeps) {
      throw new SysgError('SYSG_DEPENDENCY_STOPPED', {
        service: names.join(', '),
        names: stopped.map(({ name }) => name),
      })
    }
    for (const service of [...named, ...stopped]) this.#setIntent(service, { ...service.intent, intent: 'up' })
    for (const service of all) {
      service.isAsked = true
      rearmFailed(service)
    }
    for (const service of named) {
      service.ignoresSkip = true
      for (const replica of service.replicas) replica.rearm()
    }
    return all
  }

  #setIntent(service: Service, intent: IntentRecord): void {
    const isNew = service.intent.intent !== intent.intent
    service.intent = intent
    // Of one that is being forgotten nothing is remembered.
    const isForgotten = service.isAdHoc && service.isRemoved
    if (!isForgotten) this.hooks.journal.call({ kind: 'intent', service: service.name, record: intent })
    if (isNew)
      service.cause = this.emit('service.intent', { service: service.name }, { intent: intent.intent, by: 'you' }).seq
  }

  /** @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
  #find(name: string): Service {
    const { services } = this.#reconciler.roster
    const service = services.get(name)
    if (service === undefined)
      throw new SysgError('SYSG_SERVICE_UNKNOWN', { name, suggestion: nearest(name, services.keys()) })
    return service
  }

  /** One that is not on its way out. @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
  #findKept(name: string): Service {
    const service = this.#find(name)
    if (service.isRemoved) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
    return service
  }

  #checkOpen(): void {
    if (this.#reconciler.roster.isShuttingDown) throw new SysgError('SYSG_SHUTTING_DOWN', undefined)
  }
}

/** Nothing was left behind. */
const emptyState: BootState = { lastSeq: 0, intents: {}, instances: [], outcomes: [], adHoc: [] }

const rearmFailed = (service: Service): void => {
  if (service.planError !== undefined) {
    service.planning = 'needed'
    service.planError = undefined
  }
  for (const replica of service.replicas) if (replica.state === 'failed') replica.rearm()
}

/** No deploy is at work on it, or one cannot end. */
const isLeftAlone = (service: Service): boolean =>
  service.deploy === undefined || service.isIntended || isStuck(service)

const isStuck = (service: Service): boolean => service.living.some(({ stuck }) => stuck.length > 0)

/** Those that live now; what a later command starts is not waited for. */
const areGoneOrStuck = (instances: readonly Instance[]): boolean =>
  instances.every(({ isLiving, stuck }) => !isLiving || stuck.length > 0)
