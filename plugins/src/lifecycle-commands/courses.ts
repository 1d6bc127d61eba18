/** The courses of all services, kept over the supervisor's death together with the hooks that are due. */
import { whyOf, type DurableTable, type InstanceInfo, type PluginApi, type ResolvedService } from '@systemg/core'
import { Course, type Due } from './course.ts'
import type { Lanes } from './lanes.ts'
import { commandFor, type HookName } from './hook-names.ts'
import { asCourse, toDurable } from './records.ts'

export class Courses {
  readonly #api: Pick<PluginApi, 'host' | 'system'>
  readonly #table: DurableTable
  readonly #lanes: Lanes
  readonly #courses = new Map<string, Course>()
  /** What is on disk, as JSON. */
  readonly #saved = new Map<string, string>()

  constructor(api: Pick<PluginApi, 'host' | 'system'>, table: DurableTable, lanes: Lanes) {
    this.#api = api
    this.#table = table
    this.#lanes = lanes
  }

  restore(): void {
    for (const [name, value] of this.#table.entries()) {
      const record = asCourse(value)
      if (record === undefined) continue
      this.#courses.set(name, new Course(record))
      this.#saved.set(name, JSON.stringify(record))
    }
  }

  /** Something has happened to a service; what follows from it is written down at once, and begun. */
  tell(name: string, happen: (course: Course) => readonly Due[] | void): void {
    const course = this.#courses.get(name) ?? new Course()
    this.#courses.set(name, course)
    const due = happen(course) ?? []
    this.#save(name, course, due)
    if (due.length > 0) this.#lanes.look()
    if (!course.isLiving && this.#api.system.config.services[name] === undefined) this.#forget(name)
  }

  /** Services may have got hooks. */
  follow(): void {
    for (const [name, course] of this.#courses) this.#save(name, course, [])
  }

  /** The system has ended. */
  clear(): void {
    for (const name of [...this.#courses.keys()]) this.#forget(name)
  }

  #save(name: string, course: Course, due: readonly Due[]): void {
    const { host } = this.#api
    const { record } = course
    const json = JSON.stringify(record)
    const hasHooks = this.#configOf(name, due[0]?.instance)?.hooks !== undefined || this.#saved.has(name)
    const isNew = hasHooks && this.#saved.get(name) !== json
    const runs = due.flatMap((one) => this.#runOf(name, one) ?? [])
    if (!isNew && runs.length === 0) return
    try {
      host.store.transaction(
        () => {
          if (isNew) this.#table.set(name, toDurable(record))
          for (const run of runs) this.#lanes.add(run)
        },
        { survives: 'crash' },
      )
      if (isNew) this.#saved.set(name, json)
    } catch (thrown) {
      host.trace('warn', `What happened to \`${name}\` is not recorded for its hooks: ${whyOf(thrown)}`)
    }
  }

  #runOf(name: string, { hook, instance, cause }: Due) {
    const service = this.#configOf(name, instance)
    const command = commandFor(service?.hooks, hook)
    if (service === undefined || command === undefined) return undefined
    return {
      hook,
      ...command,
      service,
      facts: factsOf(hook, name, instance),
      ...(cause === undefined ? {} : { cause }),
    }
  }

  /** What it runs, or ran, with. */
  #configOf(name: string, instance: InstanceInfo | undefined): ResolvedService | undefined {
    return instance?.service ?? this.#api.system.config.services[name]
  }

  #forget(name: string): void {
    this.#courses.delete(name)
    if (!this.#saved.delete(name)) return
    try {
      this.#table.delete(name)
    } catch (thrown) {
      this.#api.host.trace('debug', `\`${name}\` is not forgotten: ${whyOf(thrown)}`)
    }
  }
}

/** All of them are there, so that a command may be strict about variables it does not know. */
const factsOf = (hook: HookName, service: string, instance: InstanceInfo | undefined) => ({
  SYSG_EVENT: hook,
  SYSG_SERVICE: service,
  SYSG_PID: text(instance?.pid),
  SYSG_EXIT_CODE: text(instance?.exit?.code),
  SYSG_SIGNAL: text(instance?.exit?.signal),
  SYSG_ATTEMPT: text(instance?.restarts ?? 0),
})

const text = (value: string | number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value)
