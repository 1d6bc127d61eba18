/**
 * What happens while an operation on services runs: on a terminal one line for each service, drawn in place on stderr;
 * elsewhere nothing. `progressLines` is pure; the rest draws.
 */
import type { Outcome, SysgEvent } from '@systemg/core'
import { formatAge, formatElapsed } from './age.ts'
import { blockOn, blockRows } from './live-block.ts'
import { printOutcome } from './print-outcome.ts'
import { advance, begin, type SeenService, type ServiceProgress } from './service-progress.ts'
import { styleOfState } from './state-style.ts'
import { countStates } from './status-table.ts'
import type { Style, Terminal } from './terminal.ts'
import { fit, fitMiddle, pad, widthOf } from './text.ts'

export type Verb = 'start' | 'stop' | 'restart' | 'shutdown' | 'scale'

export interface Progress {
  /** The services as they were when the operation began, or a little later. */
  begin(services: readonly SeenService[]): void
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
/** What takes a while shows how long it has taken. */
const tickMs = 1_000

export const createProgress = (terminal: Terminal, verb: Verb): Progress => {
  const seen = new Map<string, ServiceProgress>()
  const block = terminal.canDraw ? blockOn(terminal) : undefined
  let timer: NodeJS.Timeout | undefined
  let isSoon = false
  let hasEnded = false
  const draw = (): void => {
    timer = undefined
    isSoon = false
    const view = { columns: terminal.columns, rows: blockRows(terminal), nowMs: Date.now() }
    block?.draw(progressLines([...seen.values()], verb, view, (style, text) => terminal.paintErr(style, text)))
    if (!hasEnded && [...seen.values()].some(({ step }) => step !== undefined)) drawAfter(tickMs)
  }
  const drawAfter = (delayMs: number): void => {
    clearTimeout(timer)
    isSoon = delayMs === drawEveryMs
    timer = setTimeout(draw, delayMs)
    // Drawing keeps no command alive.
    timer.unref()
  }
  const end = (): void => {
    hasEnded = true
    clearTimeout(timer)
  }
  return {
    begin(services) {
      if (block === undefined || hasEnded) return
      begin(seen, services)
      if (!isSoon) drawAfter(drawEveryMs)
    },
    onEvent(event) {
      if (block === undefined || hasEnded || !advance(seen, event) || isSoon) return
      drawAfter(drawEveryMs)
    },
    done(outcome, views) {
      if (hasEnded) return
      end()
      if (block !== undefined && seen.size > 0) draw()
      block?.keep()
      printOutcome(terminal, outcome)
      const shown = views ?? [...seen.values()]
      if (block === undefined) return
      if (shown.length > 0) terminal.err(`${countStates(shown)}\n`)
      else if (outcome.problems.length + outcome.warnings.length === 0) terminal.err(`${nothingToDo[verb]}\n`)
    },
    clear() {
      if (hasEnded) return
      end()
      block?.clear()
    },
  }
}

/** Said on a terminal when all is well and nothing has happened: silence would leave a person wondering. */
const nothingToDo: Readonly<Record<Verb, string>> = {
  start: 'Nothing to do: what should be up is up.',
  stop: 'Nothing to do: it was stopped already.',
  restart: 'Nothing to do: there is nothing to restart.',
  scale: 'Nothing to do: there are so many already.',
  shutdown: 'Nothing to do: nothing runs.',
}

/** At most `rows` lines, none wider than `columns`: what is not settled yet comes first when not all fit. */
export const progressLines = (
  services: readonly ServiceProgress[],
  verb: Verb,
  { columns, rows, nowMs }: { readonly columns: number; readonly rows: number; readonly nowMs?: number },
  paint: (style: Style, text: string) => string,
): string[] => {
  const shown = services.length <= rows ? services : mostTelling(services, verb, Math.max(0, rows - 1))
  const nameWidth = Math.min(
    Math.max(0, ...shown.map(({ name }) => widthOf(name))),
    Math.max(8, Math.floor(columns / 2)),
  )
  const stateWidth = Math.max(0, ...shown.map(({ state }) => state.length))
  const lines = shown.map((service) =>
    lineOf(service, isSettled(service, verb), { columns, nameWidth, stateWidth, nowMs }, paint),
  )
  if (shown.length === services.length) return lines
  const rest = services.filter((service) => !shown.includes(service))
  return [...lines, paint('dim', fit(`… and ${countStates(rest)}`, columns))]
}

const moving: ReadonlySet<string> = new Set(['waiting', 'starting', 'deploying', 'stopping', 'backoff'])
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
  { name, state, detail, elapsedMs, step }: ServiceProgress,
  settled: boolean,
  {
    columns,
    nameWidth,
    stateWidth,
    nowMs,
  }: { columns: number; nameWidth: number; stateWidth: number; nowMs: number | undefined },
  paint: (style: Style, text: string) => string,
): string => {
  const head = `  ${pad(fitMiddle(name, nameWidth), nameWidth)}  `
  const room = columns - widthOf(head)
  const time = settled && elapsedMs > 0 ? formatElapsed(elapsedMs) : ''
  const stepMs = step === undefined || nowMs === undefined ? 0 : nowMs - step.sinceMs
  const said = stepMs >= tickMs ? `${detail} (${formatAge(stepMs)})` : detail
  const rest = [time, said].filter((part) => part !== '').join('  ')
  const word = fit(state, room)
  const style = styleOfState(state)
  const spaces = ' '.repeat(Math.max(0, stateWidth - widthOf(word)) + 2)
  const shown = style === undefined || word === '' ? word : paint(style, word)
  return fit(head, columns) + `${shown}${spaces}${fit(rest, room - stateWidth - 2)}`.trimEnd()
}
