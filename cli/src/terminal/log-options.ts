/** The options of `sysg logs`, as typed and as meant. */
import { serviceNames, type Typed } from '../command.ts'
import { Failure } from '../failures.ts'
import { intervalMs, momentMs } from './duration.ts'
import type { LogKind } from './follow-logs.ts'

export interface LogOptions {
  /** Undefined: all. */
  readonly services: readonly string[] | undefined
  readonly kind: LogKind
  /** Undefined: all. */
  readonly lines: number | undefined
  readonly follow: boolean
  readonly everyMs: number | undefined
  /** Wall clock, ms. */
  readonly sinceMs: number | undefined
  readonly untilMs: number | undefined
  /** A regular expression that is known to be one. */
  readonly grep: string | undefined
  readonly timestamps: boolean
  readonly prefix: boolean
  readonly clear: boolean
}

/** @param nowMs - Wall clock, ms. @throws {Failure} `SYSG_USAGE`. */
export const logOptions = (typed: Typed, nowMs: number): LogOptions => {
  const { values } = typed
  const text = (name: string): string | undefined => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const [stream, since, until, grep] = [text('stream'), text('since'), text('until'), text('grep')]
  const services = serviceNames(typed)
  const options: LogOptions = {
    services: services.length > 0 ? services : undefined,
    kind: kindOf(text('kind') ?? 'all'),
    lines: linesOf(text('lines') ?? (since === undefined ? '50' : 'all'), 'logs'),
    follow: values['follow'] === true,
    everyMs: stream === undefined ? undefined : intervalMs(stream, '--stream'),
    sinceMs: since === undefined ? undefined : momentMs(since, '--since', nowMs),
    untilMs: until === undefined ? undefined : momentMs(until, '--until', nowMs),
    grep,
    timestamps: values['timestamps'] === true,
    prefix: values['prefix'] !== false,
    clear: values['clear'] === true,
  }
  if (grep !== undefined) compilePattern(grep)
  refuseContradictions(options, values)
  return options
}

/** A number, or `undefined` for `all`. @throws {Failure} `SYSG_USAGE`. */
export const linesOf = (value: string, command: string): number | undefined => {
  if (value === 'all') return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new Failure('SYSG_USAGE', { message: `\`--lines\` takes a number or \`all\`, not \`${value}\`.`, command })
}

/** @throws {Failure} `SYSG_USAGE`. */
export const compilePattern = (source: string): RegExp => {
  try {
    return new RegExp(source, 'u')
  } catch {
    // Some patterns of everyday life (`\-`, a lone `{`) are only valid without the flag.
  }
  try {
    return new RegExp(source)
  } catch (thrown) {
    throw usage(`\`--grep\`: ${thrown instanceof Error ? thrown.message : String(thrown)}.`)
  }
}

const kinds: readonly LogKind[] = ['stdout', 'stderr', 'all', 'supervisor']

const kindOf = (value: string): LogKind => {
  const kind = kinds.find((one) => one === value)
  if (kind === undefined) throw usage(`\`--kind\` takes ${kinds.join(', ')}, not \`${value}\`.`)
  return kind
}

const selecting = ['lines', 'follow', 'stream', 'kind', 'since', 'until', 'grep']

const refuseContradictions = (options: LogOptions, values: Typed['values']): void => {
  const { clear, follow, everyMs, untilMs, kind, services } = options
  const selected = selecting.find((name) => values[name] !== undefined)
  if (clear && selected !== undefined)
    throw usage(`\`--clear\` forgets everything: it can't be used with \`--${selected}\`.`)
  if (untilMs !== undefined && (follow || everyMs !== undefined))
    throw usage(`\`--until\` ends what \`--${follow ? 'follow' : 'stream'}\` goes on with: use one of them.`)
  if (kind === 'supervisor' && services !== undefined)
    throw usage('The log of the supervisor belongs to no service: name none.')
}

const usage = (message: string): Failure => new Failure('SYSG_USAGE', { message, command: 'logs' })
