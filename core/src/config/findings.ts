/** Collects the problems of one config: finds their places, and leaves out what only follows from another mistake. */
import { SysgError, whyOf, type ErrorText, type Position } from '../errors.ts'
import { pathKey, problemFrom, problemOf, type Finding, type Path, type Problem } from './problems.ts'
import type { PositionOf } from './yaml.ts'

/** How a problem is to be shown. */
export interface FindingAt {
  /** Mark the key instead of the value. */
  readonly part?: 'key' | 'value' | undefined
  /** Mark only this text inside of the value. */
  readonly text?: string | undefined
  readonly severity?: Problem['severity'] | undefined
}

export interface FindingsSource {
  readonly file: string
  readonly positionOf?: PositionOf | undefined
  /** See `ParsedYaml.unreadable`. */
  readonly unreadable?: ((path: Path) => boolean) | undefined
  /** What was found before: mistakes of the notation. */
  readonly problems?: readonly Problem[] | undefined
}

export class Findings {
  readonly #source: FindingsSource
  readonly #problems: Problem[]
  readonly #quiet = new Set<string>()
  readonly #written = new Map<string, string>()

  constructor(source: FindingsSource) {
    this.#source = source
    this.#problems = [...(source.problems ?? [])]
  }

  add(finding: Finding, path: Path, at: FindingAt = {}): void {
    if (!this.isQuiet(path)) this.#problems.push(problemOf(finding, this.#place(path, at)))
  }

  /** A problem with a text of its own. */
  addText(code: string, text: ErrorText, path: Path, at: FindingAt = {}): void {
    if (!this.isQuiet(path)) this.#problems.push(problemFrom(code, text, this.#place(path, at)))
  }

  /** Something a plugin threw: its own error if it is one for users, else that it failed. */
  addThrown(thrown: unknown, plugin: string, hook: string, path: Path): void {
    if (thrown instanceof SysgError) {
      const text = { message: thrown.message, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) }
      this.addText(thrown.code, text, path)
    } else this.add(['SYSG_PLUGIN_FAILED', { plugin, hook, why: whyOf(thrown) }], path)
  }

  /** The value at `path` has a mistake that makes every other complaint about it pointless. */
  hush(path: Path): void {
    this.#quiet.add(pathKey(path))
  }

  /** What is known as `path` was written with another last key: a misspelt one. */
  rename(path: Path, written: string): void {
    this.#written.set(pathKey(path), written)
  }

  /** The path as it stands in the file, misspelt keys and all. */
  asWritten(path: Path): Path {
    return path.map((part, index) => this.#written.get(pathKey(path.slice(0, index + 1))) ?? part)
  }

  isQuiet(path: Path): boolean {
    if (this.#source.unreadable?.(this.asWritten(path)) === true) return true
    return path.some((_, index) => this.#quiet.has(pathKey(path.slice(0, index + 1))))
  }

  get hasErrors(): boolean {
    return this.#problems.some(({ severity }) => severity === 'error')
  }

  /** Every problem once, in the order of the file; those of included files behind. */
  list(): readonly Problem[] {
    const unique = new Map(this.#problems.map((problem) => [identityOf(problem), problem]))
    const rank = ({ file }: Problem): number => (file === this.#source.file ? 0 : 1)
    return [...unique.values()].sort(
      (a, b) =>
        rank(a) - rank(b) ||
        Number(a.file > b.file) - Number(a.file < b.file) ||
        (a.line ?? 0) - (b.line ?? 0) ||
        (a.column ?? 0) - (b.column ?? 0),
    )
  }

  #place(path: Path, { part, text, severity }: FindingAt) {
    return { path, file: this.#source.file, position: this.#locate(this.asWritten(path), part, text), severity }
  }

  /** What is not there is shown by the key it would belong to. */
  #locate(path: Path, part?: 'key' | 'value', text?: string): Position | undefined {
    const { positionOf } = this.#source
    const exact = positionOf?.(path, part, text)
    if (exact !== undefined || path.length === 0) return exact
    return this.#locate(path.slice(0, -1), 'key')
  }
}

/** The same text at the same place is one problem, however many services reach it by an alias. */
const identityOf = ({ code, message, file, line, column, path }: Problem): string =>
  JSON.stringify([code, message, file, line, column, line === null ? path : null])
