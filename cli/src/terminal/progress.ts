/**
 * What happens while an operation on services runs: on a terminal one line for each service, drawn in place on stderr;
 * elsewhere nothing. `progressLines` is pure; the rest draws.
 */
import type { Outcome, SysgEvent } from '@systemg/core'
import { formatElapsed } from './age.ts'
import { blockOn, blockRows } from './live-block.ts'
import { printOutcome } from './print-outcome.ts'
import { styleOfState } from './state-style.ts'
import { countStates } from './status-table.ts'
import type { Style, Terminal } from './terminal.ts'
import { fit, fitMiddle, pad, plain, widthOf } from './text.ts'

export type Verb = 'start' | 'stop' | 'restart' | 'shutdown' | 'scale'

export interface Progress {
  /** Something has happened. */
  onEvent(event: SysgEvent): void
  /**
   * The operation has ended. What was drawn stays; behind it come problems with the last lines of output, warnings,
   * and how many services are in which state.
   *
   * @param views - The services as they are now; default: as the events told.
   */
  done(outcome: Outcome, views?: readonly { readonly state: string }[]): void
  /** Take away what is drawn, and draw nothing more. */
  clear(): void
}

/** Events that come together are drawn together, ms. */
const drawEveryMs = 40

export const createProgress = (terminal: Terminal, verb: Verb): Progress => {
  const seen = new Map<string, ServiceProgress>()
  const block = terminal.canDraw ? blockOn(terminal) : undefined
  let timer: NodeJS.Timeout | undefined
  let hasEnded = false
  const draw = (): void => {
    timer = undefined
    const size = { columns: terminal.columns, rows: blockRows(terminal) }
    block?.draw(progressLines([...seen.values()], verb, size, (style, text) => terminal.paintErr(style, text)))
  }
  const end = (): void => {
    hasEnded = true
    clearTimeout(timer)
  }
  return {
    onEvent(event) {
      if (block === undefined || hasEnded || !advance(seen, event) || timer !== undefined) return
      timer = setTimeout(draw, drawEveryMs)
      // Drawing keeps no command alive.
      timer.unref()
    },
    done(outcome, views) {
      if (hasEnded) return
      end()
      if (block !== undefined && seen.size > 0) draw()
      block?.keep()
      printOutcome(terminal, outcome)
      const shown = views ?? [...seen.values()]
      if (block !== undefined && shown.length > 0) terminal.err(`${countStates(shown)}\n`)
    },
    clear() {
      if (hasEnded) return
      end()
      block?.clear()
    },
  }
}

/** One service during an operation. */
export interface ServiceProgress {
  readonly name: string
  readonly state: string
  /** What it waits for or why it is as it is; empty when there is nothing to say. */
  readonly detail: string
  /** From the first thing that happened to it until its present state, ms. */
  readonly elapsedMs: number
  /** When the first thing happened to it; wall clock, ms. */
  readonly sinceMs: number
}

/** Take an event in. @returns whether anything about any service has changed. */
export const advance = (seen: Map<string, ServiceProgress>, event: SysgEvent): boolean => {
  const name = event.service
  if (name === undefined) return false
  const before = seen.get(name)
  const timeMs = Date.parse(event.time)
  const sinceMs = before?.sinceMs ?? timeMs
  const state = states[event.type]
  if (state !== undefined) {
    const reason = (event.data as { readonly reason?: unknown }).reason
    const detail = typeof reason === 'string' ? plain(reason) : ''
    seen.set(name, { name, state, detail, sinceMs, elapsedMs: timeMs - sinceMs })
    return true
  }
  if (event.type === 'service.scaled') {
    const { from, to } = event.data as { readonly from?: unknown; readonly to?: unknown }
    const now = before?.state ?? (from === 0 ? 'stopped' : 'running')
    seen.set(name, { name, state: now, detail: `${String(from)} → ${String(to)}`, sinceMs, elapsedMs: 0 })
    return true
  }
  if (before === undefined) return false
  const happened = event.instance === undefined ? undefined : instanceWords[event.type]
  if (happened !== undefined) {
    seen.set(name, { ...before, detail: `${event.instance ?? ''} ${happened}`, elapsedMs: timeMs - sinceMs })
    return true
  }
  if (event.type !== 'deploy.step') return false
  const { step } = event.data as { readonly step?: unknown }
  seen.set(name, { ...before, detail: `deploy: ${String(step)}` })
  return true
}

/** At most `rows` lines, none wider than `columns`: what is not settled yet comes first when not all fit. */
export const progressLines = (
  services: readonly ServiceProgress[],
  verb: Verb,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  paint: (style: Style, text: string) => string,
): string[] => {
  const shown = services.length <= rows ? services : mostTelling(services, verb, Math.max(0, rows - 1))
  const nameWidth = Math.min(
    Math.max(0, ...shown.map(({ name }) => widthOf(name))),
    Math.max(8, Math.floor(columns / 2)),
  )
  const stateWidth = Math.max(0, ...shown.map(({ state }) => state.length))
  const lines = shown.map((service) =>
    lineOf(service, isSettled(service, verb), { columns, nameWidth, stateWidth }, paint),
  )
  if (shown.length === services.length) return lines
  const rest = services.filter((service) => !shown.includes(service))
  return [...lines, paint('dim', fit(`… and ${countStates(rest)}`, columns))]
}

const states: Readonly<Record<string, string>> = {
  'service.waiting': 'waiting',
  'service.blocked': 'blocked',
  'service.starting': 'starting',
  'service.ready': 'running',
  'service.unhealthy': 'unhealthy',
  'service.stopping': 'stopping',
  'service.stopped': 'stopped',
  'service.completed': 'completed',
  'service.restarting': 'backoff',
  'service.failed': 'failed',
  'service.scheduled': 'scheduled',
  'service.skipped': 'skipped',
}

/** What instances do while their service stays as it is. */
const instanceWords: Readonly<Record<string, string>> = {
  'instance.ready': 'is ready',
  'instance.stopping': 'is stopping',
}

const moving: ReadonlySet<string> = new Set(['waiting', 'starting', 'stopping', 'backoff'])
const bad: ReadonlySet<string> = new Set(['failed', 'blocked', 'unhealthy', 'backoff'])

/** Nothing more is to be expected of it. What is to stop has not arrived while it is running. */
const isSettled = ({ state }: ServiceProgress, verb: Verb): boolean =>
  !moving.has(state) && !(state === 'running' && (verb === 'stop' || verb === 'shutdown'))

/** In their order: those in trouble, those on their way, and then those that settled last. */
const mostTelling = (services: readonly ServiceProgress[], verb: Verb, count: number): readonly ServiceProgress[] => {
  const rank = (service: ServiceProgress) => (bad.has(service.state) ? 0 : isSettled(service, verb) ? 2 : 1)
  const endMs = ({ sinceMs, elapsedMs }: ServiceProgress) => sinceMs + elapsedMs
  const chosen = new Set([...services].sort((a, b) => rank(a) - rank(b) || endMs(b) - endMs(a)).slice(0, count))
  return services.filter((service) => chosen.has(service))
}

const lineOf = (
  { name, state, detail, elapsedMs }: ServiceProgress,
  settled: boolean,
  { columns, nameWidth, stateWidth }: { columns: number; nameWidth: number; stateWidth: number },
  paint: (style: Style, text: string) => string,
): string => {
  const head = `  ${pad(fitMiddle(name, nameWidth), nameWidth)}  `
  const room = columns - widthOf(head)
  const time = settled && elapsedMs > 0 ? formatElapsed(elapsedMs) : ''
  const rest = [time, detail].filter((part) => part !== '').join('  ')
  const word = fit(state, room)
  const style = styleOfState(state)
  const spaces = ' '.repeat(Math.max(0, stateWidth - widthOf(word)) + 2)
  const shown = style === undefined || word === '' ? word : paint(style, word)
  return fit(head, columns) + `${shown}${spaces}${fit(rest, room - stateWidth - 2)}`.trimEnd()
}
