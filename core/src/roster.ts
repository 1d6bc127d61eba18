/** The services of a system: what the config says of them, who needs whom, and what the system as a whole wants of each. */
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import { Graph } from './graph.ts'
import type { Instance } from './instance.ts'
import type { Replica } from './replica.ts'
import { Service } from './service.ts'
import type { OnMove } from './states.ts'
import { hostOf } from './transient-name.ts'

export class Roster {
  readonly services = new Map<string, Service>()
  graph = new Graph(new Map())
  /** The config itself. */
  declared: ResolvedSystem
  /** What is in force: the config, and beside its services those that were started ad hoc. */
  config: ResolvedSystem
  /** Everything is to end. */
  isShuttingDown = false
  readonly #onMove: OnMove | undefined
  /** No transient of an earlier supervisor had a higher number: of those that have ended nothing is remembered. */
  usedBefore = 0
  /** Instance numbers used, per service. */
  readonly #counts = new Map<string, number>()

  constructor(config: ResolvedSystem, onMove: OnMove | undefined) {
    this.declared = config
    this.config = config
    this.#onMove = onMove
    this.takeUp(config)
  }

  named(names: Iterable<string>): readonly Service[] {
    return [...names].map((name) => this.services.get(name)).filter((service) => service !== undefined)
  }

  /** Dependencies before dependents. */
  inOrder(): readonly Service[] {
    return this.named(this.graph.order())
  }

  /** Everything that lives, of every service. */
  get living(): readonly Instance[] {
    return [...this.services.values()].flatMap(({ living }) => living)
  }

  /** All but those that belong to something that lives: these are shown below it. */
  get shown(): readonly Service[] {
    const ids = new Set(this.living.map(({ id }) => id))
    const isBelow = ({ transient }: Instance) => transient?.owner !== undefined && ids.has(transient.owner)
    return [...this.services.values()].filter(({ living }) => !living.some(isBelow))
  }

  /** Take up the services of a config; those gone from it are to be removed, ad-hoc ones stay. Starts nothing. */
  takeUp(config: ResolvedSystem): void {
    this.declared = config
    for (const spec of Object.values(config.services)) this.#add(spec).isAdHoc = false
    for (const service of this.services.values()) {
      if (!Object.hasOwn(config.services, service.name) && !service.isAdHoc) service.isRemoved = true
    }
    this.redraw()
  }

  /** Take up a service that is in no config. Starts nothing. */
  takeUpAdHoc(spec: ResolvedService): Service {
    const service = this.#add(spec)
    service.isAdHoc = true
    this.redraw()
    return service
  }

  /** Take up a service that is in no config, runs once, and is then forgotten. Starts nothing. */
  takeUpTransient(spec: ResolvedService): Service {
    const service = this.#add(spec)
    service.isAdHoc = true
    service.isTransient = true
    // Nobody else decides whether it is started.
    service.isAsked = true
    service.planning = 'done'
    service.plan = 'boot'
    this.redraw()
    return service
  }

  /** An ad-hoc service is to be stopped, and then forgotten. */
  removeAdHoc(service: Service): void {
    service.isRemoved = true
    this.redraw()
  }

  /** Services that are in no config and that nobody has stopped. */
  get adHoc(): readonly Service[] {
    return this.#besideConfig.filter(({ isTransient }) => !isTransient)
  }

  /** The same, with those that run once. */
  get #besideConfig(): readonly Service[] {
    return [...this.services.values()].filter(({ isAdHoc, isRemoved }) => isAdHoc && !isRemoved)
  }

  /** `config` without the ad-hoc services that what is in force has beside it. */
  withoutAdHoc(config: ResolvedSystem): ResolvedSystem {
    const own = this.#besideConfig.filter(({ name, config: spec }) => config.services[name] === spec)
    if (own.length === 0) return config
    const names = own.map(({ name }) => name)
    const kept = Object.entries(config.services).filter(([name]) => !names.includes(name))
    return { ...config, services: Object.fromEntries(kept) }
  }

  /** A service that an earlier supervisor ran and the config no longer has: kept until it is stopped. */
  keepRemoved(spec: Service['config']): Service {
    const service = new Service(spec, this.#onMove)
    service.isRemoved = true
    this.services.set(service.name, service)
    this.redraw()
    return service
  }

  /** A service that was removed and of which nothing lives. */
  forget(service: Service): void {
    this.services.delete(service.name)
    this.redraw()
  }

  /** The system and the service want it up. */
  isWanted(service: Service): boolean {
    return (
      !this.isShuttingDown &&
      (service.isIntended || service.replicas.some(({ askedRun }) => askedRun !== undefined)) &&
      !service.isRemoved
    )
  }

  /** How a run of it ends matters later: others start only when it has completed, or it is one of a schedule. */
  isAwaited(name: string): boolean {
    if (this.services.get(name)?.isScheduled === true) return true
    return this.named(this.graph.dependents(name)).some(
      ({ config: { depends_on: needs } }) => needs[name]?.condition === 'completed',
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
    if (service.planning !== 'done') return true
    // Whoever asks for a run of a scheduled one waits for that run; nobody else does.
    if (service.planError !== undefined || service.isSkipped || service.isScheduled) return false
    // What becomes of one that has just ended is decided in a moment.
    const isOpen = ({ state, living }: Replica) => state === 'idle' || (state === 'live' && living.size === 0)
    return service.wanted.some(isOpen) && service.gate.state !== 'blocked'
  }

  /** A name for the next instance of a service: never used before. */
  nextId(service: string): string {
    const of = countedWith(service)
    const used = this.#counts.get(of) ?? (of === service ? 0 : this.usedBefore)
    const count = used + 1
    this.#counts.set(of, count)
    return `${service}-${count}`
  }

  /** Instance ids up to this one have been used. */
  reserveId(id: string): void {
    const [, service, number] = /^(.*)-(\d+)$/.exec(id) ?? []
    if (service === undefined) return
    const of = countedWith(service)
    const used = this.#counts.get(of) ?? (of === service ? 0 : this.usedBefore)
    this.#counts.set(of, Math.max(used, Number(number)))
  }

  #add(spec: ResolvedService): Service {
    const service = this.services.get(spec.name) ?? new Service(spec, this.#onMove)
    service.config = spec
    service.isRemoved = false
    this.services.set(service.name, service)
    return service
  }

  /** The graph also has those that were removed, as long as something of them lives. */
  redraw(): void {
    this.graph = new Graph(new Map([...this.services].map(([name, { config }]) => [name, config])))
    const beside = Object.fromEntries(this.#besideConfig.map(({ name, config }) => [name, config]))
    const { services } = this.declared
    this.config =
      Object.keys(beside).length === 0 ? this.declared : { ...this.declared, services: { ...services, ...beside } }
  }
}

/** Transients have ever new names; what counts their instances must not grow with them. */
const countedWith = (service: string): string => {
  const of = hostOf(service)
  return of === undefined ? service : `${of}:`
}
