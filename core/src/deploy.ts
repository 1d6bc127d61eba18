/**
 * One deploy of one service: its running replicas are replaced by its strategy, one at a time, so that a failure at any
 * step leaves the instance that serves untouched. A replica that is scaled away meanwhile is left out; one that comes
 * waits until the end, and then runs what the others do.
 */
import type { ResolvedService } from './config/types.ts'
import type { DeployWorld } from './deploy-world.ts'
import { adviceOf, SysgError, whyOf } from './errors.ts'
import type { EventData, EventType, SysgEvent } from './events.ts'
import type { Instance } from './instance.ts'
import { ReplicaReplacement } from './replacement.ts'
import type { Replica } from './replica.ts'
import type { Service } from './service.ts'
import type { Strategy } from './strategy.ts'
import { limited, orAborted, within } from './wait.ts'

/** How long a strategy that was called off may take to end, ms. Then it is left alone. */
const settleLimitMs = 10_000
/** How long `undo` may take when the strategy says nothing else, ms. */
const undoLimitMs = 60_000

/** Whether an instance is one of those to be replaced. */
export type IsOld = (instance: Instance) => boolean

export class Deploy {
  readonly target: ResolvedService
  readonly strategy: Strategy
  /** Settles when nothing of the deploy is left to do. Undefined when it went well. */
  result: Promise<SysgError | undefined> = Promise.resolve(undefined)
  readonly #controller = new AbortController()
  readonly #service: Service
  readonly #world: DeployWorld
  readonly #run: { step: string } = { step: 'start' }
  readonly #isOld: IsOld
  /** The replica it is at. */
  #current: { readonly replica: Replica; readonly leftOut: AbortController } | undefined
  readonly #hurry = new AbortController()
  /** Why something could not be taken back. */
  #undoFailure: string | undefined
  #cause: number | undefined

  constructor(
    service: Service,
    target: ResolvedService,
    strategy: Strategy,
    world: DeployWorld,
    options: { readonly isOld: IsOld; readonly cause: number | undefined },
  ) {
    this.target = target
    this.strategy = strategy
    this.#service = service
    this.#world = world
    this.#isOld = options.isOld
    this.#cause = options.cause
  }

  begin(): void {
    this.result = this.#perform()
  }

  /** End it. What it started is removed; what served goes on. */
  abort(error: SysgError, step?: string): void {
    if (step !== undefined) this.#run.step = step
    this.#controller.abort(error)
  }

  /** Only these replicas are still wanted. What is at work on another one ends, and that is no failure. */
  keepTo(wanted: readonly Replica[]): void {
    if (this.#current === undefined || wanted.includes(this.#current.replica)) return
    this.#current.leftOut.abort(new Error('it was scaled away'))
  }

  /** No time is left for taking anything back. */
  hurry(): void {
    this.#hurry.abort(new Error('everything had to end at once'))
  }

  async #perform(): Promise<SysgError | undefined> {
    const { clock } = this.#world
    const startMs = clock.monotonic()
    const facts = { strategy: this.strategy.name, replicas: this.#service.wantedReplicas }
    this.#cause = this.#emit('deploy.started', facts).seq
    const run = this.#run
    try {
      await this.#prepare(run)
      for (const replica of this.#service.wanted.filter(({ isNew }) => !isNew)) {
        this.#controller.signal.throwIfAborted()
        if (this.#service.wanted.includes(replica) && !replica.isNew) await this.#replaceUnlessLeftOut(replica, run)
      }
    } catch (thrown) {
      const error = this.#errorOf(thrown, run.step)
      this.#emit('deploy.rolled_back', { step: run.step, reason: whyOf(thrown), code: error.code })
      return error
    }
    this.#emit('deploy.succeeded', { duration_ms: Math.round(clock.monotonic() - startMs) })
    return undefined
  }

  async #prepare(run: { step: string }): Promise<void> {
    const { signal } = this.#controller
    const running = this.#service.replicas.find(({ active }) => active !== undefined)?.active
    if (running !== undefined) {
      run.step = 'prepare'
      await orAborted(this.#world.beforeReplace({ service: this.target, running: running.service, signal }), signal)
    }
    if (this.strategy.prepare === undefined) return
    const begin = {
      service: this.target,
      signal,
      step: async <T>(name: string, body: () => Promise<T>): Promise<T> => {
        signal.throwIfAborted()
        run.step = name
        this.#emit('deploy.step', { step: name, replica: 0 })
        return body()
      },
    }
    await this.#untilSettled((async () => this.strategy.prepare?.(begin))(), signal)
  }

  async #replaceUnlessLeftOut(replica: Replica, run: { step: string }): Promise<void> {
    const leftOut = new AbortController()
    this.#current = { replica, leftOut }
    try {
      await this.#replace(replica, run, AbortSignal.any([this.#controller.signal, leftOut.signal]))
    } catch (thrown) {
      if (!leftOut.signal.aborted || this.#controller.signal.aborted) throw thrown
    } finally {
      this.#current = undefined
    }
  }

  async #replace(replica: Replica, run: { step: string }, signal: AbortSignal): Promise<void> {
    await orAborted(replica.untilAlone(), signal)
    if (replica.active === undefined) {
      replica.spec = this.target
      run.step = 'start'
      await this.#world.bringUp(this.#service, replica, signal)
      return
    }
    if (this.#isOld(replica.active)) await this.#replaceActive(replica, run, signal)
  }

  async #replaceActive(replica: Replica, run: { step: string }, signal: AbortSignal): Promise<void> {
    replica.isDeploying = true
    const context = new ReplicaReplacement(this.#service, replica, this.target, signal, this.#world, run, this.#cause)
    try {
      await this.#untilSettled((async () => this.strategy.run(context))(), signal)
      await orAborted(context.finish(), signal)
    } catch (thrown) {
      context.close()
      context.handBack()
      await this.#undo(context, replica, whyOf(thrown))
      await context.remove(whyOf(thrown))
      throw thrown
    } finally {
      context.close()
      replica.isDeploying = false
      if (replica.active === undefined) this.#world.settle(this.#service, replica)
      replica.endedMeanwhile = undefined
      this.#world.changed(this.#service, this.#cause)
    }
  }

  /** Called off, it gets a moment to end what it has begun: what follows must not meet it half-way. */
  async #untilSettled(work: Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await orAborted(work, signal)
    } finally {
      if (signal.aborted) await within(this.#world.clock, settleLimitMs, work)
    }
  }

  async #undo(context: ReplicaReplacement, replica: Replica, why: string): Promise<void> {
    const { strategy } = this
    if (strategy.undo === undefined) return
    const limitMs = strategy.undoLimitMs ?? undoLimitMs
    const over = new Error(`it did not end within ${limitMs} ms`)
    const { signal, end } = limited(this.#world.clock, limitMs, over, this.#hurry.signal)
    const undoing = {
      service: this.target,
      replica: replica.index,
      active: replica.active,
      launched: context.launched,
      why,
      signal,
    }
    try {
      await this.#untilSettled((async () => strategy.undo?.(undoing))(), signal)
    } catch (failed) {
      this.#undoFailure = whyOf(failed)
      this.#emit('deploy.undo_failed', { replica: replica.index, reason: this.#undoFailure })
    } finally {
      end()
    }
  }

  #errorOf(thrown: unknown, step: string): SysgError {
    const isOwn = thrown instanceof SysgError && thrown.code !== 'SYSG_START_FAILED'
    const undo = this.#undoFailure
    if (isOwn && undo === undefined) return thrown
    const lastLines = lastLinesOf(thrown)
    if (isOwn) {
      const message = `${thrown.message} Taking it back failed, too: ${undo}.`
      const text = thrown.hint === undefined ? { message } : { message, hint: thrown.hint }
      return SysgError.of(thrown.code, text, { cause: thrown, lastLines })
    }
    const { name: service } = this.#service
    const about = { reason: whyOf(thrown), advice: adviceOf(thrown), serving: this.#whoServes() }
    return new SysgError('SYSG_DEPLOY_FAILED', { service, step, undo, ...about }, { cause: thrown, lastLines })
  }

  #whoServes(): string {
    const serving = this.#service.serving.map(({ id, pid }) => `${id} (pid ${pid ?? 'unknown'})`)
    if (serving.length === 0) return 'Nothing of it serves now'
    return `${serving.join(', ')} ${serving.length === 1 ? 'goes' : 'go'} on serving`
  }

  #emit<T extends EventType>(type: T, data: EventData[T]): SysgEvent {
    return this.#world.emit(type, { service: this.#service.name, cause: this.#cause }, data)
  }
}

/** What an error brings of the output that it is about. */
const lastLinesOf = (thrown: unknown): readonly string[] => {
  const lines = thrown instanceof Error && 'lastLines' in thrown ? thrown.lastLines : undefined
  return Array.isArray(lines) ? lines.map(String) : []
}
