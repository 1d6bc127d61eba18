/** What an operation on services came to, in the words of its caller. */
import { adviceOf, SysgError, whyOf } from './errors.ts'
import { isDown } from './replica.ts'
import type { Service } from './service.ts'
import type { Outcome } from './system-api.ts'

type Problem = Outcome['problems'][number]

/** How starting these services went. `of` finds others by name; `errors` are failures already known, by service. */
export const outcomeOfStart = (
  services: readonly Service[],
  of: (name: string) => Service | undefined,
  errors: ReadonlyMap<string, SysgError> = new Map(),
): Outcome => {
  const problems: Problem[] = []
  const warnings: string[] = []
  for (const service of services) {
    const error = errors.get(service.name)
    const { state, reason } = service.seen
    if (error !== undefined) problems.push(problemOf(service, error))
    else if (service.isAdHoc && service.isRemoved) warnings.push(`\`${service.name}\` was stopped meanwhile.`)
    else if (state === 'stopped') {
      if (service.intent.intent === 'stopped') warnings.push(stoppedByYou(service.name))
    } else if (state === 'blocked' && reason?.endsWith('was stopped by you') === true) {
      warnings.push(`\`${service.name}\` is blocked: ${reason}.`)
    } else if ((state === 'running' || state === 'starting') && service.wanted.some(isDown))
      problems.push(problemOf(service, incomplete(service)))
    else if (!isWell(service)) problems.push(problemOf(service, startError(service, of)))
  }
  return { ok: problems.length === 0, problems, warnings }
}

/** What a start of everything says of services that are in no config: it leaves them alone. */
export const warningsOfAdHoc = (services: readonly Service[]): readonly string[] =>
  services
    .filter(({ seen }) => seen.state === 'failed')
    .map(
      ({ name, seen: { reason } }) =>
        `The ad-hoc service \`${name}\` has ended: ${reason ?? 'failed'}. \`sysg start -s ${name}\` starts it again, \`sysg stop -s ${name}\` forgets it.`,
    )

/** What was to be replaced, and was not come to. */
export const warningsOfUntouched = (
  untouched: readonly string[],
  errors: ReadonlyMap<string, SysgError>,
): readonly string[] => {
  if (untouched.length === 0) return []
  const list = (names: Iterable<string>) => [...names].map((name) => `\`${name}\``).join(', ')
  return [`Not replaced, since ${list(errors.keys())} failed before: ${list(untouched)}. What runs of them goes on.`]
}

/** How stopping these services went: those of which something lives are named. */
export const outcomeOfStop = (services: readonly Service[], warnings: readonly string[] = []): Outcome => {
  const problems = services.flatMap((service) => {
    const stuck = service.living.flatMap((instance) => instance.stuck)
    if (stuck.length === 0) return []
    return [
      problemOf(
        service,
        new SysgError('SYSG_STOP_INCOMPLETE', { service: service.name, pids: stuck.map(({ pid }) => pid) }),
      ),
    ]
  })
  return { ok: problems.length === 0, problems, warnings }
}

const isWell = (service: Service): boolean =>
  ['running', 'completed', 'skipped', 'scheduled'].includes(service.seen.state ?? '')

const incomplete = ({ name, seen: { reason } }: Service): SysgError =>
  new SysgError('SYSG_REPLICAS_INCOMPLETE', { service: name, reason: reason ?? 'some are down' })

const startError = (service: Service, of: (name: string) => Service | undefined): SysgError => {
  const {
    name,
    seen: { state, reason },
  } = service
  const refusal = refusalOf(service)
  if (refusal !== undefined && state === 'failed') return refusal
  if (refusal !== undefined && state === 'backoff') {
    const text = { message: `${whyOf(refusal)}; it is tried again.`, hint: refusal.hint ?? 'Nothing to do.' }
    return SysgError.of(refusal.code, text, { cause: refusal })
  }
  if (state === 'blocked')
    return new SysgError(
      'SYSG_START_BLOCKED',
      { service: name, reason: reason ?? 'a dependency is down', down: downFor(service, of)?.name },
      { lastLines: [] },
    )
  const why = reason === null ? `it is ${state ?? 'unknown'}` : reason
  const what =
    state === 'backoff' ? `${why}; it is tried again` : state === 'failed' ? why : `it is ${state ?? 'unknown'}: ${why}`
  return new SysgError('SYSG_START_FAILED', { service: name, reason: what, advice: adviceOf(lastFailure(service)) })
}

/** The service that a blocked one waits for in the end, when it stays down until a person starts it. */
const downFor = (service: Service, of: (name: string) => Service | undefined): Service | undefined => {
  const [by] = service.gate.by ?? []
  const next = by === undefined ? undefined : of(by)
  if (next?.seen.state === 'blocked') return downFor(next, of)
  return next?.seen.state === 'failed' || next?.seen.state === 'stopped' ? next : undefined
}

/** Why its last run was never begun, in the words of whoever refused it. */
const refusalOf = (service: Service): SysgError | undefined => {
  const failure = lastFailure(service)
  return failure?.code === 'SYSG_START_FAILED' ? undefined : failure
}

const lastFailure = ({ replicas }: Service): SysgError | undefined =>
  replicas.map(({ last }) => last?.failure).findLast((one) => one !== undefined)

const stoppedByYou = (name: string) => `\`${name}\` stays stopped, as you asked; \`sysg start -s ${name}\` starts it.`

const problemOf = (service: Service, error: SysgError): Problem => ({
  service: service.name,
  code: error.code,
  message: error.message,
  hint: error.hint ?? null,
  last_lines:
    error.lastLines ??
    service.replicas.map(({ last }) => last?.lastLines ?? []).findLast((lines) => lines.length > 0) ??
    [],
})
