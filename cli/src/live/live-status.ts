/** `sysg status --stream` on a terminal: connects what is shown, what is typed, and the supervisor. */
import type { Inspection } from '@systemg/core'
import type { LogRecord } from '@systemg/plugins/logs'
import { connect } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { namesOf } from '../terminal/follow-logs.ts'
import type { StatusReport } from '../terminal/service-status.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import type { Cursors } from '../unsupervised/stored-logs.ts'
import { Feed } from './feed.ts'
import { emptyModel, type Action, type Detail, type LiveModel } from './model.ts'
import { logLine } from './panes.ts'
import { render, roomFor } from './render.ts'
import { processPort, Screen, type ScreenPort } from './screen.ts'
import { update, type Effect, type Message } from './update.ts'

export interface LiveOptions {
  readonly paths: ProjectPaths
  /** Only these services; empty: all. */
  readonly names: readonly string[]
  readonly everyMs: number
  /** Begin with everything about one, and end when that was left. */
  readonly inspected?: Pick<Detail, 'service' | 'asked'> & { readonly windowMs: number }
}

/** What comes together is drawn once, ms. */
const drawMs = 30
/** Lines written before that the logs of a service begin with. */
const linesBefore = 500
/** How far back CPU and memory are shown of a service, unless somebody says. */
const defaultWindowMs = 600_000

/**
 * Until somebody has seen enough. A supervisor that goes and comes back meanwhile ends nothing.
 *
 * @throws {Failure} `SYSG_NO_SUPERVISOR`, `SYSG_SERVICE_UNKNOWN`: there must be something to begin with.
 */
export const showLive = async (
  { terminal }: Pick<CommandContext, 'terminal'>,
  options: LiveOptions,
  port: ScreenPort = processPort(),
): Promise<ExitCode> => {
  const { paths, names, everyMs } = options
  const supervisor = await connect(paths)
  if (names.length > 0) await requireKnown(names, await namesOf(supervisor))
  const view = new LiveView(options, port, (style, text) => terminal.paint(style, text))
  const feed = new Feed(paths, everyMs, view)
  await view.show(feed, () => feed.run(supervisor))
  return exitCodes.done
}

class LiveView {
  readonly #names: readonly string[]
  readonly #paint: CommandContext['terminal']['paint']
  readonly #screen: Screen
  readonly #windowMs: number
  #model: LiveModel
  #feed: Feed | undefined
  #drawing: NodeJS.Timeout | undefined
  #logs: { readonly controller: AbortController; after: Cursors | undefined } | undefined
  readonly #done = Promise.withResolvers<void>()

  constructor({ paths, names, inspected }: LiveOptions, port: ScreenPort, paint: CommandContext['terminal']['paint']) {
    this.#names = names
    this.#paint = paint
    this.#windowMs = inspected?.windowMs ?? defaultWindowMs
    const model = emptyModel(paths.id)
    this.#model = inspected === undefined ? model : { ...model, pane: beginWith(inspected) }
    this.#screen = new Screen(port, {
      onKey: (key) => this.#take({ kind: 'key', key }),
      onResize: () => this.#resize(),
      onHangup: () => this.#done.resolve(),
    })
  }

  async show(feed: Feed, run: () => Promise<void>): Promise<void> {
    this.#feed = feed
    this.#screen.open()
    try {
      await Promise.race([this.#done.promise, run()])
    } finally {
      clearTimeout(this.#drawing)
      this.#endLogs()
      this.#screen.close()
      feed.close()
    }
  }

  onSeen(report: StatusReport): void {
    const services = report.services.filter(({ name }) => this.#names.length === 0 || this.#names.includes(name))
    this.#take({ kind: 'seen', report: { ...report, services }, atMs: Date.now() })
  }

  onLost(why: string): void {
    this.#take({ kind: 'lost', why })
  }

  onNext(): void {
    const { pane } = this.#model
    if (pane.kind === 'logs') void this.#followLogs(pane.service, this.#logs?.after)
  }

  #take(message: Message): void {
    const [model, effect] = update(this.#model, message)
    this.#model = model
    if (effect !== undefined) this.#perform(effect)
    this.#drawing ??= setTimeout(() => this.#draw(), message.kind === 'key' ? 0 : drawMs)
  }

  #draw(): void {
    this.#drawing = undefined
    this.#screen.draw(render(this.#model, this.#look))
  }

  get #look() {
    return { columns: this.#screen.columns, rows: this.#screen.rows, paint: this.#paint }
  }

  #resize(): void {
    this.#take({ kind: 'room', rows: roomFor(this.#screen.rows).rows })
    const { pane } = this.#model
    if (pane.kind === 'detail') void this.#inspect(pane.asked)
  }

  #perform(effect: Effect): void {
    if (effect.kind === 'quit') this.#done.resolve()
    else if (effect.kind === 'suspend') this.#screen.suspend()
    else if (effect.kind === 'redraw') this.#screen.redraw()
    else if (effect.kind === 'inspect') void this.#inspect(effect.asked)
    else if (effect.kind === 'logs') void this.#followLogs(effect.service, undefined)
    else if (effect.kind === 'no-logs') this.#endLogs()
    else void this.#do(effect.action)
  }

  async #inspect(asked: string): Promise<void> {
    // Before the first look nobody is connected.
    if (this.#model.supervisor === null) return
    try {
      const params = { service: asked, window_ms: this.#windowMs }
      const found = (await this.#feed?.call('inspect', params)) as Inspection
      const [{ inspectReportOf }, { inspectText }] = await Promise.all([
        import('../inspect/report.ts'),
        import('../inspect/text.ts'),
      ])
      const options = { width: this.#screen.columns, paint: this.#paint, nowMs: Date.now() }
      this.#take({ kind: 'detail', asked, lines: inspectText(inspectReportOf(found), options) })
    } catch (thrown) {
      this.#tell(thrown)
    }
  }

  async #followLogs(service: string, after: Cursors | undefined): Promise<void> {
    this.#endLogs()
    const controller = new AbortController()
    const logs = { controller, after }
    this.#logs = logs
    let waiting: string[] = []
    const flush = () => {
      if (waiting.length > 0 && !controller.signal.aborted) this.#take({ kind: 'log', service, lines: waiting })
      waiting = []
    }
    const timer = setInterval(flush, drawMs)
    const from = after === undefined ? { lines: linesBefore } : { after }
    try {
      await this.#feed?.call(
        'logs.follow',
        { kind: 'all', services: [service], ...from },
        {
          signal: controller.signal,
          onNotify: (method, notified) => {
            if (method !== 'log') return
            const { records, cursors } = notified as unknown as Told
            logs.after = { ...logs.after, ...cursors }
            for (const record of records) waiting.push(logLine(record, this.#paint))
          },
        },
      )
    } catch (thrown) {
      if (!controller.signal.aborted) this.#tell(thrown)
    } finally {
      clearInterval(timer)
      flush()
    }
  }

  #endLogs(): void {
    this.#logs?.controller.abort(new Error('nobody looks any more'))
    this.#logs = undefined
  }

  async #do({ kind, service }: Action): Promise<void> {
    const done = { restart: 'restarted', stop: 'stopped', start: 'started' }
    try {
      const outcome = (await this.#feed?.call(kind, { services: [service] })) as Outcome
      const [problem] = outcome.problems
      const text = problem?.message ?? [`${service} is ${done[kind]}.`, ...outcome.warnings].join(' ')
      this.#take({ kind: 'note', text, isBad: !outcome.ok })
    } catch (thrown) {
      this.#tell(thrown)
    }
  }

  #tell(thrown: unknown): void {
    this.#take({ kind: 'note', text: thrown instanceof Error ? thrown.message : String(thrown), isBad: true })
  }
}

const beginWith = ({ service, asked }: Pick<Detail, 'service' | 'asked'>): Detail => ({
  ...{ kind: 'detail', service, asked, lines: [], top: 0, isFirst: true },
})

/** What `logs.follow` tells at once. */
interface Told {
  readonly records: readonly LogRecord[]
  readonly cursors: Cursors
}

interface Outcome {
  readonly ok: boolean
  readonly problems: readonly { readonly message: string }[]
  readonly warnings: readonly string[]
}
