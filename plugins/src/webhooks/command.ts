/** `sysg webhooks`: who is told of events, what waits for them, and whether they answer. Has types alone from elsewhere, so it starts fast. */
import type { PluginCommand, PluginCommandContext } from '@systemg/core'
import type { TestResult, WebhookView } from './methods.ts'

/** The supervisor answers at once, or is frozen, ms. */
const answerLimitMs = 10_000

export const command: PluginCommand = {
  description: 'Show who is told of events, and what waits for them. `test` sends a sample now, and prints the answer',
  positionals: '[test [number or URL]]',
  run(context) {
    const [verb, which, ...others] = context.positionals
    if ((verb !== undefined && verb !== 'test') || others.length > 0)
      throw context.misuse('Write `sysg webhooks`, `sysg webhooks test`, or with one of them: `sysg webhooks test 0`.')
    return verb === undefined ? list(context) : test(context, which)
  },
}

const list = async ({ control, print }: PluginCommandContext): Promise<void> => {
  const views = (await control.call('webhooks.list', {}, { timeoutMs: answerLimitMs })) as readonly WebhookView[]
  print(views, () => (views.length === 0 ? 'The config has no `webhooks`.' : views.map(describe)))
}

const describe = (view: WebhookView): string => {
  const { webhook, url, events, services, waiting, failed, dropped, last_failure: reason, next_try_in_ms: next } = view
  const of = services === null ? '' : ` of ${services.join(', ')}`
  const lost = [...(failed > 0 ? [`${failed} given up`] : []), ...(dropped > 0 ? [`${dropped} left out`] : [])]
  const why =
    reason === null ? '' : `; ${reason}${next === null ? '' : `, tried again in ${Math.round(next / 1_000)}s`}`
  return `${webhook}  ${url}  ${events.join(' ')}${of}: ${[`${waiting} waiting`, ...lost].join(', ')}${why}`
}

const test = async ({ control, print }: PluginCommandContext, which: string | undefined): Promise<number> => {
  const webhook = which !== undefined && /^\d+$/.test(which) ? Number(which) : which
  // Each endpoint has a time limit of its own.
  const results = (await control.call(
    'webhooks.test',
    webhook === undefined ? {} : { webhook },
  )) as readonly TestResult[]
  print(results, () => results.flatMap(describeTest))
  return results.every(({ ok }) => ok) ? 0 : 1
}

const describeTest = ({ webhook, url, ok, status, reason, body, duration_ms: ms }: TestResult): readonly string[] => {
  const how = ok ? `status ${status ?? ''}` : `failed: ${reason ?? ''}`
  const said = body.trim() === '' ? [] : [`   ${body.trim().slice(0, 200)}`]
  return [`${webhook}  ${url}  ${how} after ${ms} ms`, ...said]
}
