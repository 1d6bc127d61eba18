/** Why a service is as it is, in words, down to the root cause. */
import { SysgError } from './errors.ts'
import type { Exit } from './host.ts'
import type { Instance } from './instance.ts'
import type { StopRequest } from './instance-world.ts'
import type { Service } from './service.ts'
import type { ServiceState } from './states.ts'

/** What a dependent says of a dependency in this state: "db is in backoff". */
const phrases: Partial<Record<ServiceState, string>> = {
  backoff: 'is in backoff',
  failed: 'failed',
  running: 'is not ready',
}

/** `exit code 1`, `killed by SIGKILL`, `exit status unknown: an earlier supervisor had started it`. */
export const describeExit = (exit: Exit): string => {
  if (exit.oomKilled === true) return 'killed by the kernel: out of memory'
  if (exit.unseen === true) return 'ended while no supervisor ran; exit status unknown'
  if (exit.unknown === true) return 'exit status unknown: an earlier supervisor had started it'
  return exit.signal === null ? `exit code ${exit.code ?? 'unknown'}` : `killed by ${exit.signal}`
}

/** What is remembered of a run that has ended. */
export type EndedFacts = Pick<
  Instance,
  'id' | 'exit' | 'exitAt' | 'lastLines' | 'failure' | 'stopRequest' | 'cause' | 'isDaemonized'
>

/** How a run ended, with the last line it wrote. */
export const describeEnd = (instance: EndedFacts): string => {
  if (instance.failure !== undefined && instance.stopRequest?.crash !== true)
    return instance.failure.message.replace(/\.$/, '')
  const { stopRequest, exit = { code: null, signal: null } } = instance
  const what = stopRequest?.crash === true ? describeStopRequest(stopRequest) : describeExit(exit)
  return withLastLine(what, instance.lastLines)
}

/** `exit code 1, \`no such table\``: what happened, with the last line that is not empty. */
export const withLastLine = (what: string, lines: readonly string[]): string => {
  const lastLine = lines.findLast((line) => line.trim() !== '')
  return lastLine === undefined ? what : `${what}, \`${clip(lastLine.trim())}\``
}

/** What a check said, told from what the program did: both may be `exit code 1`. */
export const describeUnhealthy = (reason: string | null | undefined): string =>
  reason == null ? 'unhealthy' : `unhealthy: ${reason}`

/** Why it is stopped. */
export const describeStopRequest = ({ why, detail }: StopRequest): string =>
  why === 'unhealthy' ? describeUnhealthy(detail) : (detail ?? why)

/** The reason shown for a service; `of` finds others by name; null when there is nothing to say. */
export const explain = (
  service: Service,
  state: ServiceState,
  of: (name: string) => Service | undefined,
): string | null => {
  const last = service.replicas.map((replica) => replica.last).findLast((run) => run !== undefined)
  switch (state) {
    case 'waiting':
      return describeWaiting(service.gate.by ?? [], of)
    case 'blocked':
      return (service.gate.by ?? [])
        .slice(0, 1)
        .map((name) => blame(name, of(name)))
        .join('')
    case 'backoff':
      return last === undefined ? null : describeEnd(last)
    case 'failed':
      return service.planError ?? describeFailure(service, last)
    case 'unhealthy':
      return service.living.find(({ state: of }) => of === 'unhealthy')?.unhealthyReason ?? null
    case 'stopping':
      return describeStopping(service)
    case 'stopped':
      return describeStopped(service)
    case 'skipped':
    case 'scheduled':
      return typeof service.plan === 'object' ? service.plan.reason : null
    case 'starting':
      return describeReplicas(service) ?? describeStarting(service)
    case 'running':
      return describeReplicas(service)
    case 'completed':
      return last?.isDaemonized === true ? describeDaemonized(service.name) : null
  }
}

/** More dependencies than these are not named one by one. */
export const mostNamed = 8

const describeWaiting = (names: readonly string[], of: (name: string) => Service | undefined): string => {
  const named = names.slice(0, mostNamed).map((name) => `${name} (${of(name)?.seen.state ?? 'unknown'})`)
  const more = names.length - named.length
  return `waits for ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const blame = (name: string, service: Service | undefined): string => {
  if (service?.seen.state === undefined) return `${name} is not there`
  if (service.intent.intent === 'stopped') return `${name} was stopped by you`
  const reason = service.seen.reason === null ? '' : `: ${service.seen.reason}`
  return `${name} ${phrases[service.seen.state] ?? `is ${service.seen.state}`}${reason}`
}

const describeFailure = (service: Service, last: EndedFacts | undefined): string | null => {
  const gaveUp = service.replicas.find(({ gaveUp: why }) => why !== undefined)?.gaveUp
  const end = last === undefined ? null : describeEnd(last)
  return gaveUp === undefined ? end : `gave up: ${gaveUp}${end === null ? '' : `; ${end}`}`
}

const describeStopped = (service: Service): string | null => {
  if (service.intent.intent === 'stopped') return 'stopped by you'
  if (!service.isAsked) return 'not started yet'
  if (!service.isIntended || service.wantedReplicas > 0) return null
  return service.intent.replicas === 0 ? 'scaled to 0 by you' : 'no replica is wanted'
}

const describeStopping = (service: Service): string | null => {
  const stuck = service.living.find((instance) => instance.stuck.length > 0)?.stuck ?? []
  if (stuck.length > 0) {
    const pids = stuck.map(({ pid }) => pid).join(', ')
    return `pid ${pids} does not die${stuck.some(({ uninterruptible }) => uninterruptible) ? ' (uninterruptible)' : ''}`
  }
  const request = service.living.find(({ stopRequest }) => stopRequest !== undefined)?.stopRequest
  return request === undefined || request.detail === null ? null : describeStopRequest(request)
}

const describeStarting = (service: Service): string | null => {
  const why = service.living.find(({ state, role }) => state === 'starting' && role === 'active')?.unhealthyReason
  return why === undefined ? null : `not ready yet: ${why}`
}

const describeReplicas = (service: Service): string | null => {
  if (service.wantedReplicas < 2) return null
  const ready = service.wanted.filter(({ active }) => active?.isServing === true).length
  if (ready === service.wantedReplicas) return null
  const bad = service.wanted.find(({ state }) => state === 'backoff' || state === 'failed')
  const why =
    bad?.last === undefined
      ? ''
      : `: replica ${bad.index} ${bad.state === 'failed' ? 'failed' : 'is in backoff'}, ${describeEnd(bad.last)}`
  return `${ready} of ${service.wantedReplicas} ready${why}`
}

const clip = (line: string): string => (line.length > 200 ? `${line.slice(0, 199)}…` : line)

const describeDaemonized = (service: string): string => {
  const { message, hint = '' } = new SysgError('SYSG_SERVICE_DAEMONIZED', { service })
  return `${message} ${hint}`.replace(/\.$/, '')
}
