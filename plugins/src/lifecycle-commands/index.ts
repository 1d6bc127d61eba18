/**
 * Runs commands when something happens to a service: it has started, stopped, crashed, come back.
 *
 * Owns the service key `hooks`. Taps `started`, `adopted`, `stopped` and `event` (what happens), `boot` (goes on where an
 * earlier supervisor ended), `reload` and `shutdown` (waits for what runs). Which hook comes when is in `course.ts`; it is
 * fire and forget: no service and no command waits for a hook, and one that fails changes nothing.
 */
import { definePlugin, eventOfState, type EventType, type SysgEvent } from '@systemg/core'
import type { z } from 'zod'
import { Courses } from './courses.ts'
import { endOf } from './ends.ts'
import { Lanes } from './lanes.ts'
import type { HookName } from './hook-names.ts'
import type { hooksKey, ServiceHooks } from './options.ts'

export type { HookName } from './hook-names.ts'

/** Hooks have limits of their own. */
const longestMs = 2 ** 31 - 1

export const lifecycleCommands = definePlugin({
  name: 'lifecycle-commands',
  schemas: () => import('./options.ts'),
  live: ['hooks'],
  setup(api) {
    const { host, hooks, system } = api
    const lanes = new Lanes(api, host.store.table('hook_runs'), {
      failed({ hook, service: { name: service }, cause }, { reason, exitCode, lastLines }) {
        host.trace('warn', `The hook ${hook} of \`${service}\` failed: ${reason}`)
        const facts = { hook, reason, exit_code: exitCode, last_lines: lastLines }
        system.emit('hook.failed', { service, ...(cause === undefined ? {} : { cause }) }, facts)
      },
      dropped({ hook, service: { name: service }, cause }, waiting) {
        host.trace('warn', `The hook ${hook} of \`${service}\` is left out: ${waiting} more wait`)
        system.emit('hook.dropped', { service, ...(cause === undefined ? {} : { cause }) }, { hook, waiting })
      },
    })
    const courses = new Courses(api, host.store.table('hook_courses'), lanes)
    /** The latest event about an instance that lives. */
    const causes = new Map<string, number>()
    /** Instances whose process has ended before anybody asked for that. */
    const endedByItself = new Set<string>()
    /** Instances of an earlier supervisor that went on. */
    const takenOver = new Set<string>()
    /** What an earlier supervisor was to end. */
    let wasToEnd: (service: string) => boolean = () => false

    hooks.boot.tap({ name: 'lifecycle-commands', stage: 50 }, (state) => {
      lanes.restore()
      courses.restore()
      wasToEnd = (service) => state.isEnding === true || state.intents[service]?.intent === 'stopped'
      return state
    })
    hooks.started.tap('lifecycle-commands', (instance) =>
      courses.tell(instance.service.name, (course) => course.started(instance)),
    )
    hooks.adopted.tap('lifecycle-commands', (instance, was) => {
      takenOver.add(instance.id)
      courses.tell(instance.service.name, (course) => course.adopted(instance, was))
    })
    hooks.stopped.tap('lifecycle-commands', (instance) => {
      const { id, service, start } = instance
      const isLost = start === 'adopted' && !takenOver.delete(id)
      const end = endOf(instance, {
        ...{ endedByItself: endedByItself.has(id), isLost },
        wasToEnd: wasToEnd(service.name),
      })
      courses.tell(service.name, (course) => course.ended(instance, end, causes.get(id)))
      causes.delete(id)
      endedByItself.delete(id)
    })
    hooks.event.tap('lifecycle-commands', (event) => {
      const { type, service, instance, seq } = event
      if (type === 'system.started') lanes.open()
      if (service === undefined) return
      if (instance !== undefined && isOfRun(type)) causes.set(instance, seq)
      if (is(event, 'service.exited') && !event.data.expected) endedByItself.add(instance ?? '')
      else if (is(event, 'instance.ready')) courses.tell(service, (course) => course.instanceReady(instance ?? ''))
      else if (is(event, 'service.ready')) courses.tell(service, (course) => course.ready(seq))
      else if (restsIn.has(type)) courses.tell(service, (course) => course.rested())
      else if (is(event, 'service.intent')) courses.tell(service, (course) => course.intended())
      else if (is(event, 'deploy.started')) courses.tell(service, (course) => course.deployStarted())
      else if (is(event, 'deploy.succeeded')) courses.tell(service, (course) => course.deploySucceeded(seq))
      else if (is(event, 'deploy.rolled_back')) courses.tell(service, (course) => course.deployFailed(event))
    })
    hooks.reload.tap('lifecycle-commands', () => courses.follow())
    // Before the logs are closed, which take what hooks write.
    hooks.shutdown.tapPromise({ name: 'lifecycle-commands', stage: -50, limitMs: longestMs }, async ({ hurry }) => {
      const kill = () => lanes.kill(hurry.reason)
      if (hurry.aborted) kill()
      hurry.addEventListener('abort', kill, { once: true })
      await lanes.drained()
      courses.clear()
    })
  },
})

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Commands that are run when something happens to the service: `{ on_start, on_stop, on_restart }`, each with `success` and `error`. From the `lifecycle-commands` plugin. */
    hooks?: z.input<typeof hooksKey>
  }
  interface ResolvedService {
    readonly hooks?: ServiceHooks
  }
  interface EventData {
    /** A hook could not be run, failed, or was killed. */
    'hook.failed': { hook: HookName; reason: string; exit_code: number | null; last_lines: readonly string[] }
    /** A hook is left out: so many of its service wait already. */
    'hook.dropped': { hook: HookName; waiting: number }
  }
}

const restsIn: ReadonlySet<string> = new Set(
  (['failed', 'completed', 'stopped', 'scheduled', 'skipped'] as const).map((state) => eventOfState[state]),
)

/** Only events of the course of an instance itself end with it. */
const isOfRun = (type: string): boolean => type.startsWith('instance.') || type === 'service.exited'

const is = <T extends EventType>(event: SysgEvent, type: T): event is SysgEvent<T> => event.type === type
