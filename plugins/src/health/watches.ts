/** The instances that live, and what is asked and known of each. */
import { SysgError, type InstanceInfo, type PluginApi } from '@systemg/core'
import { Checker } from './checker.ts'
import { checkOf } from './checks.ts'
import { History } from './history.ts'
import type { HealthCheck } from './options.ts'
import { filledIn } from './placeholders.ts'

interface Watch {
  readonly instance: InstanceInfo
  readonly checker: Checker
}

export class Watches {
  readonly history: History
  readonly #api: Pick<PluginApi, 'host' | 'system' | 'registries'>
  readonly #watches = new Map<string, Watch>()

  constructor(api: Pick<PluginApi, 'host' | 'system' | 'registries'>) {
    this.#api = api
    this.history = new History(api.host.clock)
  }

  get instances(): readonly InstanceInfo[] {
    return [...this.#watches.values()].map(({ instance }) => instance)
  }

  /** An instance lives from now on. */
  add(instance: InstanceInfo): void {
    if (this.#watches.has(instance.id)) return
    const { host, system } = this.#api
    const checker = new Checker({
      clock: host.clock,
      check: () => checkOf(instance),
      ask: (check, signal) => this.#ask(instance, check, signal),
      tried: (result, durationMs) => this.history.add(instance, result, durationMs),
      judged: ({ healthy, reason }, check) =>
        system.reportHealth(instance.id, { healthy, reason, isShownOnly: check?.liveness === false }),
    })
    this.#watches.set(instance.id, { instance, checker })
  }

  /** Resolves when its check says that it is ready, and looks after it from then on. @throws {Error} the reason why not. */
  async untilReady(instance: InstanceInfo, signal: AbortSignal): Promise<void> {
    this.add(instance)
    const checker = this.#watches.get(instance.id)?.checker
    await checker?.untilReady(signal)
    checker?.watch()
  }

  /** It was ready when an earlier supervisor saw it last. */
  goOn(instance: InstanceInfo): void {
    this.add(instance)
    this.#watches.get(instance.id)?.checker.watch()
  }

  /** It is on its way out: what it says no longer matters. */
  stop(instance: InstanceInfo): void {
    this.#watches.get(instance.id)?.checker.stop()
  }

  remove(instance: InstanceInfo): void {
    this.stop(instance)
    this.#watches.delete(instance.id)
    this.history.end(instance)
  }

  /** Another config is in force. Resolves when nothing is said to be unhealthy by a check that is no longer made. */
  async refresh(): Promise<void> {
    const ready = new Set(
      this.#api.system
        .view()
        .flatMap(({ instances }) => instances)
        .filter(({ state }) => state === 'ready' || state === 'unhealthy')
        .map(({ id }) => id),
    )
    const known = [...this.#watches.values()].map(({ instance, checker }) => {
      const refreshed = checker.refresh()
      if (ready.has(instance.id)) checker.watch()
      return refreshed
    })
    await Promise.all(known)
  }

  #ask(instance: InstanceInfo, { probe: name, options }: HealthCheck, signal: AbortSignal): Promise<void> {
    const probe = this.#api.registries.probes.get(name)
    if (probe === undefined) throw probeGone(name)
    const given = name === 'log' ? options : filledIn(options, instance.launch?.env ?? {})
    return probe({ instance, options: given, signal, answeredBy: this.#mustAnswer(instance) })
  }

  /** While another instance of the service may have the same address, a candidate must answer itself. */
  #mustAnswer({ id, role, service, tree }: InstanceInfo): InstanceInfo['tree'] {
    if (role !== 'candidate') return undefined
    const hasOther = this.instances.some((other) => other.id !== id && other.service.name === service.name)
    return hasOther ? tree : undefined
  }
}

/** The config was checked with a plugin that this supervisor does not have. */
const probeGone = (name: string): SysgError =>
  SysgError.of('SYSG_PROBE_UNKNOWN', {
    message: `No plugin of this supervisor brings the probe \`${name}\`.`,
    hint: 'Stop the system and start it again, so that a supervisor with that plugin takes over.',
  })
