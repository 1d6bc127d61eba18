/**
 * A system: everything one config composes, with the plugins that act for it. It boots, it ends, and in between commands
 * ask it for `operations/`; those set intents, and the reconciler does the rest.
 */
import { removeAdHoc } from './ad-hoc.ts'
import { adoptAll } from './adopt.ts'
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import { EventStream } from './dispatch.ts'
import { SysgError, whyOf } from './errors.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import { createHooks, type Hooks } from './hooks.ts'
import type { Exit, Host } from './host.ts'
import type { InstanceInfo } from './instance-info.ts'
import { findService, inspectionOf, type Inspection } from './inspection.ts'
import type { BootState } from './journal.ts'
import { baseEnvironment } from './launch-environment.ts'
import { apply, plan } from './operations/apply.ts'
import type { OperationWorld } from './operations/operation-world.ts'
import { nothingReplaced } from './operations/replace-services.ts'
import { restart } from './operations/restart.ts'
import { resume } from './operations/resume.ts'
import { run } from './operations/run.ts'
import { forgetOutdatedScales, scale } from './operations/scale.ts'
import { isStuck, settled } from './operations/settled.ts'
import { start, startAdHoc } from './operations/start.ts'
import { stop } from './operations/stop.ts'
import { outcomeOfStop } from './outcome.ts'
import { createPluginHooks } from './plugin-hooks.ts'
import { liveKeysOf } from './plugin-keys.ts'
import { orderPlugins, type Plugin, type PluginUse } from './plugin.ts'
import { Reconciler } from './reconciler.ts'
import { createRegistries, type Registries } from './registries.ts'
import { learnSecrets, withoutSecrets } from './secrets-of-system.ts'
import { Secrets } from './secrets.ts'
import { setUpPlugins } from './set-up.ts'
import type { OnMove } from './states.ts'
import type {
  ApplyOptions,
  HealthReport,
  InspectOptions,
  Outcome,
  PlannedChange,
  RestartOptions,
  RunOptions,
  ScaleOptions,
  ServiceView,
  SettleOptions,
  ShutdownOptions,
  StartAdHocOptions,
  StartOptions,
  StopOptions,
  SystemApi,
  TransientOptions,
} from './system-api.ts'
import type { SystemWorld } from './system-world.ts'
import { tapWorld } from './tap-world.ts'
import { startTransient } from './transient.ts'
import { viewOf } from './view.ts'

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
  readonly #secrets = new Secrets((text) => Object.hasOwn(this.config.services, text))
  readonly #host: Host
  readonly #version: string
  readonly #events: EventStream
  readonly #world: OperationWorld
  readonly #reconciler: Reconciler
  readonly #releases: (() => void | Promise<void>)[] = []
  readonly #resolveEnded: () => void
  readonly #boot = Promise.withResolvers<void>()
  #owner: string | undefined
  #ending: Promise<void> | undefined
  /** Somebody does not want to wait for the end. */
  readonly #hurry = new AbortController()
  /** An earlier supervisor was about to end everything. */
  #wasEnding = false

  /** Sets up every plugin. @throws {SysgError} when one fails to. */
  constructor(options: SystemOptions) {
    const { config, onMove, onBug } = options
    const host = withoutSecrets(options.host, this.#secrets)
    this.#host = host
    this.#version = options.version ?? '0.0.0'
    const taps = tapWorld(
      host,
      () => this.#owner,
      (service, data) => this.emit('plugin.error', { service }, data),
    )
    this.hooks = createHooks(taps)
    this.#events = new EventStream(config.project.id, host, this.hooks, this.#secrets)
    const uses = orderPlugins(options.plugins.map((entry) => ('plugin' in entry ? entry : { plugin: entry })))
    const world: SystemWorld = {
      host,
      hooks: this.hooks,
      project: config.project.id,
      onMove,
      bug: onBug ?? ((thrown) => host.trace('error', `internal: ${whyOf(thrown)}`, { thrown })),
      hide: (value) => this.#secrets.hideIn(value),
      emit: (type, of, data) => this.#events.emit(type, of, data),
    }
    this.#reconciler = new Reconciler(config, world)
    this.#world = {
      ...world,
      reconciler: this.#reconciler,
      uses,
      live: liveKeysOf(uses),
      catchingUp: nothingReplaced,
    }
    learnSecrets(this.hooks, this.#secrets)
    setUpPlugins(uses, {
      host,
      hooks: this.hooks,
      hookOf: createPluginHooks(
        uses.map(({ plugin }) => plugin),
        taps,
      ).hookOf,
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

  /** Once the system is up; what comes of it shows no secret. */
  async #asked<T>(operation: () => Promise<T>): Promise<T> {
    await this.#booted
    return this.#secrets.hideIn(await operation())
  }

  /** What plugins have to say besides. Nobody cares when everything is being stopped. */
  async #withAdvice(outcome: Outcome): Promise<Outcome> {
    if (this.isStopping) return outcome
    const { signal } = new AbortController()
    return { ...outcome, warnings: await this.hooks.settled.promise(outcome.warnings, { signal }) }
  }

  get config(): ResolvedSystem {
    return this.#reconciler.roster.config
  }

  get isStopping(): boolean {
    return this.#reconciler.roster.isShuttingDown
  }

  view(names?: readonly string[]): readonly ServiceView[] {
    const now = this.#host.clock.now()
    const { roster } = this.#reconciler
    const services = names === undefined ? roster.shown : roster.named(names)
    return this.#secrets.hideIn([...services].map((service) => this.hooks.view.call(viewOf(service, this.config, now))))
  }

  async look(names?: readonly string[]): Promise<readonly ServiceView[]> {
    await this.hooks.beforeView.promise({ signal: new AbortController().signal })
    return this.view(names)
  }

  async inspect(name: string, { windowMs = 600_000, signal }: InspectOptions = {}): Promise<Inspection> {
    await this.#booted
    const limit = signal ?? new AbortController().signal
    await this.look()
    const found = findService(name, this.#reconciler.roster)
    const { config, name: own } = found.service
    const service = this.config.services[own] ?? config
    const [view] = this.view([own])
    if (view === undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
    const begun = await inspectionOf(found, service, view, this.#host)
    // What it would be started with now may hold secrets that nothing was started with yet.
    await this.environment(service, limit).catch(() => undefined)
    const at = { service, instances: found.instances, windowMs, signal: limit }
    return this.#secrets.hideIn(await this.hooks.inspect.promise(begun, at))
  }

  async environment(service: ResolvedService, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    const { env } = await this.hooks.environment.promise({ env: baseEnvironment(this.#host.env) }, { service, signal })
    this.#secrets.learn(env)
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
    this.#wasEnding = state.isEnding === true
    // Each had an event of its own at least.
    this.#reconciler.roster.usedBefore = state.lastSeq
    const adopted = await adoptAll(state, this.#reconciler, this.#world)
    for (const warning of forgetOutdatedScales(this.#world)) this.#host.trace('warn', warning)
    this.emit('system.started', {}, { version: this.#version, adopted })
    this.#reconciler.wakeAll()
  }

  settled(options?: SettleOptions): Promise<Outcome> {
    return this.#asked(async () => this.#withAdvice(await settled(this.#world, options)))
  }

  start(options?: StartOptions): Promise<Outcome> {
    return this.#asked(async () => {
      if (this.#wasEnding) this.#recordEnding(false)
      this.#wasEnding = false
      const outcome = await start(this.#world, options)
      return options?.names === undefined ? this.#withAdvice(outcome) : outcome
    })
  }

  startAdHoc(spec: ResolvedService, options?: StartAdHocOptions): Promise<Outcome> {
    return this.#asked(() => startAdHoc(this.#world, spec, options))
  }

  async startTransient(options: TransientOptions): Promise<InstanceInfo> {
    await this.#booted
    return startTransient(this.#world, options)
  }

  giveTo(instanceId: string, owner: string | undefined): void {
    this.#reconciler.giveTo(instanceId, owner)
  }

  resume(options?: SettleOptions): Promise<Outcome> {
    return this.#asked(() =>
      this.#wasEnding
        ? this.shutdown({ why: 'it was being stopped when the supervisor died' })
        : resume(this.#world, options),
    )
  }

  stop(names: readonly string[], options?: StopOptions): Promise<Outcome> {
    return this.#asked(() => stop(this.#world, names, options))
  }

  restart(options?: RestartOptions): Promise<Outcome> {
    return this.#asked(() => restart(this.#world, options))
  }

  scale(counts: Readonly<Record<string, number>>, options?: ScaleOptions): Promise<Outcome> {
    return this.#asked(() => scale(this.#world, counts, options))
  }

  plan(next: ResolvedSystem, options?: { all?: boolean }): readonly PlannedChange[] {
    return plan(this.#world, next, options)
  }

  apply(next: ResolvedSystem, options?: ApplyOptions): Promise<Outcome> {
    return this.#asked(async () => this.#withAdvice(await apply(this.#world, next, options)))
  }

  async run(name: string, options?: RunOptions): Promise<Exit | undefined> {
    await this.#booted
    return (await run(this.#world, name, options)).ended?.exit
  }

  endRun(instanceId: string, reason: string): void {
    const instance = this.#reconciler.roster.living.find(({ id }) => id === instanceId)
    if (instance !== undefined) this.#reconciler.requestStop(instance, { why: 'called off', detail: reason })
  }

  reportHealth(instanceId: string, report: HealthReport): void {
    const instance = this.#reconciler.roster.living.find(({ id }) => id === instanceId)
    if (instance === undefined) return
    const { healthy, reason } = report
    this.hooks.probed.call({ service: instance.service, instance, healthy, reason })
    this.#reconciler.aftermath.judge(instance, report)
  }

  async shutdown(options: ShutdownOptions = {}): Promise<Outcome> {
    await this.#booted.catch(() => undefined)
    const services = [...this.#reconciler.roster.services.values()]
    for (const service of services) service.stopGraceMs = options.graceMs
    if (!this.#reconciler.roster.isShuttingDown) this.#recordEnding(true)
    this.#reconciler.roster.isShuttingDown = true
    // Nothing of them is to come back, even if the supervisor is killed before everything has ended.
    removeAdHoc(this.#reconciler.roster.adHoc, this.#reconciler, this.#world)
    this.#reconciler.close()
    this.#reconciler.wakeAll()
    if (options.now === true) {
      this.#hurry.abort(new Error('everything has to end at once'))
      this.#reconciler.killAll()
    }
    this.#ending ??= this.#end(options.why ?? null)
    await Promise.race([this.#ending, this.#reconciler.until(() => services.some(isStuck))])
    return this.#secrets.hideIn(outcomeOfStop(services))
  }

  #recordEnding(isEnding: boolean): void {
    this.hooks.journal.call({ kind: 'ending', isEnding })
  }

  async #end(reason: string | null): Promise<void> {
    const services = () => [...this.#reconciler.roster.services.values()]
    await this.#reconciler.until(() =>
      services().every(({ living, deploy }) => living.length === 0 && deploy === undefined),
    )
    for (const service of this.#reconciler.roster.services.values()) this.#reconciler.aftermath.forgetOutcomes(service)
    this.emit('system.stopped', {}, { reason })
    this.#recordEnding(false)
    await this.hooks.shutdown.promise({ signal: new AbortController().signal, hurry: this.#hurry.signal })
    for (const release of this.#releases.reverse()) {
      await Promise.resolve()
        .then(release)
        .catch((thrown: unknown) =>
          this.#host.trace('error', `A plugin could not release what it opened: ${whyOf(thrown)}`),
        )
    }
    this.#resolveEnded()
  }
}

/** Nothing was left behind. */
const emptyState: BootState = { lastSeq: 0, intents: {}, instances: [], outcomes: [], adHoc: [] }
