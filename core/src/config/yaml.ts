/**
 * Reads a YAML config: its value, the place of every part of it, and the mistakes of its notation. YAML 1.2, core schema.
 *
 * Adds `!include path` (relative to the including file) and merge keys. Pure: files come through `readText`.
 */
import { whyOf, type Position } from '../errors.ts'
import { folderOf, relativeTo, resolvePath } from './file-paths.ts'
import { type Path, type Problem, problemOf } from './problems.ts'
import { indentOf, parseText } from './yaml-syntax.ts'
import { buildTree, type Built, type Mark, type Source, type Spot } from './yaml-tree.ts'

/** Text of a file by absolute path; `undefined` when there is none. */
export type ReadText = (path: string) => Promise<string | undefined>

/**
 * Where a part of the config stands; `undefined` when it is not there.
 *
 * @param part - The value (default; its key when the value spans lines or is empty) or the key.
 * @param text - Mark only this text inside of the value, if it is there.
 */
export type PositionOf = (path: Path, part?: 'key' | 'value', text?: string) => Position | undefined

export interface ParsedYaml {
  /** Plain data: maps, lists, text, numbers, booleans, null. What could not be read is left out. */
  readonly value: unknown
  readonly positionOf: PositionOf
  readonly problems: readonly Problem[]
  /** Text of every file that was read, by path: to show lines of, and to watch. */
  readonly files: ReadonlyMap<string, string>
  /** Something at `path`, or that would have been there, could not be read: do not complain about it again. */
  unreadable(path: Path): boolean
}

/** Parse the text of `file`. Never throws: what is wrong is in `problems`. */
export const parseYaml = async (input: { text: string; file: string; readText: ReadText }): Promise<ParsedYaml> => {
  const files = new Map<string, string>()
  const problems: Problem[] = []
  const finished = new Map<string, Built>()

  const load = async (file: string, written: string, chain: readonly string[]): Promise<Built> => {
    const text = written.startsWith('\uFEFF') ? written.slice(1) : written
    files.set(file, text)
    const source: Source = { ...parseText(text), file, original: text }
    const report = (position: Position, message: string, hint: string): void => {
      problems.push(problemOf(['SYSG_CONFIG_YAML', { message, hint }], { path: [], file, position }))
    }
    for (const { line, column, endColumn, message, hint } of source.mistakes)
      report({ file, line, column, endColumn }, message, hint)
    const built = await buildTree(source, {
      report: (mark, message, hint) => report(positionAt(mark), message, hint),
      include: (path, mark) => include(path, mark, [...chain, file]),
    })
    finished.set(file, built)
    return built
  }

  const include = async (path: string, mark: Mark, chain: readonly string[]): Promise<Built | undefined> => {
    const file = resolvePath(folderOf(mark.source.file), path)
    const isCircle = chain.includes(file)
    const known = finished.get(file)
    if (known !== undefined && !isCircle) return known
    const { text, why } = isCircle ? { text: undefined, why: 'includes itself' } : await contentOf(file, input.readText)
    if (text !== undefined) return load(file, text, chain)
    const facts = { path, why, chain: [...chain, file].map((each) => relativeTo(folderOf(input.file), each)) }
    const place = { path: [], file: mark.source.file, position: positionAt(mark) }
    problems.push(problemOf(['SYSG_CONFIG_INCLUDE', facts], place))
    return undefined
  }

  const root = await load(input.file, input.text, [])
  const positionOf: PositionOf = (path, part = 'value', text) => {
    const spot = spotAt(root.spot, path)
    if (spot === undefined) return undefined
    const inner = text === undefined ? undefined : markWithin(spot.value, text)
    if (inner !== undefined) return positionAt(inner)
    return positionAt(spot.key !== undefined && (part === 'key' || spot.diffuse) ? spot.key : spot.value)
  }
  return { value: root.value, positionOf, problems, files, unreadable: (path) => isUnreadable(root.spot, path) }
}

/** A file's text, or why there is none. */
const contentOf = async (file: string, readText: ReadText): Promise<{ text: string | undefined; why: string }> => {
  try {
    return { text: await readText(file), why: 'names a file that does not exist' }
  } catch (error) {
    return { text: undefined, why: `can't be read: ${whyOf(error)}` }
  }
}

const spotAt = (root: Spot, path: Path): Spot | undefined => {
  let spot: Spot | undefined = root
  for (const part of path) spot = spot?.children?.get(part)
  return spot
}

const positionAt = ({ source, start, end }: Mark): Position => {
  const { line, col } = source.lines.linePos(start)
  const lineLength = (lineOf(source, line) ?? '').trimEnd().length
  const wanted = col + Math.max(end - start, 1)
  return { file: source.file, line, column: col, endColumn: Math.max(col + 1, Math.min(wanted, lineLength + 1)) }
}

const lineOf = (source: Source, line: number): string | undefined => source.original.split('\n', line)[line - 1]

const markWithin = ({ source, start, end }: Mark, text: string): Mark | undefined => {
  const at = source.text.slice(start, end).indexOf(text)
  return at < 0 ? undefined : { source, start: start + at, end: start + at + text.length }
}

const isUnreadable = (root: Spot, path: Path): boolean => {
  let spot = root
  for (const part of path) {
    if (spot.hole) return true
    const next = spot.children?.get(part)
    if (next === undefined) return lostLineOf(spot)
    spot = next
  }
  const { source, start } = spot.key ?? spot.value
  const damaged = source.damaged.has(source.lines.linePos(start).line)
  return spot.hole || damaged || (spot.children === undefined && spot.diffuse && lostLineOf(spot))
}

/** A line of which nothing could be kept belongs directly to this value. */
const lostLineOf = ({ key, value }: Spot): boolean => {
  const { source } = value
  if (!source.usable) return true
  if (source.dropped.size === 0) return false
  const header = key?.source === source ? source.lines.linePos(key.start).line : 0
  const lines = source.original.split('\n')
  return [...source.dropped].some((line) => ownerOf(line, lines, source.dropped) === header)
}

/** Number of the line whose key a line belongs to, going by the indentation; 0 for the top level. */
const ownerOf = (line: number, lines: readonly string[], dropped: ReadonlySet<number>): number => {
  const indent = indentOf(lines[line - 1] ?? '')
  for (let number = line - 1; number > 0; number -= 1) {
    if (dropped.has(number) || /^\s*(?:#|$)/.test(lines[number - 1] ?? '')) continue
    if (indentOf(lines[number - 1] ?? '') < indent) return number
  }
  return 0
}
