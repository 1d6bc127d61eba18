/** The keys of the probes, below `health_check`. */
import { z } from 'zod'
import { mistakeInPattern } from '../pattern.ts'
import { withExamples } from '../placeholders.ts'
import { tcpAddressOf } from './tcp.ts'

/** Text, or a regular expression. */
export const pattern = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    const message = mistakeInPattern(text)
    if (message !== undefined) context.addIssue({ code: 'custom', message, params: { hint: 'Write `/ready/`.' } })
  })

export const urlSchema = z
  .string()
  .refine((text) => /^(https?|http\+unix):\/\/[^/]/.test(text) && URL.canParse(withExamples(text)), {
    error: 'must be a URL such as `http://localhost:8080/health`',
  })
  .describe('An HTTP request that must be answered. Never through a proxy; redirects are not followed.')

const address = z.union([z.string(), z.int()], { error: 'must be an address such as `localhost:5432`' })

export const tcpSchema = address
  .refine((value) => tcpAddressOf(withExamples(String(value))) !== undefined, {
    error: 'must be an address such as `localhost:5432`',
  })
  .describe('A connection that must be accepted: `host:port`, a port of this machine, or `unix:///path`.')

export const commandSchema = z
  .union(
    [z.string().refine((text) => text.trim() !== '', { error: 'must not be empty' }), z.array(z.string()).min(1)],
    {
      error: 'must be a command such as `pg_isready`, or a list of program and arguments',
    },
  )
  .describe('A command that must exit 0, with the environment and in the folder of the service.')

export const logSchema = pattern.describe('A line of its output that says it is ready: `/regex/`, or plain text.')

export const notifySchema = z
  .literal(true, { error: 'must be `true`' })
  .describe('It says so itself: `sysg notify ready`, or a line `ready` on the descriptor `SYSG_NOTIFY_FD`.')
