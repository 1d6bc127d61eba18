/**
 * Runs services by a schedule, instead of keeping them up.
 *
 * Owns the service key `cron`. Taps `plan` (such a service does not start at boot), `boot` and `reload` (follows the
 * config), `prepare`, `started`, `adopted`, `stopped` and `event` (follows the runs), `view` (the `cron` of `status`)
 * and `shutdown`. Croner says when an expression comes; the host's clock says when that is.
 */
import { definePlugin } from '@systemg/core'
import type { z } from 'zod'
import { hearOfRun, hearOfSchedule } from './hear.ts'
import { Jobs } from './jobs.ts'
import { describeSchedule, nextRuns } from './notes.ts'
import type { Cron, cron as cronKey } from './options.ts'
import { findMistakes } from './rules.ts'
import type { CronView, RunStatus, Trigger } from './runs.ts'

export type { Cron } from './options.ts'
export type { CronView, RunStatus, RunView, Trigger } from './runs.ts'

export const cron = definePlugin({
  name: 'cron',
  schemas: () => import('./options.ts'),
  // One that gets a schedule, or no longer has one, is another kind of service.
  live: ['cron.expression', 'cron.timezone', 'cron.overlap', 'cron.catch_up', 'cron.timeout'],
  check: findMistakes,
  notes: nextRuns,
  setup({ hooks, host, system }) {
    const jobs = new Jobs(host, system)
    /** Of the event that says that a service is starting, by service. */
    const starting = new Map<string, number>()

    hooks.plan.tap('cron', ({ service }) =>
      service.cron === undefined ? undefined : { mode: 'scheduled', reason: describeSchedule(service.cron) },
    )
    hooks.boot.tap({ name: 'cron', stage: 60 }, (state) => {
      jobs.restore(system.config)
      return state
    })
    hooks.reload.tap('cron', ({ after }) => jobs.follow(after))
    hooks.prepare.tap({ name: 'cron', stage: -100 }, (spec, { service, instance }) => {
      jobs.of(service.name)?.preparing(instance, starting.get(service.name))
      return spec
    })
    hooks.started.tap('cron', (instance) => jobs.of(instance.service.name)?.started(instance))
    hooks.adopted.tap('cron', (instance) => jobs.adopted(instance))
    hooks.stopped.tap('cron', (instance) => jobs.running(instance.service.name)?.stopped(instance))
    hooks.view.tap('cron', (view) => {
      const job = jobs.of(view.name)
      return job === undefined ? view : { ...view, cron: job.view }
    })
    hooks.event.tap('cron', (event) => {
      if (event.type === 'system.started') jobs.takenOver()
      const job = jobs.of(event.service)
      const running = jobs.running(event.service)
      if (job !== undefined && event.type === 'service.starting') starting.set(job.name, event.seq)
      if (running !== undefined && system.isStopping) jobs.close()
      else if (job !== undefined) hearOfSchedule(event, job)
      if (running !== undefined) hearOfRun(event, running)
    })
    hooks.shutdown.tap('cron', () => jobs.finish())
  },
})

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Run it by a schedule: an expression such as `0 3 * * *`, or `{ expression, timezone, overlap, catch_up, timeout }`. From the `cron` plugin. */
    cron?: z.input<typeof cronKey>
  }
  interface ResolvedService {
    readonly cron?: Cron | undefined
  }
  interface ServiceView {
    /** When it runs next, and how its last runs went. From the `cron` plugin. */
    readonly cron?: CronView | null
  }
  interface EventData {
    /** A run begins. `scheduled`: when it was due, ISO 8601; null when somebody started it. */
    'cron.started': { trigger: Trigger; scheduled: string | null }
    /** Nothing of a run lives any more. */
    'cron.finished': {
      trigger: Trigger
      scheduled: string | null
      status: RunStatus
      exit_code: number | null
      reason: string | null
      duration_ms: number | null
      /** It began under an earlier supervisor. */
      supervisor_replaced: boolean
    }
    /** A run that was due is left out. */
    'cron.skipped': { trigger: Trigger; scheduled: string; reason: string }
  }
}
