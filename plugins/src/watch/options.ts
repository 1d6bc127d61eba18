/** The key `watch` of a service, and the options of the plugin itself. */
import { duration } from '@systemg/core'
import { z } from 'zod'
import type { WatchFiles } from './port.ts'

const path = z
  .string()
  .refine((text) => text.trim() !== '', { error: 'must not be empty' })
  .refine((text) => !text.startsWith('!'), {
    error: 'must not begin with `!`',
    params: { hint: 'Patterns to leave out stand in `ignore`.' },
  })
  .refine((text) => !/^~(?:\/|$)/.test(text), {
    error: 'must not begin with `~`',
    params: { hint: 'Only shells know `~`. Write `${HOME}/…`.' },
  })
  .refine((text) => !(/[{}]/.test(text) && /[*?]/.test(text)), {
    error: 'must not have braces in a pattern',
    params: { hint: 'List each alternative on its own: known are `*`, `**` and `?`.' },
  })

const paths = z.array(path).min(1, { error: 'must name at least one path' })

const rules = z.strictObject({
  paths: paths.describe('Files, folders with all that is in them, or patterns such as `src/**/*.ts`.'),
  ignore: z
    .array(z.string())
    .default([])
    .describe(
      'What is left out, in the language of `.gitignore`. `.git`, `node_modules` and drafts of editors always are.',
    ),
  debounce: duration.prefault('200ms').describe('How long nothing must change before the service is restarted.'),
})

export const watch = z
  .union([paths, rules], { error: 'must be a list of paths such as `[src]`, or a map with `paths`' })
  .transform((written): Watch =>
    Array.isArray(written) ? { paths: written, ignore: [], debounce: defaultDebounceMs } : written,
  )
  .optional()
  .describe('Restart (by its strategy) when one of these files changes. Paths start from the folder of the config.')

const defaultDebounceMs = 200

/** What is watched for a service. `debounce` in milliseconds. */
export interface Watch {
  readonly paths: readonly string[]
  readonly ignore: readonly string[]
  readonly debounce: number
}

/** Options of the plugin, given by whoever builds the system. */
export const options = z
  .strictObject({
    own: z.array(z.string()).default([]).describe('Folders never looked into: where systemg itself writes.'),
    files: z
      .custom<WatchFiles>((value) => typeof value === 'function')
      .optional()
      .describe('Who looks at files. Default: chokidar.'),
  })
  .prefault({})

export interface WatchOptions {
  readonly own: readonly string[]
  readonly files?: WatchFiles | undefined
}

export const service = { watch }
