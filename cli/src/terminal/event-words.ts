/** What an event says, in words. Pure. */
import type { EventData, Exit, SysgEvent } from '@systemg/core'
import type { RunStatus, Trigger } from '@systemg/plugins/cron'
import type {} from '@systemg/plugins/metrics'
import { formatElapsed } from './age.ts'
import { plain } from './text.ts'

/** One line: `api exited: code 1`. Events of plugins that are not known here say their data. */
export const describeEvent = (event: SysgEvent): string => {
  const who = event.service ?? 'the system'
  const words = phrases[event.type as keyof typeof phrases] as Phrase | undefined
  try {
    if (words !== undefined) return plain(words(event.data as never, event.instance ?? who, who))
  } catch {
    // An older or newer systemg wrote it, with other data.
  }
  return plain(`${event.service === undefined ? '' : `${who}: `}${describeData(event.data)}`)
}

/** `code 1`, `killed by SIGKILL`. */
const describeExit = ({ code, signal, unknown, unseen, oomKilled }: Exit): string => {
  if (oomKilled === true) return 'killed by the kernel: out of memory'
  if (unseen === true) return 'nobody saw how'
  if (unknown === true) return 'status unknown, an earlier supervisor had started it'
  return signal === null ? `code ${code ?? 'unknown'}` : `killed by ${signal}`
}

/** `from` is the instance that it is about, or the service. */
type Phrase = (data: never, from: string, service: string) => string
type Phrases = { readonly [T in keyof EventData]?: (data: EventData[T], from: string, service: string) => string }

const because = (reason: string | null | undefined): string =>
  reason === null || reason === undefined || reason === '' ? '' : `: ${reason}`

const becauseOf = (trigger: Trigger, scheduled: string | null): string => {
  if (scheduled === null) return ', as somebody wants it to'
  return trigger === 'catch_up' ? `: it was missed at ${scheduled}` : `: it was due at ${scheduled}`
}

const runEnds: Readonly<Record<RunStatus, string>> = {
  success: 'succeeded',
  failed: 'failed',
  skipped: 'was left out',
  timeout: 'ran out of time',
  interrupted: 'was interrupted',
}

const mebi = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(1)}M`

const withPid = (pid: number | null): string => (pid === null ? '' : ` (pid ${pid})`)

const phrases = {
  'system.booting': ({ instances }) =>
    instances === 0 ? 'a supervisor begins' : `a supervisor begins; ${instances} recorded instances are looked for`,
  'system.started': ({ version, adopted }) =>
    `systemg ${version} runs${adopted > 0 ? `; ${adopted} ${adopted === 1 ? 'instance was' : 'instances were'} taken over` : ''}`,
  'system.stopped': ({ reason }) => `the system stopped${because(reason)}`,
  'metrics.listen_failed': ({ address, reason }) => `metrics are not served at ${address}: ${reason}`,
  'system.reloaded': ({ changed }) =>
    changed.length === 0 ? 'the config was applied: nothing changed' : `the config was applied: ${changed.join(', ')}`,
  'service.declared': ({ depends_on: needs, replicas, ad_hoc: isAdHoc }, _, service) =>
    [
      `the system has ${service}${isAdHoc ? ', which is in no config' : ''}`,
      ...(needs.length === 0 ? [] : [`needs ${needs.join(', ')}`]),
      ...(replicas === 1 ? [] : [`${replicas} replicas`]),
    ].join('; '),
  'service.removed': (_, __, service) => `the system no longer has ${service}`,
  'service.waiting': ({ reason }, _, service) => `${service} ${reason}`,
  'service.blocked': ({ reason }, _, service) => `${service} is blocked${because(reason)}`,
  'service.starting': ({ reason }, _, service) => `${service} is starting${because(reason)}`,
  'service.ready': ({ pid }, _, service) => `${service} is ready${withPid(pid)}`,
  'service.unhealthy': ({ reason }, _, service) => `${service} is unhealthy${because(reason)}`,
  'service.stopping': ({ reason }, _, service) => `${service} is stopping${because(reason)}`,
  'service.stopped': ({ reason }, _, service) => `${service} is stopped${because(reason)}`,
  'service.completed': ({ reason }, _, service) => `${service} completed${because(reason)}`,
  'service.restarting': ({ delay_ms: delayMs, attempt, reason }, _, service) =>
    `${service} restarts in ${formatElapsed(delayMs)} (attempt ${attempt})${because(reason)}`,
  'service.backoff': ({ reason }, _, service) => `${service} waits before it starts again${because(reason)}`,
  'service.reason': ({ reason }, _, service) => `${service}: ${reason ?? 'nothing more to say'}`,
  'service.degraded': ({ down }, _, service) =>
    down.length === 0
      ? `${service}: no replica is down any more`
      : `${service}: ${down.map(({ replica, state }) => `replica ${replica} ${state === 'failed' ? 'failed' : 'is in backoff'}`).join(', ')}`,
  'service.failed': ({ reason }, _, service) => `${service} failed${because(reason)}`,
  'service.scheduled': ({ reason }, _, service) => `${service} is scheduled${because(reason)}`,
  'service.skipped': ({ reason }, _, service) => `${service} is skipped${because(reason)}`,
  'service.exited': ({ exit, expected }, _, service) =>
    `${service} exited: ${describeExit(exit)}${expected || exit.code === 0 ? '' : ' (unexpected)'}`,
  'service.daemonized': ({ pids }, _, service) =>
    `${service} put itself into the background and left pid ${pids.join(', ')} behind`,
  'service.start_failed': ({ reason }, _, service) => `${service} did not start${because(reason)}`,
  'service.intent': ({ intent, by }, _, service) => `${service} is to be ${intent}, by ${by}`,
  'service.scaled': ({ from, to, by }, _, service) => `${service} is scaled from ${from} to ${to}, by ${by}`,
  'instance.started': ({ pid, role }, instance) =>
    `${instance} runs (pid ${pid}${role === 'candidate' ? ', candidate of a deploy' : ''})`,
  'instance.ready': ({ pid }, instance) => `${instance} is ready (pid ${pid})`,
  'instance.unhealthy': ({ reason }, instance) => `${instance} is unhealthy${because(reason)}`,
  'instance.healthy': (_, instance) => `${instance} is healthy again`,
  'instance.ended': ({ pid }, instance) =>
    pid === null
      ? `${instance} is over before it had a process`
      : `nothing of ${instance} lives any more${withPid(pid)}`,
  'instance.stopping': ({ pid, why }, instance) => `${instance} is stopping${withPid(pid)}${because(why)}`,
  'instance.adopted': ({ pid }, instance) => `${instance} was taken over (pid ${pid})`,
  'instance.given': ({ owner }, instance) => `${instance} belongs to ${owner ?? 'nothing else any more'}`,
  'replica.restored': ({ replica, outcome }, _, service) =>
    `${service}: replica ${replica} ${outcome === 'backoff' ? 'was in backoff' : `had ${outcome}`} under an earlier supervisor`,
  'deploy.started': ({ strategy }, _, service) =>
    `${service}: ${strategy === 'immediate' ? 'an' : 'a'} ${strategy} deploy begins`,
  'deploy.step': ({ step }, from, service) => `${service}: deploy step ${step}${from === service ? '' : ` (${from})`}`,
  'deploy.switched': ({ from, to }, _, service) =>
    `${service}: ${to} serves${from === null ? '' : ` instead of ${from}`}`,
  'deploy.succeeded': ({ duration_ms: durationMs }, _, service) =>
    `${service}: the deploy succeeded after ${formatElapsed(durationMs)}`,
  'deploy.rolled_back': ({ step, reason }, _, service) =>
    `${service}: the deploy was rolled back in step ${step}${because(reason)}`,
  'deploy.undo_failed': ({ reason }, _, service) =>
    `${service}: what the deploy had switched could not be taken back${because(reason)}`,
  'deploy.switch_repeated': ({ slot }, _, service) => `${service}: users are led to slot ${slot} again`,
  'deploy.switch_failed': ({ slot, reason }, _, service) =>
    `${service}: users could not be led to slot ${slot}${because(reason)}`,
  'service.pre_start': ({ command }, _, service) => `${service}: pre_start runs: ${command}`,
  'cron.started': ({ trigger, scheduled }, _, service) => `${service} runs${becauseOf(trigger, scheduled)}`,
  'cron.finished': ({ status, reason, duration_ms: durationMs, supervisor_replaced: isReplaced }, _, service) => {
    const after = durationMs === null ? '' : ` after ${formatElapsed(durationMs)}`
    return `${service}: the run ${runEnds[status]}${after}${isReplaced ? ', while the supervisor was replaced' : ''}${because(reason)}`
  },
  'cron.skipped': ({ scheduled, reason }, _, service) =>
    `${service}: the run that was due at ${scheduled} is left out${because(reason)}`,
  'spawn.started': ({ name, pid, parent, expires_at: expiresAt }) =>
    `${parent} has started ${name} (pid ${pid})${expiresAt === null ? '' : `, until ${expiresAt}`}`,
  'spawn.rejected': ({ parent, reason }) => `${parent} was refused a child: ${reason}`,
  'spawn.exited': ({ name, exit, reason }, _, service) =>
    `${name}, a child of ${service}, exited: ${describeExit(exit)}${because(reason)}`,
  'spawn.moved': ({ name, pid, from, to }) =>
    `${name} (pid ${pid}) goes on without ${from}, ${to === null ? 'as a service of its own' : `below ${to}`}`,
  'spawn.memory_exceeded': ({ name, used_bytes: used, limit_bytes: limit }, _, service) =>
    `${service} and what it has started use ${mebi(used)} of ${mebi(limit)}: ${name}, the newest, is stopped`,
  'hook.failed': ({ hook, reason }, _, service) => `${service}: the hook ${hook} failed${because(reason)}`,
  'hook.dropped': ({ hook, waiting }, _, service) =>
    `${service}: the hook ${hook} is left out: ${waiting} more wait for their turn`,
  'webhook.failed': ({ url, event, attempts, reason }) =>
    `${event} was not delivered to ${url} (${attempts} ${attempts === 1 ? 'try' : 'tries'})${because(reason)}`,
  'webhook.dropped': ({ url, count, total }) =>
    `${count} events for ${url} were left out, too many wait (${total} in all)`,
  'watch.changed': ({ paths, more }, _, service) =>
    `${service} is restarted: ${paths.join(', ')}${more > 0 ? ` and ${more} more` : ''} changed`,
  'watch.failed': ({ reason }, _, service) => `${service}: not everything is watched: ${reason}`,
  'watch.loops': ({ paths, more }, _, service) =>
    `${service} seems to write what it watches: ${paths.join(', ')}${more > 0 ? ` and ${more} more` : ''}; \`watch.ignore\` leaves files out`,
  'plugin.error': ({ plugin, hook, message }) => `plugin ${plugin} failed in ${hook}: ${message}`,
} as const satisfies Phrases

/** `stream=stderr reason="disk full"`. */
const describeData = (data: Readonly<Record<string, unknown>>): string =>
  Object.entries(data)
    .map(
      ([key, value]) =>
        `${key}=${typeof value === 'string' && /^[\w./:-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join(' ')
