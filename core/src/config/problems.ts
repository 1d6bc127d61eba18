/** Mistakes in a config, as data: what is wrong, what to do, and where. */
import { catalog, type ErrorText, type Position } from '../errors.ts'

/** Leads to a value: `['services', 'api', 'exec', 0]`. */
export type Path = readonly (string | number)[]

/** One mistake. The object of `validate --json`, with `path` as a list because names may hold dots. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string | null
  readonly path: Path
  readonly file: string
  /** Counts from 1; null when it is not known, as in code that computes what it exports. */
  readonly line: number | null
  /** Counts from 1, in UTF-16 units, as editors do. */
  readonly column: number | null
  /** Column just behind the marked text. */
  readonly endColumn: number | null
  readonly severity: 'error' | 'warning'
}

/** A code of the catalogue and the facts its text is made of. */
export type Finding = { [C in Code]: readonly [code: C, facts: Parameters<(typeof catalog)[C]>[0]] }[Code]

type Code = keyof typeof catalog

/** Where a problem stands. */
export interface ProblemPlace {
  readonly path: Path
  readonly file: string
  readonly position?: Position | undefined
  readonly severity?: Problem['severity'] | undefined
}

/** A problem from the catalogue. */
export const problemOf = ([code, facts]: Finding, place: ProblemPlace): Problem =>
  problemFrom(code, (catalog[code] as (facts: unknown) => ErrorText)(facts), place)

/** A problem with a text of its own: a plugin's. */
export const problemFrom = (code: string, text: ErrorText, place: ProblemPlace): Problem => ({
  code,
  message: sentence(text.message),
  hint: text.hint ?? null,
  path: place.path,
  file: place.position?.file ?? place.file,
  line: place.position?.line ?? null,
  column: place.position?.column ?? null,
  endColumn: place.position?.endColumn ?? null,
  severity: place.severity ?? 'error',
})

/** With its full stop, which plugins may leave out. */
const sentence = (text: string): string => (/[.?!…:]$/.test(text) ? text : `${text}.`)

/** A path as people read it: `services.api.exec[0]`, `services["my.api"].command`. */
export const formatPath = (path: Path): string =>
  path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`
      return index === 0 ? part : `.${part}`
    })
    .join('')

/** A path as the key of a map or a set. */
export const pathKey = (path: Path): string => JSON.stringify(path)
