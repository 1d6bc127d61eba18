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
export const buildTree = (source: Source, needs: TreeNeeds): Promise<Built> => {
  const anchors = new Map<string, Built | 'open'>()
  let isTooLarge = false

  const build = async (node: ParsedNode | null, key?: Mark): Promise<Built> => {
    const [start, end] = node?.range ?? [key?.start ?? 0, key?.end ?? 0]
    const mark: Mark = { source, start, end }
    if (node === null) return { value: null, spot: { key, value: mark, diffuse: true, hole: false }, count: 1 }
    if (isAlias(node)) return follow(node.source, mark, key)
    const anchor = node.anchor
    if (anchor !== undefined) anchors.set(anchor, 'open')
    const built = await (isMap(node)
      ? buildMap(node, mark, key)
      : isSeq(node)
        ? buildList(node, mark, key)
        : leaf(node, mark, key))
    const kept = built.count <= maxValues ? built : tooLarge(mark, key)
    if (anchor !== undefined) anchors.set(anchor, kept)
    return kept
  }

  const tooLarge = (mark: Mark, key?: Mark): Built => {
    if (!isTooLarge)
      needs.report(mark, `This unfolds to more than ${maxValues} values.`, 'Use fewer aliases inside of each other.')
    isTooLarge = true
    return holeAt(mark, key)
  }

  const leaf = async (node: ParsedNode, mark: Mark, key?: Mark): Promise<Built> => {
    const value = isScalar(node) ? node.value : null
    if (node.tag === holeTag) return holeAt(mark, key)
    if (node.tag !== '!include') {
      const block = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
      return { value, spot: { key, value: mark, diffuse: block || mark.start === mark.end, hole: false }, count: 1 }
    }
    const included = typeof value === 'string' && value !== '' ? await needs.include(value, mark) : undefined
    if (value === '' || value === null) needs.report(mark, '`!include` has no path.', 'Write `!include other.yaml`.')
    return included === undefined ? holeAt(mark, key) : { ...included, spot: { ...included.spot, key } }
  }

  const follow = (name: string, mark: Mark, key?: Mark): Built => {
    const target = anchors.get(name)
    if (target !== undefined && target !== 'open') return { ...target, spot: { ...target.spot, key } }
    if (target === 'open') needs.report(mark, `\`*${name}\` is inside of what it stands for.`, 'Remove the alias.')
    else {
      const hint = `Write \`&${name}\` before the value it stands for, further up. A value that begins with \`*\` needs quotes.`
      needs.report(mark, `There is no anchor \`&${name}\` above this line.`, hint)
    }
    return holeAt(mark, key)
  }

  const buildList = async (node: YAMLSeq.Parsed, mark: Mark, key?: Mark): Promise<Built> => {
    const items: Built[] = []
    for (const item of node.items) items.push(await build(item))
    const children = new Map(items.map(({ spot }, index) => [index, spot]))
    const spot = { key, value: mark, diffuse: node.flow !== true, hole: false, children }
    return { value: items.map(({ value }) => value), spot, count: total(items) }
  }

  const buildMap = async (node: YAMLMap.Parsed, mark: Mark, key?: Mark): Promise<Built> => {
    const own = new Map<string, Built>()
    const merged = new Map<string, Built>()
    for (const pair of node.items) {
      const name = isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : ''
      const [start, end] = pair.key.range
      const keyMark = { source, start, end }
      const built = await build(pair.value, keyMark)
      if (name !== '<<') own.set(name, built)
      else
        for (const [inherited, value] of mergedEntries(built, needs))
          if (!merged.has(inherited)) merged.set(inherited, value)
    }
    const entries = [...own, ...[...merged].filter(([name]) => !own.has(name))]
    const children = new Map(entries.map(([name, { spot }]) => [name, spot]))
    const value = Object.fromEntries(
      entries.filter(([, { spot }]) => !spot.hole).map(([name, built]) => [name, built.value]),
    )
    const diffuse = node.flow !== true
    return {
      value,
      spot: { key, value: mark, diffuse, hole: false, children },
      count: total(entries.map(([, built]) => built)),
    }
  }

  return build(source.usable ? source.document.contents : null)
}

const holeAt = (value: Mark, key: Mark | undefined): Built => ({
  value: null,
  spot: { key, value, diffuse: false, hole: true },
  count: 1,
})

const total = (parts: readonly Built[]): number => parts.reduce((sum, { count }) => sum + count, 1)

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
