/**
 * What the supervisor has to tell: how things are, whenever something happened and every so often, and what it answers.
 * One that goes is waited for: the next one is asked the same.
 */
import type { CallOptions, RpcClient } from '@systemg/plugins/control/client'
import { comingBackUnless, tryConnect, type Supervisor } from '../client/connect.ts'
import { isCoded } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { followCall } from '../terminal/follow-logs.ts'
import { pause } from '../terminal/interrupt.ts'
import { reportOf, type StatusAnswer, type StatusReport } from '../terminal/service-status.ts'

export interface FeedEvents {
  onSeen(report: StatusReport): void
  onLost(why: string): void
  /** Another supervisor is connected: what was followed must be followed anew. */
  onNext(): void
}

/** Many events come together: they are looked at once, and no more often than this, ms. */
const gatherMs = 100
/** How often a supervisor that has ended is looked for, ms. */
const lookMs = 1_000
const silenceLimitMs = 10_000

export class Feed {
  readonly #paths: ProjectPaths
  readonly #everyMs: number
  readonly #events: FeedEvents
  readonly #controller = new AbortController()
  #present: Supervisor | undefined
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #isDue = false

  constructor(paths: ProjectPaths, everyMs: number, events: FeedEvents) {
    this.#paths = paths
    this.#everyMs = everyMs
    this.#events = events
  }

  /** Begin with a supervisor that is connected. Resolves when it is closed. */
  async run(first: Supervisor): Promise<void> {
    const { signal } = this.#controller
    let next: Supervisor | undefined = first
    for (let isFirst = true; next !== undefined; isFirst = false) {
      this.#present = next
      if (!isFirst) this.#events.onNext()
      const how = await this.#during(next)
      next.close()
      this.#present = undefined
      if (signal.aborted) return
      this.#events.onLost(
        how === 'lost'
          ? 'The supervisor is gone; waiting for the next one.'
          : 'The supervisor has ended; waiting for another one.',
      )
      next = await this.#find(how === 'lost')
    }
  }

  /** @throws {ControlError} also when none is connected. */
  async call(method: string, params: unknown, options?: CallOptions): Promise<unknown> {
    const present: RpcClient | undefined = this.#present
    if (present === undefined) throw new Error('No supervisor is connected.')
    return present.call(method, params, options)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#controller.abort()
    this.#present?.close()
  }

  async #during(supervisor: Supervisor): Promise<'ended' | 'lost'> {
    const { signal } = this.#controller
    const looking = setInterval(() => this.#look(supervisor), this.#everyMs)
    this.#look(supervisor)
    try {
      const end = await followCall(supervisor, 'events.follow', { limit: 0 }, signal, () => this.#soon(supervisor))
      return end === 'lost' ? 'lost' : 'ended'
    } catch {
      // One that tells no events, or too many at once, is asked every so often.
      await supervisor.closed
      return 'lost'
    } finally {
      clearInterval(looking)
      clearTimeout(this.#timer)
      this.#timer = undefined
    }
  }

  #soon(supervisor: Supervisor): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#look(supervisor)
    }, gatherMs)
  }

  /** One look at a time; what happens meanwhile is looked at afterwards. */
  #look(supervisor: Supervisor): void {
    this.#isDue = this.#isAsking
    if (this.#isAsking) return
    this.#isAsking = true
    supervisor
      .call('status', {}, { timeoutMs: silenceLimitMs, signal: this.#controller.signal })
      .then(
        (answer) => {
          if (!this.#controller.signal.aborted) this.#events.onSeen(reportOf(answer as StatusAnswer))
        },
        (thrown: unknown) => {
          // That the connection is lost is told where events are followed.
          const isTold = isCoded(thrown) && ['SYSG_CONTROL_LOST', 'SYSG_SHUTTING_DOWN'].includes(thrown.code)
          if (!isTold && !this.#controller.signal.aborted)
            this.#events.onLost(thrown instanceof Error ? thrown.message : String(thrown))
        },
      )
      .finally(() => {
        this.#isAsking = false
        if (this.#isDue && this.#present === supervisor) this.#soon(supervisor)
      })
  }

  async #find(comesBack: boolean): Promise<Supervisor | undefined> {
    const { signal } = this.#controller
    if (comesBack) {
      const back = await comingBackUnless(this.#paths, signal).catch(() => undefined)
      if (back !== undefined || signal.aborted) return back
    }
    while (!signal.aborted) {
      const found = await tryConnect(this.#paths).catch(() => undefined)
      if (found !== undefined) return found
      await pause(lookMs, signal)
    }
    return undefined
  }
}
