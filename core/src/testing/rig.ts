/** A system on a simulated machine, for tests of plugins: time is in your hand, programs do as you say. */
import { resolveConfig } from '../config/index.ts'
import type { ResolvedSystem, ServiceConfig } from '../config/types.ts'
import { SysgError } from '../errors.ts'
import type { SysgEvent } from '../events.ts'
import type { Signal } from '../host.ts'
import { definePlugin, orderPlugins, type Plugin, type PluginUse } from '../plugin.ts'
import {
  createWorld,
  defaultProgram,
  type Program,
  type SimulatedHost,
  type SimulatedWorld,
} from '../simulated/index.ts'
import type { ServiceState } from '../states.ts'
import type { Outcome, ServiceView } from '../system-api.ts'
import { System } from '../system.ts'
import { runCommand, type RanCommand, type TypedCommand } from './run-command.ts'

export interface SimulationOptions {
  readonly seed?: number
  /** Wall clock at the beginning, ms since 1970. Default: 2026-01-01T00:00:00Z. */
  readonly startMs?: number
  /** What each service runs; default: until it is signalled. `sim.service(name).runs(…)` changes it. */
  readonly programs?: Readonly<Record<string, Program>>
  /** Top-level keys of the config. */
  readonly system?: Readonly<Record<string, unknown>>
  /** Environment of the one who loads the config, for `${VAR}`. */
  readonly env?: Readonly<Record<string, string>>
  /** Files that loading the config may read, by absolute path. */
  readonly files?: Readonly<Record<string, string>>
  /** Told of every event, when it happens. What it throws fails the simulation. */
  readonly onEvent?: (event: SysgEvent, sim: Simulation) => void
  /** Do not start anything: the test calls `sim.system.start()`. */
  readonly idle?: boolean
}

/** One service of a simulation. */
export interface SimulatedService {
  readonly view: ServiceView
  readonly state: ServiceState
  readonly reason: string | null
  /** How often a process of it was started. */
  readonly starts: number
  /** Pids that live, its children among them. */
  readonly pids: readonly number[]
  /** Its tracked process ends by itself; resolves when everything that follows at once is done. */
  exit(how?: { code?: number } | { signal: Signal }): Promise<void>
  /** What its next process runs. */
  runs(program: Program): void
}

/** How often each edge of the transition tables was taken: `instance starting ready` → 3. */
export type Histogram = ReadonlyMap<string, number>

/** A running simulation. Disposing of it stops everything and fails when something was left behind. */
export class Simulation implements AsyncDisposable {
  readonly world: SimulatedWorld
  /** Everything that happened, over all supervisors. */
  readonly events: SysgEvent[] = []
  system: System
  host: SimulatedHost
  readonly #options: SimulationOptions
  readonly #plugins: readonly PluginUse[]
  readonly #programs: Map<string, Program>
  readonly #moves = new Map<string, number>()
  readonly #bugs: unknown[] = []
  #config: ResolvedSystem
  #isCrashed = false

  /** Use `Simulation.create`. */
  constructor(plugins: readonly PluginUse[], options: SimulationOptions, config: ResolvedSystem) {
    this.#options = options
    this.#plugins = plugins
    this.#config = config
    this.#programs = new Map(Object.entries(options.programs ?? {}))
    this.world = createWorld({
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.startMs === undefined ? {} : { startMs: options.startMs }),
      programs: (spec) => this.#programs.get(spec.env['SYSG_SERVICE'] ?? '') ?? defaultProgram,
    })
    this.host = this.world.host()
    this.system = this.#createSystem()
  }

  /** A machine and a supervisor that has not booted. @throws {SysgError} for the first mistake in the config. */
  static async create(
    plugins: readonly (Plugin | PluginUse)[],
    services: Readonly<Record<string, ServiceConfig>>,
    options: SimulationOptions = {},
  ): Promise<Simulation> {
    const uses = plugins.map((entry) => ('plugin' in entry ? entry : { plugin: entry }))
    return new Simulation(uses, options, await resolve(uses, services, options))
  }

  get moves(): Histogram {
    return this.#moves
  }

  /** Let time pass. */
  readonly clock = {
    advance: (ms: number): Promise<void> => this.world.advance(ms),
    settle: (): Promise<void> => this.world.settle(),
  }

  /** A config of these services, checked and with every default filled in. */
  configOf(
    services: Readonly<Record<string, ServiceConfig>>,
    system = this.#options.system ?? {},
  ): Promise<ResolvedSystem> {
    return resolve(this.#plugins, services, { ...this.#options, system })
  }

  service(name: string): SimulatedService {
    const view = () => {
      const found = this.system.view().find((one) => one.name === name)
      if (found === undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
      return found
    }
    const { world } = this
    const programs = this.#programs
    return {
      get view() {
        return view()
      },
      get state() {
        return view().state
      },
      get reason() {
        return view().reason
      },
      get starts() {
        return world.spawnCount(name)
      },
      get pids() {
        return world.processes.list(name).map(({ pid }) => pid)
      },
      exit: async (how = {}) => {
        const pid = view().instances.find(({ role }) => role === 'active')?.pid
        if (pid === null || pid === undefined) throw new Error(`${name} does not run`)
        if ('signal' in how) world.processes.kill(pid, how.signal)
        else world.processes.exit(pid, how.code ?? 0)
        await world.settle()
      },
      runs: (program) => void programs.set(name, program),
    }
  }

  /** Run a command that one of the plugins brings, as `sysg <name>` does. */
  command(name: string, typed: TypedCommand = {}): Promise<RanCommand> {
    return this.finish(runCommand({ system: this.system, plugins: this.#plugins }, name, typed))
  }

  /** The state of every service, by name. */
  get states(): Readonly<Record<string, ServiceState>> {
    return Object.fromEntries(this.system.view().map(({ name, state }) => [name, state]))
  }

  /** Types of the events about a service, or of all, in order. */
  eventTypes(service?: string): readonly string[] {
    return this.events.filter((event) => service === undefined || event.service === service).map(({ type }) => type)
  }

  /** Let time pass until a promise of the system settles, and give its result. @throws when it does not within a day. */
  async finish<T>(promise: Promise<T>): Promise<T> {
    const settled = { yes: false }
    const mark = () => void (settled.yes = true)
    promise.then(mark, mark)
    if (!(await this.world.until(() => settled.yes)))
      throw new Error('The operation did not end within a simulated day.')
    return promise
  }

  /** Let time pass until a condition holds. @throws when it does not within a day. */
  async until(condition: () => boolean, what = 'the condition'): Promise<void> {
    if (!(await this.world.until(condition))) throw new Error(`${what} did not come true within a simulated day`)
  }

  /** SIGKILL of the supervisor. Programs go on. */
  crash(): void {
    this.world.crashSupervisor(this.host)
    this.#isCrashed = true
  }

  /** A new supervisor on the same machine, with the same config or another. */
  async boot(services?: Readonly<Record<string, ServiceConfig>>): Promise<void> {
    if (services !== undefined) this.#config = await this.configOf(services)
    this.host = this.world.host()
    this.#isCrashed = false
    this.system = this.#createSystem()
    await this.finish(this.system.boot())
  }

  /** Start everything and let time pass until it is settled. */
  start(names?: readonly string[]): Promise<Outcome> {
    return this.finish(this.system.start(names === undefined ? {} : { names }))
  }

  /** Failures that only a mistake in systemg can cause. */
  get bugs(): readonly unknown[] {
    return this.#bugs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.finish(this.system.shutdown({ now: true }))
    await this.world.settle()
    const timers = this.world.pendingTimers(this.host)
    const left = this.world.processes.list()
    this.world.crashSupervisor(this.host)
    if (this.#bugs.length > 0) throw this.#bugs[0]
    if (timers > 0) throw new Error(`${timers} timers were left behind`)
    if (left.length > 0)
      throw new Error(
        `processes were left behind: ${left.map(({ service, pid }) => `${service ?? '?'} ${pid}`).join(', ')}`,
      )
  }

  #record(event: SysgEvent): void {
    this.events.push(event)
    try {
      this.#options.onEvent?.(event, this)
    } catch (thrown) {
      this.#bugs.push(thrown)
    }
  }

  #createSystem(): System {
    const { host } = this
    // What a killed supervisor still computes never happened.
    const isAlive = () => this.host === host && !this.#isCrashed
    const recorder = definePlugin({
      name: 'test-recorder',
      setup: ({ hooks }) =>
        hooks.event.tap('test-recorder', (event) => {
          if (isAlive()) this.#record(event)
        }),
    })
    return new System({
      config: this.#config,
      host: this.host,
      plugins: [...this.#plugins, { plugin: recorder }],
      onMove: (table, from, cue) => {
        if (!isAlive()) return
        const edge = `${table} ${from} ${cue}`
        this.#moves.set(edge, (this.#moves.get(edge) ?? 0) + 1)
      },
      onBug: (thrown) => {
        if (isAlive()) this.#bugs.push(thrown)
      },
    })
  }
}

/**
 * Run services under these plugins on a simulated machine; everything is started and settled when it resolves.
 *
 * @example await using sim = await simulate([restart], { api: { command: 'x', restart_policy: 'always' } })
 */
export const simulate = async (
  plugins: readonly (Plugin | PluginUse)[],
  services: Readonly<Record<string, ServiceConfig>>,
  options: SimulationOptions = {},
): Promise<Simulation> => {
  const simulation = await Simulation.create(plugins, services, options)
  await simulation.finish(simulation.system.boot())
  if (options.idle !== true) await simulation.start()
  return simulation
}

const resolve = async (
  plugins: readonly PluginUse[],
  services: Readonly<Record<string, ServiceConfig>>,
  options: SimulationOptions,
): Promise<ResolvedSystem> => {
  const { system, problems } = await resolveConfig({
    value: { ...options.system, services },
    file: '/srv/sysg.config.ts',
    folder: '/srv',
    plugins: orderPlugins(plugins),
    env: options.env ?? {},
    readText: (path) => Promise.resolve(options.files?.[path]),
    projectDefault: { id: 'test', name: 'test' },
  })
  const [problem] = problems
  if (system !== undefined) return system
  throw SysgError.of(problem?.code ?? 'SYSG_CONFIG_INVALID', { message: problem?.message ?? 'invalid config' })
}
