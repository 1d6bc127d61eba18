/**
 * Tells a Slack channel what happens, by an incoming webhook.
 *
 * Options: `url`, `events`, `services`. Taps `event`. A slow or dead Slack delays nothing: messages wait in a short queue,
 * and what does not fit is counted and said with the next one. Brings the command `slack-test`, which asks the control
 * method `slack.test`.
 */
import { definePlugin, SysgError, whyOf, z, type Host, type PluginCommand, type SysgEvent } from '@systemg/core'

const options = z.strictObject({
  url: z.url().describe('The incoming webhook, best from the environment: `${SLACK_WEBHOOK}`.'),
  events: z
    .array(z.string())
    .default(['service.failed', 'service.restarting', 'deploy.rolled_back'])
    .describe('Which events to tell of; `deploy.*` are all that begin so.'),
  services: z.array(z.string()).optional().describe('Which services to tell of. Default: all.'),
})

const attemptMs = 10_000
const goodbyeMs = 5_000
const longestQueue = 50

const slackTest: PluginCommand = {
  description: 'Send a message to the Slack channel now, and say whether it arrived',
  positionals: '[text]',
  async run({ positionals, control, print, misuse }) {
    const [text = 'This is a test.', ...others] = positionals
    if (others.length > 0) throw misuse('Put the text in quotes: `sysg slack-test "a few words"`.')
    const sent = await control.call('slack.test', { text })
    print(sent, () => 'It has arrived.')
  },
}

export default definePlugin({
  name: 'slack',
  options,
  commands: { 'slack-test': slackTest },
  setup({ host, hooks, options: given, onDispose, registerMethod }) {
    const { url, events, services } = given
    const queue = new Queue(host, url)
    hooks.event.tap('slack', (event) => {
      if (!events.some((pattern) => fits(event.type, pattern))) return
      if (services !== undefined && (event.service === undefined || !services.includes(event.service))) return
      queue.add(textOf(event))
    })
    onDispose(() => queue.end())
    registerMethod('slack.test', async (params) => {
      const { text } = z.strictObject({ text: z.string().min(1) }).parse(params)
      await queue.send(escaped(text)).catch((thrown: unknown) => {
        const message = `Slack did not take the message: ${whyOf(thrown)}.`
        throw SysgError.of('SYSG_SLACK', { message, hint: 'Check the option `url` of the plugin `slack`.' })
      })
      return { sent: true }
    })
  },
})

/** Sends one message after the other. */
class Queue {
  readonly #host: Host
  readonly #url: string
  readonly #waiting: string[] = []
  readonly #over = new AbortController()
  #dropped = 0
  #sending: Promise<void> | undefined

  constructor(host: Host, url: string) {
    this.#host = host
    this.#url = url
  }

  add(text: string): void {
    if (this.#waiting.length >= longestQueue) this.#dropped += 1
    else this.#waiting.push(text)
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined))
  }

  /** Gives what waits a little time. */
  async end(): Promise<void> {
    const cancel = this.#host.clock.timer(goodbyeMs, () => this.#over.abort(new Error('the system has ended')))
    await this.#sending
    cancel()
  }

  /** @throws {Error} when nobody took it. */
  async send(text: string): Promise<void> {
    const limit = new AbortController()
    const cancel = this.#host.clock.timer(attemptMs, () => limit.abort(new Error(`no answer within ${attemptMs} ms`)))
    const signal = AbortSignal.any([limit.signal, this.#over.signal])
    const headers = { 'content-type': 'application/json' }
    try {
      const body = JSON.stringify({ text })
      const { status, body: said } = await this.#host.http({ url: this.#url, method: 'POST', headers, body, signal })
      if (status >= 300) throw new Error(`it answered ${status} ${said.slice(0, 100)}`)
    } finally {
      cancel()
    }
  }

  async #sendAll(): Promise<void> {
    for (
      let text = this.#waiting.shift();
      text !== undefined && !this.#over.signal.aborted;
      text = this.#waiting.shift()
    ) {
      const more = this.#dropped === 0 ? '' : `\n(${this.#dropped} more were not told)`
      this.#dropped = 0
      await this.send(text + more).catch((thrown: unknown) =>
        this.#host.trace('warn', `Slack: ${thrown instanceof Error ? thrown.message : String(thrown)}`),
      )
    }
  }
}

const fits = (type: string, pattern: string): boolean =>
  pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern

const icons: readonly (readonly [pattern: RegExp, icon: string])[] = [
  [/failed|rolled_back|error/, ':red_circle:'],
  [/restarting|unhealthy|blocked/, ':large_orange_circle:'],
  [/ready|succeeded|completed/, ':large_green_circle:'],
]

/** One event as people read it in a channel. */
export const textOf = ({ type, project, service, data }: SysgEvent): string => {
  const icon = icons.find(([pattern]) => pattern.test(type))?.[1] ?? ':white_circle:'
  const [, what = type] = type.split('.')
  const reason = (data as { reason?: unknown }).reason
  const why = typeof reason === 'string' && reason !== '' ? `: ${escaped(reason)}` : ''
  return `${icon} *${service === undefined ? project : `${project}/${service}`}* ${what.replaceAll('_', ' ')}${why}`
}

/** The three characters that mean something to Slack. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
