/**
 * When `pre_start` runs: once before a service starts because a person or the boot wants it up, and once per deploy.
 * Not before a restart after a crash, unless it has not succeeded yet, and not for each replica.
 */
import { SysgError, whyOf, type InstanceAt, type PluginApi, type ResolvedService } from '@systemg/core'
import type { Commands } from './commands.ts'
import { deploymentOf } from './deployment.ts'
import type { Slots } from './slots.ts'

/** One run of the command, and how many wait for it. */
interface SharedRun {
  /** The config it runs for. */
  readonly of: string
  readonly controller: AbortController
  readonly result: Promise<void>
  waiting: number
}

export class PreStart {
  readonly #system: PluginApi['system']
  readonly #commands: Commands
  readonly #slots: Slots
  readonly #runs = new Map<string, SharedRun>()
  /** Services whose start needs it, and that have not seen it succeed. */
  readonly #due = new Set<string>()

  constructor({ system }: PluginApi, commands: Commands, slots: Slots) {
    this.#system = system
    this.#commands = commands
    this.#slots = slots
  }

  /** To be awaited before an instance is launched. @throws {SysgError} `SYSG_PRE_START_FAILED`. */
  async beforeStart({ service, instance, signal }: InstanceAt): Promise<void> {
    const { name } = service
    if (!hasPreStart(service) || instance.start === 'deploy') return
    const isRunning = this.#runs.has(name)
    if (instance.start === 'asked' && (isRunning || !this.#hasOthers(name, instance.id))) this.#due.add(name)
    if (!this.#due.has(name)) return
    if (!isRunning) {
      const data = { command: deploymentOf(service).pre_start ?? '' }
      this.#system.emit('service.pre_start', { service: name, instance: instance.id }, data)
    }
    try {
      await this.run(service, this.#slots.read(name).active, signal)
    } catch (thrown) {
      if (signal.aborted) throw thrown
      throw SysgError.of(
        'SYSG_PRE_START_FAILED',
        {
          message: `\`pre_start\` failed: ${whyOf(thrown)}.`,
          hint: `\`sysg logs ${name}\` shows what it wrote.`,
        },
        {
          cause: thrown,
          lastLines: thrown instanceof Error && 'lastLines' in thrown ? (thrown.lastLines as string[]) : [],
        },
      )
    }
  }

  /**
   * Run it, or wait for the run that is under way for the same config. It is ended when nobody waits any more.
   *
   * @param slot - Of the instance that is to be started.
   */
  async run(service: ResolvedService, slot: string | undefined, signal: AbortSignal): Promise<void> {
    const { name } = service
    const of = JSON.stringify(service)
    for (let other = this.#runs.get(name); other !== undefined && other.of !== of; other = this.#runs.get(name)) {
      await other.result.catch(() => undefined)
      signal.throwIfAborted()
    }
    const shared = this.#runs.get(name) ?? this.#begin(service, slot, of)
    await join(shared, signal)
    this.#due.delete(name)
  }

  /** End everything that runs. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()]
    for (const { controller } of runs) controller.abort(new Error('the system ends'))
    await Promise.allSettled(runs.map(({ result }) => result))
  }

  #begin(service: ResolvedService, slot: string | undefined, of: string): SharedRun {
    const { name } = service
    const { pre_start: command = '', pre_start_timeout: limitMs } = deploymentOf(service)
    const controller = new AbortController()
    const result = this.#commands
      .run({
        name: 'pre_start',
        service,
        command,
        places: this.#slots.places(service, slot),
        limitMs,
        signal: controller.signal,
      })
      .finally(() => this.#runs.delete(name))
    const shared = { of, controller, result, waiting: 0 }
    this.#runs.set(name, shared)
    return shared
  }

  #hasOthers(service: string, instance: string): boolean {
    const [view] = this.#system.view([service])
    return view?.instances.some(({ id, pid }) => id !== instance && pid !== null) === true
  }
}

export const hasPreStart = (service: ResolvedService): boolean => deploymentOf(service).pre_start !== undefined

/** The last one to leave waits until nothing of the command lives. */
const join = (shared: SharedRun, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    shared.waiting += 1
    const leave = () => {
      shared.waiting -= 1
      if (shared.waiting === 0) shared.controller.abort(signal.reason)
      else reject(signal.reason as Error)
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    shared.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
