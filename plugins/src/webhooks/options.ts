/** The top-level key `webhooks`. */
import { duration } from '@systemg/core'
import { z } from 'zod'

const schemes: readonly string[] = ['http:', 'https:', 'http+unix:']

/** What is wrong is said without the value: it may hold a secret. */
const url = z
  .string({ error: 'must be a URL' })
  .refine((text) => schemes.includes(URL.parse(text)?.protocol ?? ''), {
    error: 'is no URL of http or https',
    params: { hint: 'Write it as `https://example.org/hooks`.' },
  })
  .describe('Where events are sent to.')

const pattern = z.string().refine((text) => /^[\w*.-]+$/.test(text), {
  error: 'must be the type of an event',
  params: { hint: '`service.failed`, or with `*` for any text: `deploy.*`.' },
})

const header = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be text without line breaks')
  .describe('Sent as it is.')

/** Made by us, or by whoever sends the request. */
const ours = /^(x-sysg-.*|content-length|transfer-encoding|connection|host)$/i

const mistakeInName = (name: string): string | undefined => {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return 'is no name of a header'
  return ours.test(name) ? 'is set by systemg' : undefined
}

const webhook = z.strictObject({
  url,
  events: z
    .union([pattern.transform((one) => [one]), z.array(pattern).min(1)], {
      error: 'must be a list of event types, such as `[service.failed, "deploy.*"]`',
    })
    .describe('Which events are sent: their types, `*` standing for any text.'),
  services: z
    .union([z.string().transform((one) => [one]), z.array(z.string()).min(1)], { error: 'must be a list of services' })
    .optional()
    .describe('Only events of these services. Default: all, and those of the system.'),
  secret: z
    .string({ error: 'must be text' })
    .min(1, 'must not be empty')
    .optional()
    .describe('Signs what is sent: `X-Sysg-Signature` is the HMAC of the body with SHA-256.'),
  headers: z
    .record(z.string(), header)
    .superRefine((headers, context) => {
      for (const name of Object.keys(headers)) {
        const mistake = mistakeInName(name)
        if (mistake !== undefined) context.addIssue({ code: 'custom', path: [name], message: mistake })
      }
    })
    .default({})
    .describe('Sent with each event, for example `Authorization`.'),
  timeout: duration
    .refine((ms) => ms > 0, { error: 'must be longer than nothing' })
    .prefault('10s')
    .describe('How long one try may take.'),
  retries: z
    .int()
    .min(0)
    .max(100)
    .default(5)
    .describe('How often it is tried again when nobody answers, or with 429 or 5xx.'),
})

export const webhooksKey = z.array(webhook).default([]).describe('Who is told of events, over HTTP.')

/** One endpoint. `timeout` in milliseconds. */
export type Webhook = z.output<typeof webhook>

export const system = { webhooks: webhooksKey }
