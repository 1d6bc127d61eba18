/** Schemas of values that many keys have: durations, sizes, signals. */
import { z } from 'zod'
import type { Signal } from '../host.ts'
import { formatDuration, parseDuration, unitOf } from './duration.ts'
import { nearest } from './nearest.ts'
import { signalNames } from './signals.ts'
import { parseSize } from './size.ts'

const durationExpected = 'must be a duration such as `10s`'

/**
 * Schema of a duration: text or number in, whole milliseconds out. A bare number is seconds and may have a fraction.
 * Use it with a default as `duration.prefault('1s')`.
 */
export const duration = z
  .union([z.string(), z.number()], { error: durationExpected })
  .transform((value, context) => {
    const ms = parseDuration(value)
    if (ms !== undefined) return ms
    context.addIssue({ code: 'custom', message: durationExpected, params: { hint: durationHint(value) } })
    return z.NEVER
  })
  .meta({
    description: 'A duration: whole numbers with ms, s, m, h or d (`90s`, `1m30s`), or a number of seconds.',
    pattern: String.raw`^\s*(\d+(\.\d+)?|(\d+(ms|[smhd]|(second|minute|hour|day)s?))+)\s*$`,
    // What editors say in place of the pattern.
    patternErrorMessage: durationExpected,
  })

const durationHint = (value: string | number): string => {
  const fraction = /^(\d*\.\d+)\s*(d|h|m|s)$/.exec(String(value).trim())
  const unitMs = unitOf(fraction?.[2] ?? '')
  if (fraction !== null && unitMs !== undefined)
    return `Only whole numbers take a unit: write \`${formatDuration(Number(fraction[1]) * unitMs)}\`.`
  return 'Whole numbers with ms, s, m, h or d, the largest first (`1m30s`); a bare number is seconds.'
}

const sizeExpected = 'must be a size such as `512M`'

/** Schema of a size: text or number in, whole bytes out. Units are 1024-based; a bare number is bytes. */
export const size = z
  .union([z.string(), z.number()], { error: sizeExpected })
  .transform((value, context) => {
    const bytes = parseSize(value)
    if (bytes !== undefined) return bytes
    const hint = 'A number and K, M, G or T (1024-based; `MB` and `MiB` are the same); a bare number is bytes.'
    context.addIssue({ code: 'custom', message: sizeExpected, params: { hint } })
    return z.NEVER
  })
  .meta({
    description: 'A size: a number with K, M, G or T (1024-based, optional B or iB), or a number of bytes.',
    pattern: String.raw`^\s*\d+(\.\d+)?\s*([KMGTkmgt]([Ii]?[Bb])?|[Bb])?\s*$`,
    // What editors say in place of the pattern.
    patternErrorMessage: sizeExpected,
  })

/** Schema of a signal: `SIGTERM`, `TERM` and `sigterm` are the same. */
export const signal = z
  .string()
  .transform((text, context): Signal => {
    const name: Signal = `SIG${text.trim().toUpperCase().replace(/^SIG/, '')}`
    if (signalNames.includes(name)) return name
    const near = nearest(name, signalNames)
    const hint = near === undefined ? 'See signal(7) for the names.' : `Did you mean \`${near}\`?`
    context.addIssue({ code: 'custom', message: 'must be a signal such as `SIGTERM`', params: { hint } })
    return z.NEVER
  })
  .describe('A signal by name, for example `SIGTERM`.')
