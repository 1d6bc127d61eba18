/**
 * What can go wrong between a config's file and its value, and with the plugins it lists. Stands beside the core's
 * catalogue in the docs.
 */
import type { ErrorCatalog, ErrorText, Path, Position, Problem } from '@systemg/core'

export const loadErrors = {
  SYSG_CONFIG_TS_SYNTAX: (facts: { message: string; hint: string }) => facts,
  SYSG_CONFIG_FAILED: (facts: { message: string; hint?: string | undefined }) => textOf(facts),
  SYSG_PLUGIN_NOT_FOUND: (facts: { name: string; why: string; hint: string }) => ({
    message: `Plugin \`${facts.name}\` was not found: ${facts.why}.`,
    hint: facts.hint,
  }),
  SYSG_PLUGIN_INVALID: (facts: { name: string; why: string; hint?: string | undefined }) =>
    textOf({ message: `Plugin \`${facts.name}\` can't be used: ${facts.why}.`, hint: facts.hint }),
  SYSG_PLUGIN_OPTIONS: (facts: { message: string; hint?: string | undefined }) => textOf(facts),
} satisfies ErrorCatalog

type LoadCode = keyof typeof loadErrors

/** A code of the catalogue and the facts its text is made of. */
export type LoadFinding = {
  [C in LoadCode]: readonly [code: C, facts: Parameters<(typeof loadErrors)[C]>[0]]
}[LoadCode]

/** Where a problem stands. */
export interface Place {
  readonly path: Path
  readonly file: string
  readonly position?: Position | undefined
}

export const problemOf = ([code, facts]: LoadFinding, place: Place): Problem =>
  problemFrom(code, (loadErrors[code] as (facts: unknown) => ErrorText)(facts), place)

/** A problem with the text of another catalogue. */
export const problemFrom = (code: string, text: ErrorText, { path, file, position }: Place): Problem => ({
  code,
  message: text.message,
  hint: text.hint ?? null,
  path,
  file: position?.file ?? file,
  line: position?.line ?? null,
  column: position?.column ?? null,
  endColumn: position?.endColumn ?? null,
  severity: 'error',
})

const textOf = ({ message, hint }: { message: string; hint?: string | undefined }): ErrorText =>
  hint === undefined ? { message } : { message, hint }
