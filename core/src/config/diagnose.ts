/** Turns what zod finds into mistakes as people understand them, each with the path of the value or key it is about. */
import type { z } from 'zod'
import { isSecretName } from '../secrets.ts'
import { expectationOf, hintOf, shown, unsaid } from './expectation.ts'
import { nearest } from './nearest.ts'
import { formatPath, type Finding, type Path } from './problems.ts'
import { keysAt } from './schema-keys.ts'

type Issue = z.core.$ZodIssue

/** A mistake and what to mark. */
export interface Mistake {
  readonly finding: Finding
  readonly path: Path
  readonly part: 'key' | 'value'
}

/** Check one value. Never throws for a wrong value; `data` is there when it is right. */
export const checkValue = (
  schema: z.ZodType,
  value: unknown,
):
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly issues: readonly Issue[] } => {
  const result = schema.safeParse(value, { error: () => unsaid, jitless: true })
  return result.success ? { success: true, data: result.data } : { success: false, issues: result.error.issues }
}

/** What issues are about. */
export interface Checked {
  readonly schema: z.ZodType
  readonly value: unknown
  /** Where `value` stands. */
  readonly at: Path
  /** What to say of a key that is unknown in the map at `inner` of `value`, and known elsewhere. */
  readonly elsewhere: (key: string, inner: readonly PropertyKey[]) => string | undefined
}

/** What is wrong with a value, given what was found when it was checked. */
export const explainIssues = (issues: readonly Issue[], checked: Checked): readonly Mistake[] => {
  const mistakes = issues.flatMap((issue) => explain(issue, checked))
  const meant = new Set(mistakes.flatMap(meantKey))
  return mistakes.filter(
    ({ finding: [code], path }) => code !== 'SYSG_CONFIG_KEY_MISSING' || !meant.has(formatPath(path)),
  )
}

/** A key that is there, misspelt, is not missing as well. */
const meantKey = ({ finding: [code, facts], path }: Mistake): readonly string[] => {
  const suggestion = code === 'SYSG_CONFIG_KEY_UNKNOWN' && 'suggestion' in facts ? facts.suggestion : undefined
  return suggestion === undefined ? [] : [formatPath([...path.slice(0, -1), suggestion])]
}

/** How people call the place: `stop_timeout`, `depends_on.db.condition`; keys of a service without its name. */
export const labelOf = (path: Path): string => {
  const inner = path[0] === 'services' && path.length > 1 ? path.slice(2) : path
  if (inner.length > 0) return `\`${formatPath(inner)}\``
  return path.length === 0 ? 'The config' : `Service \`${String(path[1])}\``
}

const explain = (issue: Issue, context: Checked, prefix: readonly PropertyKey[] = []): readonly Mistake[] => {
  const inner = [...prefix, ...issue.path]
  const path = [...context.at, ...inner.map((part) => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(context.schema, inner)
    return issue.keys.map((key) => unknownKey(key, [...path, key], known, context.elsewhere(key, inner)))
  }
  const deeper = issue.code === 'invalid_union' ? closestBranch(issue) : undefined
  if (deeper !== undefined) return deeper.flatMap((each) => explain(each, context, inner))
  if (issue.code === 'invalid_key') return [{ finding: valueFinding(issue, path, path.at(-1)), path, part: 'key' }]

  const value = valueAt(context.value, inner)
  if (value !== undefined || path.length === 0)
    return [{ finding: valueFinding(issue, path, value, keysAt(context.schema, inner)), path, part: 'value' }]
  const key = String(path.at(-1))
  const expected = expectationOf(issue)
  const what = labelOf(path.slice(0, -1))
  return [{ finding: ['SYSG_CONFIG_KEY_MISSING', { what, key, expected }], path, part: 'key' }]
}

const unknownKey = (key: string, path: Path, known: readonly string[], elsewhere: string | undefined): Mistake => {
  const suggestion = elsewhere === undefined ? nearest(key, known) : undefined
  const hint = elsewhere ?? (known.length === 0 ? undefined : keysHint(known))
  return { finding: ['SYSG_CONFIG_KEY_UNKNOWN', { key, suggestion, hint }], path, part: 'key' }
}

/** The branch of a union that was meant, when one of them fits from outside and only something inside of it is wrong. */
const closestBranch = (issue: z.core.$ZodIssueInvalidUnion): readonly Issue[] | undefined => {
  const isInside = (each: Issue): boolean => each.path.length > 0 || each.code === 'unrecognized_keys'
  const fitting = issue.errors.filter((branch) => branch.length > 0 && branch.every(isInside))
  return fitting.sort((a, b) => a.length - b.length)[0]
}

const keysHint = (known: readonly string[]): string => `Its keys are ${known.map((key) => `\`${key}\``).join(', ')}.`

/** `known`: keys of the map that can stand there. */
const valueFinding = (issue: Issue, path: Path, value: unknown, known: readonly string[] = []): Finding => {
  const label = labelOf(path)
  const expected = expectationOf(issue)
  if (expected === undefined) {
    const said = issue.message === unsaid ? 'is not valid' : issue.message.replace(/\.$/, '')
    const message = /^\p{Ll}/u.test(said) ? `${label} ${said}.` : `${label}: ${said}.`
    return ['SYSG_CONFIG_VALUE', { message, hint: hintFor(path, issue, value) }]
  }
  const found = value === null ? ', but it is empty' : isSecret(path) ? '' : `, not ${shown(value)}`
  const near = typeof value === 'string' ? nearest(value, choicesOf(issue)) : undefined
  const isMapWanted = issue.code === 'invalid_type' && issue.expected === 'object' && known.length > 0
  const keys = isMapWanted ? keysHint(known) : undefined
  const hint = near === undefined ? (hintFor(path, issue, value) ?? keys) : `Did you mean \`${near}\`?`
  return ['SYSG_CONFIG_VALUE', { message: `${label} must be ${expected}${found}.`, hint }]
}

const choicesOf = (issue: Issue): readonly string[] => {
  if (issue.code === 'invalid_value') return issue.values.map(String)
  return issue.code === 'invalid_union' ? issue.errors.flatMap((branch) => branch.flatMap(choicesOf)) : []
}

/** Values under such keys are never shown; nor are those of headers, which say who asks. */
const isSecret = (path: Path): boolean => isSecretName(String(path.at(-1))) || path.at(-2) === 'headers'

const hintFor = (path: Path, issue: Issue, value: unknown): string | undefined => {
  const hint = hintOf(issue, value)
  return isSecret(path) && hint?.includes(String(value)) === true ? 'Put it in quotes.' : hint
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, part)
        ? (at as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  )
