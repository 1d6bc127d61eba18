/** `url`: an HTTP request that must be answered with a good status, and with the right body. */
import type { Host, Probe } from '@systemg/core'
import { matcherOf } from '../pattern.ts'
import { untilAnsweredBy } from './attributed.ts'
import { reasonOf } from './reason.ts'

type Range = string | number

interface UrlOptions {
  readonly url: string
  readonly expect_status?: Range | readonly Range[]
  readonly expect_body?: string
  readonly headers?: Readonly<Record<string, string>>
}

const agent = { 'user-agent': 'sysg', accept: '*/*' }

export const urlProbe =
  (host: Pick<Host, 'http' | 'clock'>): Probe =>
  async ({ instance, options, signal, answeredBy }) => {
    const { url, expect_status: statuses = '2xx', expect_body: body, headers = {} } = options as UrlOptions
    const request = { url, headers: { ...agent, ...headers }, signal, answeredBy }
    const response = await untilAnsweredBy(instance.id, host.clock, signal, () => host.http(request)).catch(
      (thrown: unknown) => {
        throw signal.aborted && thrown === signal.reason ? thrown : new Error(reasonOf(thrown))
      },
    )
    const good = Array.isArray(statuses) ? (statuses as readonly Range[]) : [statuses as Range]
    if (!good.some((range) => isIn(response.status, range))) throw new Error(`status ${response.status}`)
    if (body !== undefined && !matcherOf(body)(response.body))
      throw new Error(`status ${response.status}, but the body does not hold ${body}`)
  }

/** `204`, `2xx`, `200-299`. */
const isIn = (status: number, range: Range): boolean => {
  const [from = '', to = from] = String(range).toLowerCase().split('-')
  return status >= Number(from.replaceAll('x', '0')) && status <= Number(to.replaceAll('x', '9'))
}
