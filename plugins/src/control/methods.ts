/** The methods every control client can rely on. Each checks its parameters and asks the system. */
import {
  once,
  serviceNamePattern,
  SysgError,
  type ControlMethod,
  type Outcome,
  type ResolvedService,
  type ResolvedSystem,
  type ServiceView,
  type SystemApi,
} from '@systemg/core'
import * as z from 'zod/mini'
import type { ControlOptions } from './options.ts'
import type { Progress } from './progress.ts'

export interface ControlWorld {
  readonly system: SystemApi
  readonly options: ControlOptions
  /** Wall clock, ms. */
  readonly startedAt: number
  readonly progress: Progress
  /** Resolves when what an earlier supervisor left has been taken up: before, nothing is known of services. */
  readonly started: Promise<void>
  /** Resolves when the system has ended and connections are about to close. */
  readonly closing: Promise<void>
}

const text = once(() => z.string().check(z.minLength(1)))
const names = once(() => z.array(text()))
const someNames = once(() => names().check(z.minLength(1)))
const ms = once(() => z.number().check(z.minimum(0)))
const count = once(() => z.int().check(z.minimum(0)))
const flag = once(() => z.optional(z.boolean()))

const params = {
  none: once(() => z.strictObject({})),
  status: once(() => z.strictObject({ services: z.optional(names()) })),
  inspect: once(() => z.strictObject({ service: text(), window_ms: z.optional(ms()) })),
  start: once(() => z.strictObject({ services: z.optional(someNames()), with_deps: flag() })),
  settled: once(() => z.strictObject({ services: z.optional(someNames()) })),
  /** The config was checked by the command that loaded it; only its owner can connect. */
  config: once(() =>
    z.strictObject({
      config: z.custom<ResolvedSystem>((value) => isResolved(value), 'must be a resolved config'),
      all: flag(),
    }),
  ),
  /** Resolved by the command, as a config is. */
  startAdHoc: once(() =>
    z.strictObject({
      service: z.looseObject({
        name: z.string().check(z.regex(serviceNamePattern)),
        command: z.string(),
        argv: z.tuple([text()], z.string()),
        working_dir: z.string().check(z.startsWith('/')),
        depends_on: z.strictObject({}),
        startup_grace: ms(),
        stop_signal: z.string().check(z.startsWith('SIG')),
        stop_timeout: ms(),
        replicas: count(),
        success_exit_codes: z.array(z.int()),
      }),
      new: flag(),
    }),
  ),
  stop: once(() => z.strictObject({ services: someNames(), grace_ms: z.optional(ms()) })),
  restart: once(() => z.strictObject({ services: z.optional(someNames()) })),
  scale: once(() => z.strictObject({ replicas: z.record(text(), count()), wait: flag() })),
  shutdown: once(() =>
    z.strictObject({
      now: flag(),
      why: z.optional(z.string().check(z.maxLength(200))),
      grace_ms: z.optional(ms()),
    }),
  ),
}

/**
 * - `ping` → `{ pid, version, project, stopping }`; `stopping`: it ends everything, and takes nothing new
 * - `status { services? }` → `{ project, supervisor, services }`, as `status --json` without what plugins add
 * - `plan { config, all? }` → `PlannedChange[]`; `apply { config, all? }` → `Outcome`: a config that the caller loaded and checked
 * - `settled { services? }` → `Outcome`, as soon as they are ready or have failed
 * - `inspect { service, window_ms? }` → everything about one service: named, or by its id, a replica or an instance of it
 * - `start_ad_hoc { service, new? }` → `Outcome` with the name as `service`: a resolved service that is in no config;
 *   `new`: one of this name is an error, even if it runs the same command
 * - `start { services?, with_deps? }`, `stop { services, grace_ms? }`, `restart { services? }`,
 *   `scale { replicas: { [service]: number }, wait? }`, `shutdown { now?, why?, grace_ms? }` → `Outcome`; while one
 *   runs, what happens is told as `event` notifications
 */
export const controlMethods = (world: ControlWorld): Readonly<Record<string, ControlMethod>> => {
  const { system, options, progress } = world
  return {
    ping: (given) => {
      params.none().parse(given ?? {})
      const { pid, version } = options
      return { pid, version, project: system.config.project.id, stopping: system.isStopping }
    },
    status: async (given) => {
      const { services } = params.status().parse(given ?? {})
      await world.started
      const { id, name } = system.config.project
      return {
        project: { id, name, config: options.config },
        supervisor: {
          pid: options.pid,
          version: options.version,
          started_at: new Date(world.startedAt).toISOString(),
        },
        services: await look(system, services),
      }
    },
    inspect: async (given, call) => {
      const { service, window_ms: windowMs } = params.inspect().parse(given)
      await world.started
      return system.inspect(service, { signal: call.signal, ...(windowMs === undefined ? {} : { windowMs }) })
    },
    start: (given, call) => {
      const { services, with_deps: withDeps } = params.start().parse(given ?? {})
      const wanted = {
        ...(services === undefined ? {} : { names: services }),
        ...(withDeps === undefined ? {} : { withDeps }),
      }
      return progress.during(call, () => system.start({ ...wanted, signal: call.signal }))
    },
    start_ad_hoc: async (given, call) => {
      const { service, new: isNew } = params.startAdHoc().parse(given)
      const how = { ...(isNew === undefined ? {} : { isNew }), signal: call.signal }
      const outcome = await progress.during(call, () => system.startAdHoc(service as unknown as ResolvedService, how))
      return { ...outcome, service: service.name }
    },
    settled: (given, call) => {
      const { services } = params.settled().parse(given ?? {})
      const wanted = services === undefined ? {} : { names: services }
      return progress.during(call, () => system.settled({ ...wanted, signal: call.signal }))
    },
    plan: (given) => {
      const { config, all } = params.config().parse(given)
      return system.plan(config, all === undefined ? {} : { all })
    },
    apply: (given, call) => {
      const { config, all } = params.config().parse(given)
      const how = all === undefined ? {} : { all }
      return progress.during(call, () => system.apply(config, { ...how, signal: call.signal }))
    },
    stop: (given, call) => {
      const { services, grace_ms: graceMs } = params.stop().parse(given)
      const grace = graceMs === undefined ? {} : { graceMs }
      return progress.during(call, () => system.stop(services, { ...grace, signal: call.signal }))
    },
    restart: (given, call) => {
      const { services } = params.restart().parse(given ?? {})
      const wanted = services === undefined ? {} : { names: services }
      return progress.during(call, () => system.restart({ ...wanted, signal: call.signal }))
    },
    scale: (given, call) => {
      const { replicas, wait } = params.scale().parse(given)
      const how = wait === undefined ? {} : { wait }
      return progress.during(call, () => system.scale(replicas, { ...how, signal: call.signal }))
    },
    shutdown: (given, call) => {
      const { now, why, grace_ms: graceMs } = params.shutdown().parse(given ?? {})
      const how = {
        ...(now === undefined ? {} : { now }),
        ...(why === undefined ? {} : { why }),
        ...(graceMs === undefined ? {} : { graceMs }),
      }
      // The system ends only after this plugin has closed its socket, so the answer must not wait for that.
      return progress.during(call, () => Promise.race([system.shutdown(how), world.closing.then(() => allEnded)]))
    },
  }
}

/** When plugins are released, nothing of any service lives. */
const allEnded: Outcome = { ok: true, problems: [], warnings: [] }

/** Enough to refuse what is no config at all. */
const isResolved = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'project' in value && 'folder' in value && 'services' in value

const look = async (system: SystemApi, names: readonly string[] | undefined): Promise<readonly ServiceView[]> => {
  const found = await system.look(names)
  const missing = names?.find((name) => !found.some((service) => service.name === name))
  if (missing !== undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: missing })
  return found
}
