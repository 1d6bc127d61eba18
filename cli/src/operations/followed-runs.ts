/**
 * Runs that somebody waits for when their supervisor is killed: the next one takes them over, and knows how they end. Asking it
 * to start them would begin others if they have ended meanwhile.
 */
import { SysgError, type Outcome, type ServiceView, type SysgEvent } from '@systemg/core'
import type { CronView, RunStatus } from '@systemg/plugins/cron'
import { comingBackUnless, type Supervisor } from '../client/connect.ts'
import { Failure, isCoded } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { followCall } from '../terminal/follow-logs.ts'
import type { StatusAnswer } from '../terminal/service-status.ts'

/** One that has begun. */
interface StartedRun {
  readonly service: string
  readonly instance: string
  /** Wall clock, ms. */
  readonly sinceMs: number
}

/** How it ended. */
interface RunEnd {
  readonly status: RunStatus
  readonly reason: string | null
}

type SeenService = ServiceView & { readonly cron?: CronView | null }

export class FollowedRuns {
  readonly #services: readonly string[]
  readonly #beganMs = Date.now()
  readonly #started = new Map<string, StartedRun>()

  /** @param services - Those that were asked for. */
  constructor(services: readonly string[]) {
    this.#services = services
  }

  /** What the first supervisor tells. */
  heard({ type, service, instance, time }: SysgEvent): void {
    if (type !== 'cron.started' || service === undefined || instance === undefined) return
    if (this.#services.includes(service)) this.#started.set(service, { service, instance, sinceMs: Date.parse(time) })
  }

  /**
   * Wait until all have ended, under whichever supervisor.
   *
   * @returns how it went, and the supervisor that says so; `undefined` when something else was waited for.
   * @throws {Failure} `SYSG_RUN_UNSUPERVISED`, `SYSG_RUN_UNKNOWN`; the signal's reason.
   */
  async outcome(
    paths: ProjectPaths,
    signal: AbortSignal,
  ): Promise<{ readonly outcome: Outcome; readonly supervisor: Supervisor } | undefined> {
    for (;;) {
      const supervisor = await comingBackUnless(paths, signal)
      signal.throwIfAborted()
      if (supervisor === undefined) {
        if (this.#started.size === 0) return undefined
        throw new Failure('SYSG_RUN_UNSUPERVISED', { services: [...this.#started.keys()] })
      }
      try {
        const runs = await this.#underWay(supervisor)
        if (runs !== undefined) return { outcome: await outcomeOf(supervisor, runs, signal), supervisor }
        supervisor.close()
        return undefined
      } catch (thrown) {
        supervisor.close()
        signal.throwIfAborted()
        if (thrown !== lostAgain && !isLoss(thrown)) throw thrown
      }
    }
  }

  /** Also those that had begun before they were asked for. */
  async #underWay(supervisor: Supervisor): Promise<readonly StartedRun[] | undefined> {
    const services = await look(supervisor, this.#services)
    const runs = this.#services.flatMap((service) => {
      const instance = services.find(({ name, cron }) => name === service && cron?.running === true)?.instances[0]?.id
      const joined = instance === undefined ? undefined : { service, instance, sinceMs: this.#beganMs }
      return this.#started.get(service) ?? joined ?? []
    })
    return runs.length === this.#services.length ? runs : undefined
  }
}

/** A supervisor was killed, and says nothing more. */
export const isLoss = (thrown: unknown): boolean => isCoded(thrown) && thrown.code === 'SYSG_CONTROL_LOST'

const lostAgain = new Error('the supervisor was killed again')

const look = async (supervisor: Supervisor, services: readonly string[]): Promise<readonly SeenService[]> =>
  ((await supervisor.call('status', { services }, { timeoutMs: 30_000 })) as StatusAnswer).services

const outcomeOf = async (
  supervisor: Supervisor,
  runs: readonly StartedRun[],
  signal: AbortSignal,
): Promise<Outcome> => {
  const ends = await Promise.all(runs.map((run) => endOf(supervisor, run, signal)))
  const views = await look(
    supervisor,
    runs.map(({ service }) => service),
  )
  const problems = runs.flatMap(({ service }, index) => {
    const { status, reason } = ends[index] as RunEnd
    if (status === 'success') return []
    const { code, message, hint = null } = new SysgError('SYSG_RUN_FAILED', { service, reason: reason ?? status })
    const lines = views.find(({ name }) => name === service)?.last_lines ?? []
    return [{ service, code, message, hint, last_lines: lines }]
  })
  return { ok: problems.length === 0, problems, warnings: [] }
}

const endOf = async (supervisor: Supervisor, run: StartedRun, signal: AbortSignal): Promise<RunEnd> => {
  const { service, instance, sinceMs } = run
  const over = new AbortController()
  let end: RunEnd | undefined
  const found = (seen: RunEnd) => {
    end ??= seen
    over.abort()
  }
  const params = { service, type: 'cron.finished', since: sinceMs, limit: 1_000 }
  const anyEnd = AbortSignal.any([signal, over.signal])
  const following = followCall(supervisor, 'events.follow', params, anyEnd, (method, notified) => {
    const event = notified as unknown as SysgEvent<'cron.finished'>
    if (method === 'event' && event.instance === instance) found(event.data)
  })
  // What has been told before comes before this answer. An event may be lost with a supervisor, a record of a run is not.
  const recorded = look(supervisor, [service]).then(([view]) => {
    if (view?.instances.some(({ id }) => id === instance) === true) return
    const last = view?.cron?.history.find(({ finished }) => finished !== null && Date.parse(finished) >= sinceMs)
    if (last !== undefined) found(last)
    else over.abort()
  })
  const [how] = await Promise.all([following, recorded])
  signal.throwIfAborted()
  if (end !== undefined) return end
  if (how === 'lost') throw lostAgain
  throw new Failure('SYSG_RUN_UNKNOWN', { service })
}
