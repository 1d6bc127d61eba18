/**
 * Makes plain values of a parsed YAML document, and remembers where each of them stands: includes, anchors and merge
 * keys are followed, so a value knows the file and line it was really written in.
 */
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, type YAMLMap, type YAMLSeq } from 'yaml'
import { holeTag, type ParsedText } from './yaml-syntax.ts'

/** One file: its path as it is shown, its text as it was, and what became of it. */
export interface Source extends ParsedText {
  readonly file: string
  readonly original: string
}

/** A stretch of a file. Offsets are into `source.text`. */
export interface Mark {
  readonly source: Source
  readonly start: number
  readonly end: number
}

/** Where a value stands, and what is inside of it. */
export interface Spot {
  readonly key?: Mark | undefined
  readonly value: Mark
  /** Better shown by its key: a map or list over several lines, a block of text, nothing at all. */
  readonly diffuse: boolean
  /** Could not be read; the value is left out. */
  readonly hole: boolean
  readonly children?: ReadonlyMap<string | number, Spot> | undefined
}

/** A value with its place and the number of values in it. */
export interface Built {
  readonly value: unknown
  readonly spot: Spot
  readonly count: number
}

/** What the builder asks of its caller. */
export interface TreeNeeds {
  /** The content of `path` as seen from `mark`'s file; `undefined` when it can't be had (and that was reported). */
  include(path: string, mark: Mark): Promise<Built | undefined>
  report(mark: Mark, message: string, hint: string): void
}

/** More values than any config has: what aliases of aliases can unfold to is refused. */
const maxValues = 100_000

/** The value of a file's document. */
export const buildTree = (source: Source, needs: TreeNeeds): Promise<Built> =>
  new TreeBuilder(source, needs).build(source.usable ? source.document.contents : null)

class TreeBuilder {
  readonly #source: Source
  readonly #needs: TreeNeeds
  readonly #anchors = new Map<string, Built | 'open'>()
  #isTooLarge = false

  constructor(source: Source, needs: TreeNeeds) {
    this.#source = source
    this.#needs = needs
  }

  async build(node: ParsedNode | null, key?: Mark): Promise<Built> {
    const mark = this.#markOf(node, key)
    if (node === null) return leafAt(null, mark, key, true)
    if (isAlias(node)) return this.#follow(node.source, mark, key)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, 'open')
    const built = await this.#content(node, mark, key)
    const kept = built.count <= maxValues ? built : this.#tooLarge(mark, key)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, kept)
    return kept
  }

  #content(node: ParsedNode, mark: Mark, key?: Mark): Promise<Built> {
    if (isMap(node)) return this.#map(node, mark, key)
    return isSeq(node) ? this.#list(node, mark, key) : this.#leaf(node, mark, key)
  }

  async #leaf(node: ParsedNode, mark: Mark, key?: Mark): Promise<Built> {
    if (node.tag === holeTag) return holeAt(mark, key)
    const value = isScalar(node) ? node.value : null
    const isBlock = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
    if (node.tag !== '!include') return leafAt(value, mark, key, isBlock || mark.start === mark.end)
    if (typeof value !== 'string' || value === '') {
      this.#needs.report(mark, '`!include` has no path.', 'Write `!include other.yaml`.')
      return holeAt(mark, key)
    }
    const included = await this.#needs.include(value, mark)
    return included === undefined ? holeAt(mark, key) : { ...included, spot: { ...included.spot, key } }
  }

  async #list(node: YAMLSeq.Parsed, mark: Mark, key?: Mark): Promise<Built> {
    const items: Built[] = []
    for (const item of node.items) items.push(await this.build(item))
    const children = new Map(items.map(({ spot }, index) => [index, spot]))
    const spot = { key, value: mark, diffuse: node.flow !== true, hole: false, children }
    return { value: items.map(({ value }) => value), spot, count: 1 + total(items) }
  }

  async #map(node: YAMLMap.Parsed, mark: Mark, key?: Mark): Promise<Built> {
    const own = new Map<string, Built>()
    const merges: Built[] = []
    for (const pair of node.items) {
      const name = isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : ''
      const isMerge = name === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN'
      const keyMark = this.#markOf(pair.key)
      if (isMerge ? merges.length > 0 : own.has(name)) this.#reportTwice(name, keyMark)
      const built = await this.build(pair.value, keyMark)
      if (isMerge) merges.push(built)
      else own.set(name, built)
    }
    // Of one name in several maps the first wins, so it is set last.
    const inherited = new Map(merges.flatMap((built) => mergedEntries(built, this.#needs)).reverse())
    const entries = [...own, ...[...inherited].reverse().filter(([name]) => !own.has(name))]
    const present = entries.filter(([, { spot }]) => !spot.hole)
    const children = new Map(entries.map(([name, { spot }]) => [name, spot]))
    return {
      value: Object.fromEntries(present.map(([name, { value }]) => [name, value])),
      spot: { key, value: mark, diffuse: node.flow !== true, hole: false, children },
      count: 1 + total([...own.values()]) + total(merges),
    }
  }

  #follow(name: string, mark: Mark, key?: Mark): Built {
    const target = this.#anchors.get(name)
    if (target !== undefined && target !== 'open') return { ...target, spot: { ...target.spot, key } }
    if (target === 'open')
      this.#needs.report(mark, `\`*${name}\` is inside of what it stands for.`, 'Remove the alias.')
    else {
      const hint = `Write \`&${name}\` before the value it stands for, further up. A value that begins with \`*\` needs quotes.`
      this.#needs.report(mark, `There is no anchor \`&${name}\` above this line.`, hint)
    }
    return holeAt(mark, key)
  }

  #tooLarge(mark: Mark, key?: Mark): Built {
    const hint = 'Use fewer aliases inside of each other.'
    if (!this.#isTooLarge) this.#needs.report(mark, `This unfolds to more than ${maxValues} values.`, hint)
    this.#isTooLarge = true
    return holeAt(mark, key)
  }

  #reportTwice(name: string, mark: Mark): void {
    const hint = name === '<<' ? 'Merge several at once: `<<: [*a, *b]`.' : 'Keep one of them.'
    this.#needs.report(mark, `\`${name}\` is there twice.`, hint)
  }

  #markOf(node: ParsedNode | null, otherwise?: Mark): Mark {
    const [start, end] = node?.range ?? [otherwise?.start ?? 0, otherwise?.end ?? 0]
    return { source: this.#source, start, end }
  }
}

const leafAt = (value: unknown, mark: Mark, key: Mark | undefined, diffuse: boolean): Built => ({
  value,
  spot: { key, value: mark, diffuse, hole: false },
  count: 1,
})

const holeAt = (value: Mark, key: Mark | undefined): Built => ({
  value: null,
  spot: { key, value, diffuse: false, hole: true },
  count: 1,
})

const total = (parts: readonly Built[]): number => parts.reduce((sum, { count }) => sum + count, 0)

/** What `<<` brings in: the entries of a map, or of several, the first one strongest. */
const mergedEntries = (built: Built, needs: TreeNeeds): [string, Built][] => {
  const { value, spot } = built
  if (spot.hole) return []
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) => {
      const inner = spot.children?.get(index)
      return inner === undefined ? [] : mergedEntries({ value: item, spot: inner, count: 1 }, needs)
    })
  if (typeof value === 'object' && value !== null) {
    const map = value as Record<string, unknown>
    return [...(spot.children ?? [])].map(([name, inner]) => [
      String(name),
      { value: Object.hasOwn(map, name) ? map[name] : null, spot: inner, count: 1 },
    ])
  }
  needs.report(
    spot.value,
    '`<<` merges maps, and this is none.',
    'Give it an alias of a map, or a list of such aliases.',
  )
  return []
}
