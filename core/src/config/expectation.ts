/** What would have been right, and what is there instead, in plain words. */
import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** Stands for zod's own wording, so that a message that differs from it is known to come from the schema's author. */
export const unsaid = '\u0000'

/** Completes "must be …": `a whole number`, `` `never` or `always` ``. `undefined` when only the schema's author can say. */
export const expectationOf = (issue: Issue): string | undefined => {
  if (issue.message !== unsaid) return issue.message.startsWith('must be ') ? issue.message.slice(8) : undefined
  switch (issue.code) {
    case 'invalid_type':
      return types[issue.expected] ?? `a ${issue.expected}`
    case 'invalid_value':
      return oneOf(issue.values.map((value) => `\`${String(value)}\``))
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)
    case 'invalid_format':
      return (
        formats[issue.format] ??
        (issue.pattern === undefined ? `a valid ${issue.format}` : `text like ${issue.pattern}`)
      )
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`
    case 'invalid_union':
      if ('options' in issue) return oneOf((issue.options ?? []).map((value) => `\`${String(value)}\``))
      return oneOf(issue.errors.flatMap((branch) => expectationOf(branch[0] ?? issue) ?? []))
    case 'unrecognized_keys':
      return types.object
    case 'invalid_key':
    case 'invalid_element': {
      const inner = issue.issues[0]
      return inner === undefined ? undefined : expectationOf(inner)
    }
    case 'custom':
      return undefined
  }
}

/** Completes "not …": the value as written, as far as it fits on a line. */
export const shown = (value: unknown): string => {
  if (typeof value === 'string') return value === '' ? 'empty text' : `\`${shorten(value)}\``
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return `\`${String(value)}\``
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return typeof value === 'object' && value !== null ? 'a map' : `a ${typeof value}`
}

/** What helps most people who wrote `value` where `issue` says something else was wanted. */
export const hintOf = (issue: Issue, value: unknown): string | undefined => {
  if (issue.code === 'custom') {
    const hint: unknown = issue.params?.hint
    return typeof hint === 'string' ? hint : undefined
  }
  if (issue.code === 'invalid_union')
    return issue.errors.map((branch) => branch[0] && hintOf(branch[0], value)).find((hint) => hint !== undefined)
  if (issue.code !== 'invalid_type') return undefined
  const isScalar = typeof value === 'number' || typeof value === 'boolean'
  if (issue.expected === 'string' && isScalar && issue.message === unsaid) return `Put it in quotes: \`"${value}"\`.`
  if (issue.expected === 'array' && (typeof value === 'string' || typeof value === 'number'))
    return `Write a list: \`[${shorten(String(value))}]\`.`
  if (issue.expected === 'array' && typeof value === 'object') return 'Begin it with `-`: a list may have one entry.'
  if (typeof value !== 'string' || value.trim() === '') return undefined
  if (issue.expected === 'boolean' && /^(yes|no|on|off|y|n|true|false)$/i.test(value))
    return `Write \`${/^(y|yes|on|true)$/i.test(value)}\` without quotes: that is how YAML 1.2 spells it.`
  const isNumber = issue.expected === 'number' || issue.expected === 'int'
  return isNumber && Number.isFinite(Number(value)) ? 'Remove the quotes.' : undefined
}

/** `a`, `b` or `c`. */
const oneOf = (choices: readonly string[]): string => {
  const unique = [...new Set(choices)]
  return unique.length < 2
    ? (unique[0] ?? 'something else')
    : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1) ?? ''}`
}

const types = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
  null: 'nothing',
  undefined: 'left out',
  never: 'left out',
} as { readonly object: string } & Readonly<Record<string, string>>

const formats: Readonly<Record<string, string>> = {
  url: 'a URL such as `http://localhost:8080/`',
  email: 'an e-mail address',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
}

const bound = (origin: string, relation: string, limit: number | bigint): string => {
  const units: Readonly<Record<string, string>> = { string: 'character', array: 'entry', set: 'entry' }
  const unit = units[origin]
  if (unit === undefined) return `${relation} ${limit}`
  const many = Number(limit) === 1 ? unit : unit === 'entry' ? 'entries' : `${unit}s`
  return `${origin === 'string' ? 'text' : 'a list'} with ${relation} ${limit} ${many}`
}

const shorten = (text: string): string => {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()
  return line.length > 40 ? `${line.slice(0, 39)}…` : line
}
