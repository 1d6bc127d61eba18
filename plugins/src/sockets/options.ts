/** The key `sockets`. */
import { z } from 'zod'
import { isMistake, parseAddress } from './address.ts'

const address = z
  .union([z.string(), z.number().transform(String)], { error: 'must be `tcp://host:port` or `unix:///path`' })
  .transform((written, context) => {
    const parsed = parseAddress(written.trim())
    if (!isMistake(parsed)) return parsed.text
    const params = parsed.hint === undefined ? {} : { hint: parsed.hint }
    context.addIssue({ code: 'custom', message: `must be ${parsed.expected}`, params })
    return z.NEVER
  })
  .describe('`tcp://host:port` or `unix:///path`. IPv6 in brackets; `[::]` takes IPv4, too.')

const modeExpected = 'must be permissions such as `0660`, that let the owner read and write'

/**
 * Permissions as people write them: octal digits, as text or as the number that YAML makes of `0660`. What TypeScript and
 * YAML make of `0o660` cannot be mistaken for it, since the owner must be able to read and write.
 */
const mode = z
  .union([z.string(), z.number()], { error: modeExpected })
  .transform((written, context) => {
    if (typeof written === 'number' && written >= 0o600 && written <= 0o777) return written
    const digits = /^(?:0o?)?([67][0-7]{2})$/.exec(String(written))?.[1]
    if (digits !== undefined) return Number.parseInt(digits, 8)
    context.addIssue({ code: 'custom', message: modeExpected })
    return z.NEVER
  })
  .describe('Permissions of a unix socket. Default: what the umask of the supervisor leaves, often `0755`.')

const socket = z.strictObject({
  listen: address,
  name: z
    .string()
    .regex(/^[\x21-\x39\x3b-\x7e]{1,255}$/, 'must be a name of printable characters, without spaces and `:`')
    .default('unknown')
    .describe('What the program knows it by, in `LISTEN_FDNAMES`.'),
  backlog: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(4096)
    .describe('Connections that wait until somebody accepts them. The kernel caps it at `net.core.somaxconn`.'),
  mode: mode.optional(),
})

export const sockets = z
  .array(z.union([address.transform((listen) => socket.parse({ listen })), socket]))
  .default([])
  .describe(
    'Addresses that the supervisor listens on; every instance inherits the open sockets as descriptors 3, 4, … (`LISTEN_FDS`).',
  )

/** One socket, defaults filled in. */
export const service = { sockets }

export type SocketSpec = z.output<typeof socket>
