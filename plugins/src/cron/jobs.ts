/**
 * Every service that runs by a schedule: looks at the clock for all of them, and writes down what must outlive the
 * supervisor before it acts.
 *
 * There is one timer, for whatever is due first. It looks again after five seconds at the latest, since a timer does not
 * notice when the clock is set or the machine sleeps.
 */
import {
  whyOf,
  type DurableTable,
  type Host,
  type InstanceInfo,
  type ResolvedSystem,
  type SystemApi,
} from '@systemg/core'
import { CurrentRun } from './current-run.ts'
import { interruptedUnseen, Job, type JobWorld } from './job.ts'
import { RunHistory } from './run-history.ts'
import { asRecord, type JobRecord } from './runs.ts'

type LeftRecord = JobRecord & { readonly current: NonNullable<JobRecord['current']> }

const isUnderWay = (record: JobRecord | undefined): record is LeftRecord =>
  typeof record?.current?.instance === 'string'

const lookAgainMs = 5_000
/** The wall clock is off by so much from steady time, compared with before: somebody has set it, ms. */
const setByMs = 50

export class Jobs {
  readonly #host: Host
  readonly #system: SystemApi
  readonly #table: DurableTable
  readonly #world: JobWorld
  readonly #jobs = new Map<string, Job>()
  /** Of services that have no schedule any more, or are gone, until the run that is under way has ended. */
  readonly #leaving = new Map<string, Job>()
  /** Runs that were under way under an earlier supervisor, of services that this config does not run by a schedule. */
  readonly #left = new Map<string, LeftRecord>()
  readonly #changed = new Set<Job>()
  /** What the disk has not taken yet. */
  readonly #unsaved = new Set<Job>()
  readonly #gone = new Set<string>()
  #cancelTimer: (() => void) | undefined
  /** What is due first, wall clock, ms. */
  #first = Infinity
  /** Of the wall clock from steady time, when all jobs were looked at last, ms. */
  #offsetMs = NaN
  #isFlushing = false
  #isClosed = false

  constructor(host: Host, system: SystemApi) {
    this.#host = host
    this.#system = system
    this.#table = host.store.table('cron')
    this.#world = {
      host,
      system,
      changed: (job) => {
        if (this.#leaving.get(job.name) !== job || job.isUnderWay) this.#changed.add(job)
        else this.#forget(job)
        this.#flushSoon()
      },
    }
  }

  of(service: string | undefined): Job | undefined {
    return service === undefined ? undefined : this.#jobs.get(service)
  }

  /** Whose run may be under way, though it is no longer one of this config. */
  running(service: string | undefined): Job | undefined {
    return this.of(service) ?? (service === undefined ? undefined : this.#leaving.get(service))
  }

  /** What an earlier supervisor has left of the jobs of this config. Others are forgotten. */
  restore(config: ResolvedSystem): void {
    const left = new Map(this.#table.entries())
    this.follow(config)
    for (const [name, value] of left) {
      const job = this.#jobs.get(name)
      const record = asRecord(value)
      if (job === undefined && isUnderWay(record)) this.#left.set(name, record)
      else if (job === undefined) this.#gone.add(name)
      else if (record !== undefined) job.restore(record)
      else this.#host.trace('warn', `What was stored about the runs of \`${name}\` is damaged and left out`)
    }
    if (this.#gone.size > 0) this.#flushSoon()
  }

  /** Everything that lives has been found. */
  takenOver(): void {
    for (const job of this.#jobs.values()) job.takenOver()
    for (const [name, { current }] of this.#left) {
      const run = new CurrentRun(current, { supervisorReplaced: true })
      new RunHistory(name, this.#world).finished(run, interruptedUnseen)
      this.#gone.add(name)
    }
    if (this.#left.size > 0) this.#flushSoon()
    this.#left.clear()
  }

  /** An instance of an earlier supervisor lives. */
  adopted(instance: InstanceInfo): void {
    const { name, cron } = instance.service
    const left = this.#left.get(name)
    if (left !== undefined && cron !== undefined && left.current.instance === instance.id) {
      const job = new Job(name, cron, this.#world)
      this.#left.delete(name)
      this.#leaving.set(name, job)
      job.restore(left)
      job.leave()
      job.started(instance)
    } else this.of(name)?.started(instance)
  }

  /** Have the jobs of this config, and no others. */
  follow({ services }: ResolvedSystem): void {
    for (const [name, job] of this.#jobs) {
      if (services[name]?.cron !== undefined) continue
      this.#jobs.delete(name)
      this.#leaving.set(name, job)
      job.leave()
    }
    for (const [name, { cron }] of Object.entries(services)) {
      if (cron === undefined) continue
      this.#gone.delete(name)
      const known = this.running(name)
      this.#leaving.delete(name)
      this.#jobs.set(name, known ?? new Job(name, cron, this.#world))
      known?.configure(cron)
    }
  }

  #forget(job: Job): void {
    job.forget()
    this.#leaving.delete(job.name)
    this.#changed.delete(job)
    this.#unsaved.delete(job)
    this.#gone.add(job.name)
  }

  /** The system ends: nothing is due any more. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const job of this.#jobs.values()) job.turnOff('the system stops', { isClosed: true })
  }

  /** Everything is on disk afterwards, as far as the disk allows. */
  finish(): void {
    this.close()
    this.#flush()
    for (const job of [...this.#jobs.values(), ...this.#leaving.values()]) job.forget()
    this.#cancelTimer?.()
  }

  #look(): void {
    if (this.#system.isStopping) this.close()
    const { clock } = this.#host
    const now = clock.now()
    const offsetMs = now - clock.monotonic()
    const isSet = Math.abs(offsetMs - this.#offsetMs) > setByMs
    if (now < this.#first && !isSet && this.#unsaved.size === 0) {
      this.#waitUntil(now)
      return
    }
    this.#offsetMs = offsetMs
    for (const job of this.#jobs.values()) job.look(now)
    this.#flush()
  }

  /** When whatever happens at this moment has happened. */
  #flushSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    void Promise.resolve().then(() => this.#flush())
  }

  #flush(): void {
    this.#isFlushing = false
    const changed = [...this.#changed]
    this.#changed.clear()
    this.#save(changed)
    for (const job of changed) job.act()
    this.#wait()
  }

  #save(changed: readonly Job[]): void {
    for (const job of changed) this.#unsaved.add(job)
    if (this.#unsaved.size === 0 && this.#gone.size === 0) return
    const survives = [...this.#unsaved].some(({ isAboutToRun }) => isAboutToRun) ? 'power-cut' : 'crash'
    try {
      this.#host.store.transaction(() => this.#writeAll(), { survives })
      this.#unsaved.clear()
      this.#gone.clear()
    } catch (thrown) {
      // Tried again with the next look.
      this.#host.trace('error', `The runs of scheduled services can't be written down: ${whyOf(thrown)}`)
    }
  }

  #writeAll(): void {
    for (const name of this.#gone) this.#table.delete(name)
    for (const { name, record } of this.#unsaved) this.#table.set(name, record)
  }

  #wait(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#isClosed) return
    this.#first = Infinity
    for (const { dueAt = Infinity } of this.#jobs.values()) if (dueAt < this.#first) this.#first = dueAt
    const isIdle = this.#first === Infinity && this.#unsaved.size === 0
    if (!isIdle) this.#waitUntil(this.#host.clock.now())
  }

  #waitUntil(now: number): void {
    const delayMs = Math.min(Math.max(0, this.#first - now), lookAgainMs)
    this.#cancelTimer = this.#host.clock.timer(delayMs, () => this.#look())
  }
}
