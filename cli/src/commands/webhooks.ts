/** `sysg webhooks`: who is told of events, what waits for them, and whether they answer. */
import type { TestResult, WebhookView } from '@systemg/plugins/webhooks'
import { connect, type Supervisor } from '../client/connect.ts'
import type { Command, CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { locate } from '../project/locate.ts'
import { formatAge } from '../terminal/age.ts'
import { plain } from '../terminal/text.ts'

/** The supervisor answers at once, or is frozen, ms. */
const answerLimitMs = 10_000

export const command: Command = {
  description: 'Show who is told of events, and what waits for them. `test` sends a sample now, and prints the answer',
  positionals: '[test [number or URL]]',
  async run(context) {
    const [verb, which, ...others] = context.typed.positionals
    if ((verb !== undefined && verb !== 'test') || others.length > 0) {
      const message = 'Write `sysg webhooks`, `sysg webhooks test`, or with one of them: `sysg webhooks test 0`.'
      throw new Failure('SYSG_USAGE', { message, command: 'webhooks' })
    }
    const supervisor = await connect(locate(context).paths)
    try {
      return verb === undefined ? await list(context, supervisor) : await test(context, supervisor, which)
    } finally {
      supervisor.close()
    }
  },
}

const list = async ({ terminal, globals }: CommandContext, supervisor: Supervisor): Promise<ExitCode> => {
  const views = (await supervisor.call('webhooks.list', {}, { timeoutMs: answerLimitMs })) as readonly WebhookView[]
  if (globals.json) terminal.out(`${JSON.stringify(views)}\n`)
  else if (views.length === 0) terminal.out('The config has no `webhooks`.\n')
  else for (const view of views) terminal.out(`${describe(view)}\n`)
  return exitCodes.done
}

const describe = (view: WebhookView): string => {
  const { webhook, url, events, services, waiting, failed, dropped, last_failure: reason, next_try: next } = view
  const of = services === null ? '' : ` of ${services.join(', ')}`
  const lost = [...(failed > 0 ? [`${failed} given up`] : []), ...(dropped > 0 ? [`${dropped} left out`] : [])]
  const why =
    reason === null
      ? ''
      : `; ${plain(reason)}${next === null ? '' : `, tried again in ${formatAge(Date.parse(next) - Date.now())}`}`
  return `${webhook}  ${plain(url)}  ${plain(events.join(' '))}${of}: ${[`${waiting} waiting`, ...lost].join(', ')}${why}`
}

const test = async (
  { terminal, globals }: CommandContext,
  supervisor: Supervisor,
  which: string | undefined,
): Promise<ExitCode> => {
  const webhook = which !== undefined && /^\d+$/.test(which) ? Number(which) : which
  const params = webhook === undefined ? {} : { webhook }
  // Each endpoint has a time limit of its own.
  const results = (await supervisor.call('webhooks.test', params)) as readonly TestResult[]
  if (globals.json) terminal.out(`${JSON.stringify(results)}\n`)
  else for (const result of results) terminal.out(`${describeTest(result)}\n`)
  return results.every(({ ok }) => ok) ? exitCodes.done : exitCodes.failed
}

const describeTest = ({ webhook, url, ok, status, reason, body, duration_ms: ms }: TestResult): string => {
  const how = ok ? `status ${status ?? ''}` : `failed: ${plain(reason ?? '')}`
  const said = body.trim() === '' ? '' : `\n   ${plain(body.trim().slice(0, 200))}`
  return `${webhook}  ${plain(url)}  ${how} after ${ms} ms${said}`
}
