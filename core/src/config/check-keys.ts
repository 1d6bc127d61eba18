/** Checks the keys of one map (the top level, or a service) one by one, so that a mistake in one hides none in the others. */
import type { z } from 'zod'
import { checkValue, explainIssues } from './diagnose.ts'
import type { Findings } from './findings.ts'
import { whereItBelongs } from './key-places.ts'
import { nearest } from './nearest.ts'
import { pathKey, type Path } from './problems.ts'
import type { OwnedKey } from './schema.ts'

export interface KeysToCheck {
  readonly keys: ReadonlyMap<string, OwnedKey>
  readonly raw: Readonly<Record<string, unknown>>
  readonly at: Path
  /** Where a key belongs that is unknown here; `undefined` when it is unknown everywhere. */
  elsewhere(key: string, value: unknown): string | undefined
  /** A reference was expanded at this path: `replicas: ${N}` may be meant as a number. */
  readonly isExpanded: (path: Path) => boolean
}

/**
 * The value of every key, defaults filled in. One with a mistake has its default, or is left out.
 * A misspelt key is read as the key it was meant to be, so that what is inside of it is checked, too.
 */
export const checkKeys = (input: KeysToCheck, findings: Findings): Record<string, unknown> => {
  const { keys, raw, at } = input
  const written = new Map([...keys.keys()].filter((key) => Object.hasOwn(raw, key)).map((key) => [key, key]))
  for (const key of Object.keys(raw)) {
    if (keys.has(key)) continue
    const elsewhere = input.elsewhere(key, raw[key]) ?? whereItBelongs(key, [], keys)
    const suggestion = elsewhere === undefined ? nearest(key, keys.keys()) : undefined
    findings.add(['SYSG_CONFIG_KEY_UNKNOWN', { key, suggestion, hint: elsewhere ?? ofPlugin }], [...at, key], {
      part: 'key',
    })
    if (suggestion === undefined || written.has(suggestion)) continue
    written.set(suggestion, key)
    findings.rename([...at, suggestion], key)
  }
  const checked: [string, unknown][] = []
  for (const [key, owned] of keys) {
    const from = written.get(key)
    const value = checkKey({ ...input, key, owned, value: from === undefined ? undefined : raw[from] }, findings)
    if (value !== undefined) checked.push([key, value])
  }
  return Object.fromEntries(checked)
}

const ofPlugin = 'Remove it, or list in `plugins` the plugin that brings it.'

interface KeyToCheck extends KeysToCheck {
  readonly key: string
  readonly owned: OwnedKey
  readonly value: unknown
}

const checkKey = (
  { key, owned: { plugin, schema }, value, at, isExpanded, keys }: KeyToCheck,
  findings: Findings,
): unknown => {
  const path = [...at, key]
  try {
    let given = value
    let result = checkValue(schema, given)
    if (!result.success) {
      given = placesOf(result.issues).reduce(
        (all, place) => withScalar(all, place, (part) => isExpanded([...path, ...part])),
        given,
      )
      if (given !== value) result = checkValue(schema, given)
    }
    if (result.success) return result.data
    const mistakes = explainIssues(result.issues, {
      ...{ schema, value: given, at: path },
      elsewhere: (unknown, inner) => whereItBelongs(unknown, [key, ...inner], keys),
    })
    for (const mistake of mistakes) findings.add(mistake.finding, mistake.path, { part: mistake.part })
    for (const mistake of mistakes) if (mistake.part === 'value') findings.hush(mistake.path)
    const fallback = checkValue(schema, undefined)
    return fallback.success ? fallback.data : undefined
  } catch (error) {
    findings.addThrown(error, plugin, 'schema', path)
    return undefined
  }
}

/** Where issues are; for those of a union also where its kinds of values have theirs. */
const placesOf = (issues: readonly z.core.$ZodIssue[]): readonly (readonly PropertyKey[])[] =>
  issues.flatMap((issue) => {
    const inner = issue.code === 'invalid_union' ? placesOf(issue.errors.flat()) : []
    return [issue.path, ...inner.map((place) => [...issue.path, ...place])]
  })

/** Text that came from variables, at the place of an issue, becomes the number or truth value that it spells. */
const withScalar = (value: unknown, path: readonly PropertyKey[], isExpanded: (path: Path) => boolean): unknown => {
  const inner = path.map((part) => (typeof part === 'number' ? part : String(part)))
  return isExpanded(inner) ? replaced(value, inner) : value
}

const replaced = (value: unknown, [part, ...rest]: Path): unknown => {
  if (part === undefined) return typeof value === 'string' ? scalarOf(value) : value
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === part ? replaced(item, rest) : item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === part ? replaced(item, rest) : (item as unknown)]),
  )
}

const scalarOf = (text: string): string | number | boolean => {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}

/** Paths as a set: `isExpanded` of the paths that were changed. */
export const pathSet = (paths: Iterable<Path>): ((path: Path) => boolean) => {
  const known = new Set([...paths].map(pathKey))
  return (path) => known.has(pathKey(path))
}
