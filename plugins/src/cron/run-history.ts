/** What became of the runs of one service: told as events when it happens, and the last ones remembered. */
import type { EventData, Host, SystemApi } from '@systemg/core'
import type { CurrentRun } from './current-run.ts'
import { iso, isoOrNull, runsKept, viewOfRun, type EndedRun, type Trigger } from './runs.ts'

/** What it works with. */
export interface RunHistoryWorld {
  readonly host: Pick<Host, 'clock' | 'trace'>
  readonly system: SystemApi
}

export class RunHistory {
  readonly #service: string
  readonly #world: RunHistoryWorld
  #runs: readonly EndedRun[] = []

  constructor(service: string, world: RunHistoryWorld) {
    this.#service = service
    this.#world = world
  }

  /** The oldest first. */
  get runs(): readonly EndedRun[] {
    return this.#runs
  }

  get view(): readonly ReturnType<typeof viewOfRun>[] {
    return this.#runs.map(viewOfRun)
  }

  /** Take up what an earlier supervisor has left. */
  restore(runs: readonly EndedRun[]): void {
    this.#runs = runs
  }

  /** It is about to be started. `cause`: the event that led to it. Returns the number of the event that says so. */
  started(run: CurrentRun, cause: number | undefined): number {
    const { trigger, scheduled } = run
    return this.#emit('cron.started', run, cause, { trigger, scheduled: isoOrNull(scheduled) })
  }

  /** A run that was due is not begun. */
  leftOut(due: number, trigger: Trigger, reason: string, cause: number | undefined): void {
    this.#world.host.trace(
      'error',
      `The run of \`${this.#service}\` that was due at ${iso(due)} is left out: ${reason}`,
    )
    this.#emit('cron.skipped', undefined, cause, { trigger, scheduled: iso(due), reason })
    const times = { scheduled: due, started: null, finished: null }
    this.#remember({ trigger, ...times, status: 'skipped', exit_code: null, reason, supervisor_replaced: false })
  }

  /** Nothing of it lives any more. */
  finished(run: CurrentRun, { status, reason }: ReturnType<CurrentRun['outcome']>): void {
    const { trigger, scheduled, started, exit, cause, supervisorReplaced: supervisor_replaced } = run
    const finished = this.#world.host.clock.now()
    const ended = { trigger, status, exit_code: exit?.code ?? null, reason, supervisor_replaced }
    const duration_ms = started === null ? null : Math.max(0, finished - started)
    this.#emit('cron.finished', run, cause, { ...ended, scheduled: isoOrNull(scheduled), duration_ms })
    this.#remember({ ...ended, scheduled, started, finished })
  }

  #remember(run: EndedRun): void {
    this.#runs = [...this.#runs, run].slice(-runsKept)
  }

  #emit<T extends 'cron.started' | 'cron.finished' | 'cron.skipped'>(
    type: T,
    run: CurrentRun | undefined,
    cause: number | undefined,
    data: EventData[T],
  ): number {
    const instance = run?.instance ?? null
    const of = {
      service: this.#service,
      ...(instance === null ? {} : { instance }),
      ...(cause === undefined ? {} : { cause }),
    }
    return this.#world.system.emit(type, of, data).seq
  }
}
