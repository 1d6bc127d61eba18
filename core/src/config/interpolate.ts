/**
 * `${VAR}`, `${VAR:-default}` and `${VAR:?message}` in the strings of a config. `$$` is a literal `$`.
 *
 * As in Docker Compose: `-` and `?` without the colon ask only whether the variable is set, `+` gives another value
 * when it is, and a default may hold references of its own. `${SYSG_…}`, `$VAR` and `{slot}` are left for the launch.
 */
import type { Path } from './problems.ts'

/** The value of a variable, or `undefined`. `path` leads to the string that asks. */
export type Lookup = (name: string, path: Path) => string | undefined

/** A reference that can't be expanded. */
export interface ReferenceProblem {
  /** As written: `${PORT}`. */
  readonly reference: string
  readonly name: string
  readonly kind: 'undefined' | 'syntax'
  /** For `syntax` what is wrong; for `undefined` the text behind `:?`. */
  readonly message?: string
}

/** Expand the references of one string; those with problems stay as written. */
export const interpolateText = (
  text: string,
  lookup: (name: string) => string | undefined,
): { text: string; problems: readonly ReferenceProblem[] } => {
  const problems: ReferenceProblem[] = []
  const expanded = expand(text, lookup, (problem) => {
    problems.push(problem)
    return problem.reference
  })
  return { text: expanded, problems }
}

/**
 * Expand every string in `value` (lists and maps; keys stay). What is no plain data (functions, instances) is kept as it is.
 *
 * @param inPlace - What to put in place of a reference that can't be expanded. Default: what is written there.
 */
export const interpolate = (
  value: unknown,
  lookup: Lookup,
  inPlace: (problem: ReferenceProblem) => string = ({ reference }) => reference,
): {
  value: unknown
  problems: readonly (ReferenceProblem & { readonly path: Path })[]
  /** Where a string was changed. */
  changed: readonly Path[]
} => {
  const problems: (ReferenceProblem & { readonly path: Path })[] = []
  const changed: Path[] = []
  const mapped = mapStrings(value, [], (text, path) => {
    const report = (problem: ReferenceProblem): string => {
      problems.push({ ...problem, path })
      return inPlace(problem)
    }
    const expanded = expand(text, (name) => lookup(name, path), report)
    if (expanded !== text) changed.push(path)
    return expanded
  })
  return { value: mapped, problems, changed }
}

/**
 * Whether the string at `path` defines the variable `name`: there the name means the one outside, as in
 * `PATH: "/opt/bin:${PATH}"`.
 */
export const isDefinitionOf = (name: string, path: Path): boolean =>
  path.findLast((part) => typeof part === 'string') === name

/** Names of the variables that the strings of a value refer to, sorted: what a client has to send. */
export const variablesNamed = (value: unknown): readonly string[] => {
  const names = new Set<string>()
  const visit = (text: string): string => {
    for (const part of split(text)) {
      if (typeof part === 'string' || part.name === undefined || isLeft(part.name)) continue
      names.add(part.name)
      visit(part.word)
    }
    return text
  }
  mapStrings(value, [], visit)
  return [...names].sort()
}

/** `${…}` taken apart; `name` is undefined when it is none of the forms we know. */
interface Reference {
  readonly reference: string
  readonly name: string | undefined
  readonly operator: string
  readonly word: string
  readonly closed: boolean
}

const isLeft = (name: string): boolean => name.startsWith('SYSG_')

const expand = (
  text: string,
  lookup: (name: string) => string | undefined,
  /** Says what to put in place of it. */
  report: (problem: ReferenceProblem) => string,
): string => {
  const valueOf = (part: Reference): string => {
    const { reference, name, operator, word } = part
    if (name === undefined) {
      const message = part.closed ? 'is no form of reference that is known here' : 'is not closed: a `}` is missing'
      return report({ reference, name: '', kind: 'syntax', message })
    }
    if (isLeft(name)) return reference
    const found = lookup(name)
    const value = operator.startsWith(':') && found === '' ? undefined : found
    if (operator.endsWith('+')) return value === undefined ? '' : expand(word, lookup, report)
    if (value !== undefined) return value
    if (operator.endsWith('-')) return expand(word, lookup, report)
    const message = operator.endsWith('?') && word !== '' ? expand(word, lookup, report) : undefined
    return report({ reference, name, kind: 'undefined', ...(message === undefined ? {} : { message }) })
  }
  return split(text)
    .map((part) => (typeof part === 'string' ? part : valueOf(part)))
    .join('')
}

/** Literal text and references, in order. `$$` has become `$`. */
const split = (text: string): readonly (string | Reference)[] => {
  const parts: (string | Reference)[] = []
  let from = 0
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', at)) {
    const next = text[at + 1]
    if (next === '$') {
      parts.push(text.slice(from, at + 1))
      at += 2
    } else if (next === '{') {
      parts.push(text.slice(from, at))
      const end = closing(text, at + 2)
      parts.push(parse(text.slice(at, end === undefined ? text.length : end + 1), end !== undefined))
      at = end === undefined ? text.length : end + 1
    } else {
      at += 1
      continue
    }
    from = at
  }
  return [...parts, text.slice(from)]
}

/** Index of the `}` that closes the reference whose inside starts at `from`. */
const closing = (text: string, from: number): number | undefined => {
  let depth = 1
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '$' && text[at + 1] === '$') at += 1
    else if (text[at] === '$' && text[at + 1] === '{') {
      depth += 1
      at += 1
    } else if (text[at] === '}') {
      depth -= 1
      if (depth === 0) return at
    }
  }
  return undefined
}

const parse = (reference: string, closed: boolean): Reference => {
  const match = closed ? /^\$\{([A-Za-z_]\w*)(?:(:?[-?+])([\s\S]*))?\}$/.exec(reference) : null
  return { reference, name: match?.[1], operator: match?.[2] ?? '', word: match?.[3] ?? '', closed }
}

const mapStrings = (value: unknown, path: Path, map: (text: string, path: Path) => string): unknown => {
  if (typeof value === 'string') return map(value, path)
  if (Array.isArray(value)) return value.map((item: unknown, index) => mapStrings(item, [...path, index], map))
  if (!isPlainMap(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, [...path, key], map)]))
}

/** A map as YAML and object literals make them; not an instance of a class. */
export const isPlainMap = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm (a config evaluated in a vm) has another Object.prototype.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
