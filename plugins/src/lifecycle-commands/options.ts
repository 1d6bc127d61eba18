/** The key `hooks` of a service. */
import { duration } from '@systemg/core'
import { z } from 'zod'
import type { HookCommand } from './hook-names.ts'

const defaultTimeoutMs = 30_000

const command = z
  .string()
  .refine((text) => text.trim() !== '', { error: 'must not be empty', params: { hint: 'Leave it out to do nothing.' } })

const hook = z
  .union(
    [
      command,
      z.strictObject({
        command: command.describe('Run by `sh -c` in the folder of the service, with its environment.'),
        timeout: duration
          .refine((ms) => ms > 0, { error: 'must be longer than nothing' })
          .prefault(defaultTimeoutMs / 1_000)
          .describe('Then it is killed, with everything that it has started.'),
      }),
    ],
    { error: 'must be a command, or a map with `command` and `timeout`' },
  )
  .transform((written): HookCommand =>
    typeof written === 'string' ? { command: written, timeout: defaultTimeoutMs } : written,
  )
  .optional()

const outcome = z
  .strictObject(
    { success: hook.describe('When it went well.'), error: hook.describe('When it did not.') },
    {
      error: (issue) => (issue.code === 'invalid_type' ? 'must be a map with `success`, `error`, or both' : undefined),
    },
  )
  .optional()

export const hooksKey = z
  .strictObject({
    on_start: outcome.describe('It has become ready, or could not be started.'),
    on_stop: outcome.describe('It was stopped or has ended well, or it has crashed.'),
    on_restart: outcome.describe('It was restarted after a crash, or that failed.'),
  })
  .optional()
  .describe('Commands that are run when something happens to the service; nothing waits for them.')

export type ServiceHooks = z.output<typeof hooksKey>

export const service = { hooks: hooksKey }
