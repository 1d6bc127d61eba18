/**
 * One service that runs by a schedule. Decides what is run, left out or ended; the system does it, and tells what became
 * of it through the hooks.
 *
 *   due ──► nothing under way: a run ──► preparing ─► started ─► exited ─► stopped ──► remembered
 *       └─► something is: `skip` leaves it out, `queue` has it wait, `replace` ends what runs
 */
import { whyOf, type Exit, type InstanceInfo } from '@systemg/core'
import { CurrentRun, type Verdict } from './current-run.ts'
import type { Cron } from './options.ts'
import { RunHistory, type RunHistoryWorld } from './run-history.ts'
import { iso, isoOrNull, type CronView, type JobRecord, type Trigger } from './runs.ts'
import { Schedule } from './schedule.ts'
import { soonMs } from './due.ts'

/** What a job works with. */
export interface JobWorld extends RunHistoryWorld {
  /** Its record is another one, and `act` may have something to do: called once for both, when the record is on disk. */
  changed(job: Job): void
}

/** Due times that may wait for their turn. */
const mostWaiting = 10

export class Job {
  readonly name: string
  readonly #world: JobWorld
  readonly #schedule: Schedule
  #cron: Cron
  #current: CurrentRun | undefined
  #waiting: number[] = []
  readonly #history: RunHistory
  /** The current run is decided and not yet asked for. */
  #mustBegin = false
  /** The current run is to be ended, for this reason. */
  #mustEnd: string | undefined

  constructor(name: string, cron: Cron, world: JobWorld) {
    this.name = name
    this.#world = world
    this.#cron = cron
    this.#schedule = new Schedule(cron)
    this.#history = new RunHistory(name, world)
  }

  /** When it is due next, wall clock, ms; undefined while the schedule is off. */
  get dueAt(): number | undefined {
    return this.#schedule.next
  }

  /** A run is about to be asked for: what led to it must not be forgotten. */
  get isAboutToRun(): boolean {
    return this.#mustBegin
  }

  /** A run is decided, and not over. */
  get isUnderWay(): boolean {
    return this.#current !== undefined
  }

  get record(): JobRecord {
    const { key, left } = this.#schedule
    const current = this.#current?.record ?? null
    return { schedule: key, ...left, current, waiting: [...this.#waiting], runs: [...this.#history.runs] }
  }

  get view(): CronView {
    const { next } = this.#schedule
    return {
      next_run: isoOrNull(next ?? null),
      running: this.#current !== undefined && this.#current.instance !== null,
      history: this.#history.view,
    }
  }

  /** Take up what an earlier supervisor has left. */
  restore({ schedule, settled, closed, current, waiting, runs }: JobRecord): void {
    this.#history.restore(runs)
    if (current !== null) this.#current = new CurrentRun(current, { supervisorReplaced: true })
    if (schedule !== this.#schedule.key) return
    this.#schedule.restore({ settled, closed })
    this.#waiting = [...waiting]
  }

  /** Everything that lives was found: what was under way and is not among it has ended, or had not begun. */
  takenOver(): void {
    const run = this.#current
    if (run === undefined || run.isSeen) return
    const isJustDecided = run.instance === null && this.#now - run.began <= soonMs
    if (isJustDecided && run.scheduled !== null) {
      this.#waiting.unshift(run.scheduled)
      this.#current = undefined
    } else this.#end(run, interruptedUnseen)
  }

  /** Another config. What is due next follows from it; what runs has its new time limit. */
  configure(cron: Cron): void {
    this.#cron = cron
    this.#schedule.configure(cron, this.#now)
    this.#limit()
    this.#world.changed(this)
  }

  /** From here on it runs when it is due. */
  turnOn(): void {
    if (this.#schedule.isOn) return
    const missed = this.#schedule.turnOn(this.#now)
    if (missed !== undefined && this.#cron.catch_up) this.#decide(missed, 'catch_up')
    else this.#goOn()
    this.#world.changed(this)
  }

  /** Nothing is due any more, and nothing waits for its turn. */
  turnOff(why: string, options: { readonly isClosed?: boolean } = {}): void {
    this.#schedule.turnOff(options)
    for (const due of this.#waiting.splice(0)) this.#leaveOut(due, 'schedule', why)
    this.#world.changed(this)
  }

  /** It is no longer part of the system: nothing is due any more, and what has not begun never does. What runs is ended by others. */
  leave(): void {
    const reason = 'no longer in the config'
    this.turnOff(reason)
    const run = this.#current
    if (run?.instance === null) this.#end(run, { status: 'skipped', reason })
  }

  /** Nobody tells of it any more. */
  forget(): void {
    this.#current?.unlimit()
    this.#current = undefined
  }

  /** Decide what is due. `now`: wall clock, ms. */
  look(now: number): void {
    const due = this.#schedule.look(now)
    for (const one of due) this.#decide(one, 'schedule')
    if (due.length > 0) this.#world.changed(this)
  }

  /** Do what was decided. */
  act(): void {
    const { system } = this.#world
    const run = this.#current
    if (this.#mustEnd !== undefined && typeof run?.instance === 'string') system.endRun(run.instance, this.#mustEnd)
    this.#mustEnd = undefined
    if (!this.#mustBegin || run === undefined) return
    this.#mustBegin = false
    const isOver = (reason: string) => {
      // It was called off before anything of it was there.
      if (this.#current === run && run.instance === null) this.#end(run, { status: 'skipped', reason })
    }
    system.run(this.name, { isPatient: true, onlyWanted: true }).then(
      () => isOver('it was called off before it began'),
      (thrown: unknown) => isOver(whyOf(thrown).replace(/\.$/, '')),
    )
  }

  /** An instance of it is about to be started. `cause`: the event that says so. */
  preparing(instance: InstanceInfo, cause: number | undefined): void {
    const run = this.#runOf(instance)
    run.startedSeq = this.#history.started(run, cause)
    run.cause = run.startedSeq
    this.#world.changed(this)
  }

  /** Its process is there; it may be that of an earlier supervisor. */
  started(instance: InstanceInfo): void {
    const run = this.#runOf(instance)
    run.started = instance.startedAt ?? this.#now
    this.#limit()
    this.#world.changed(this)
  }

  /** Somebody wants it to end. */
  stopping(instance: string, reason: string, seq: number): void {
    const run = this.#of(instance)
    if (run === undefined || run.exit !== undefined) return
    run.verdict ??= { status: 'interrupted', reason }
    run.cause = seq
  }

  exited(instance: string, exit: Exit, seq: number): void {
    const run = this.#of(instance)
    if (run === undefined) return
    run.isSeen = true
    run.exit = exit
    run.cause = seq
    run.unlimit()
  }

  /** It could not be started. */
  failed(instance: string, reason: string, seq: number): void {
    const run = this.#of(instance)
    if (run === undefined || run.exit !== undefined) return
    run.failure = reason
    run.cause = seq
  }

  /** Nothing of an instance lives. */
  stopped(instance: InstanceInfo): void {
    // Of one that could not even be prepared nothing was told.
    const isUnknown = (this.#current?.instance ?? null) === null && instance.startedAt === undefined
    const run = isUnknown ? this.#runOf(instance) : this.#of(instance.id)
    if (run === undefined) return
    run.unlimit()
    // Why it failed is told right after this.
    void Promise.resolve().then(() => {
      if (this.#current === run) this.#end(run, run.outcome(instance.service.success_exit_codes))
    })
  }

  get #now(): number {
    return this.#world.host.clock.now()
  }

  #of(instance: string): CurrentRun | undefined {
    return this.#current?.instance === instance ? this.#current : undefined
  }

  /** The run that an instance is. One that nobody decided was started by somebody. */
  #runOf({ id, service }: InstanceInfo): CurrentRun {
    let run = this.#current
    if (run !== undefined && (run.instance ?? id) !== id) {
      this.#end(run, run.outcome(service.success_exit_codes))
      run = undefined
    }
    run ??= new CurrentRun({ trigger: 'manual', scheduled: null, instance: id, began: this.#now, started: null })
    run.instance = id
    run.isSeen = true
    this.#current = run
    return run
  }

  #decide(due: number, trigger: Trigger): void {
    const run = this.#current
    if (run === undefined) {
      this.#current = new CurrentRun({ trigger, scheduled: due, instance: null, began: this.#now, started: null })
      this.#mustBegin = true
    } else if (this.#cron.overlap === 'replace') this.#replace(run, due)
    else if (this.#cron.overlap === 'skip') this.#leaveOut(due, trigger, `${nameOf(run)} ${hasItself(run)}`)
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(due)
    else this.#leaveOut(due, trigger, `${nameOf(run)} ${hasItself(run)}, and ${mostWaiting} more wait for their turn`)
  }

  #replace(run: CurrentRun, due: number): void {
    const reason = `the run of ${iso(due)} took its place`
    for (const older of this.#waiting.splice(0)) this.#leaveOut(older, 'schedule', reason)
    if (run.instance === null) {
      if (run.scheduled !== null) this.#leaveOut(run.scheduled, run.trigger, reason)
      run.scheduled = due
      return
    }
    this.#waiting = [due]
    run.verdict ??= { status: 'interrupted', reason }
    this.#mustEnd = reason
  }

  /** It is the turn of the next one that waits. */
  #goOn(): void {
    if (this.#current !== undefined || !this.#schedule.isOn) return
    const next = this.#waiting.shift()
    if (next !== undefined) this.#decide(next, 'schedule')
  }

  #limit(): void {
    const run = this.#current
    const { timeout } = this.#cron
    run?.limit(timeout, this.#world.host.clock, () => {
      const reason = `it took longer than its timeout of ${(timeout ?? 0) / 1_000} s`
      run.verdict ??= { status: 'timeout', reason }
      if (run.instance !== null) this.#world.system.endRun(run.instance, reason)
    })
  }

  #leaveOut(due: number, trigger: Trigger, reason: string): void {
    this.#history.leftOut(due, trigger, reason, this.#current?.startedSeq)
  }

  #end(run: CurrentRun, verdict: ReturnType<CurrentRun['outcome']>): void {
    const { trigger, scheduled } = run
    run.unlimit()
    this.#current = undefined
    this.#mustBegin = false
    this.#mustEnd = undefined
    if (verdict.status === 'skipped' && scheduled !== null) this.#leaveOut(scheduled, trigger, verdict.reason ?? '')
    else this.#history.finished(run, verdict)
    this.#goOn()
    this.#world.changed(this)
  }
}

/** Of a run that an earlier supervisor began, and of which nothing is there any more. */
export const interruptedUnseen: Verdict = {
  status: 'interrupted',
  reason: 'the supervisor ended; nobody knows how far it came',
}

const nameOf = ({ scheduled }: CurrentRun): string =>
  scheduled === null ? 'a run that somebody started' : `the run of ${iso(scheduled)}`

const hasItself = ({ instance }: CurrentRun): string =>
  instance === null ? 'still waits for what it needs' : 'goes on'
