/** The dependency graph as text for people, as Mermaid, as DOT and as JSON. Imports nothing that is heavy. */
import type { Dependency, Graph, ResolvedService, ResolvedSystem } from '@systemg/core'

interface Drawing {
  readonly system: ResolvedSystem
  readonly graph: Graph
  /** Width for people's text, in cells. */
  readonly columns: number
}

export type Draw = (drawing: Drawing) => string

/**
 * Layers, each of which can start when the ones before it are up:
 *
 *     1  db
 *        cache
 *     2  api    after db, cache (started)
 */
const asText: Draw = ({ system, graph, columns }) => {
  const layers = graph.layers()
  const digits = String(layers.length).length
  const nameWidth = Math.min(20, Math.max(0, ...Object.keys(system.services).map((name) => name.length)))
  const lines = layers.flatMap((layer, index) =>
    layer.flatMap((name, row) => {
      const number = row === 0 ? String(index + 1).padStart(digits) : ' '.repeat(digits)
      const [first = '', ...rest] = serviceLines(system.services[name], nameWidth, columns - digits - 2)
      return [`${number}  ${first}`, ...rest.map((line) => `${' '.repeat(digits)}  ${line}`)]
    }),
  )
  return lines.length === 0 ? 'No services.\n' : `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const serviceLines = (service: ResolvedService | undefined, nameWidth: number, columns: number): readonly string[] => {
  if (service === undefined) return []
  const { name, depends_on: dependsOn } = service
  const edges = Object.entries(dependsOn)
  if (edges.length === 0) return [name]
  const indent = ' '.repeat(nameWidth + 2)
  const words = edges.map(([other, edge], index) => {
    const conditions = conditionsOf(edge).join(', ')
    return `${other}${conditions === '' ? '' : ` (${conditions})`}${index < edges.length - 1 ? ',' : ''}`
  })
  const [first = '', ...rest] = wrapped('after ', words, columns - indent.length)
  const others = rest.map((line) => indent + line)
  if (name.length <= nameWidth) return [name.padEnd(nameWidth + 2) + first, ...others]
  return [name, indent + first, ...others]
}

/** Words behind a first one, on as many lines as they need; none is cut. */
const wrapped = (lead: string, words: readonly string[], columns: number): readonly string[] => {
  const lines: string[] = []
  let line = lead.trimEnd()
  for (const word of words) {
    if (line.trim() !== '' && line.length + 1 + word.length > columns && line.length > lead.length) {
      lines.push(line)
      line = ' '.repeat(lead.length - 1)
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

/** What is worth saying about an edge: not the defaults. */
const conditionsOf = ({ condition, on_failure: onFailure }: Dependency): readonly string[] => [
  ...(condition === 'ready' ? [] : [condition]),
  ...(onFailure === 'ignore' ? ['may fail'] : []),
]

/** Arrows point from a service to what it needs, as in `depends_on`. */
const asMermaid: Draw = ({ system }) => {
  const names = Object.keys(system.services)
  // Names such as `end` or `my.api` mean something to mermaid, so nodes have numbers.
  const id = new Map(names.map((name, index) => [name, `s${index}`]))
  const nodes = names.map((name) => `  ${id.get(name) ?? ''}["${name.replaceAll('"', '#quot;')}"]`)
  const edges = edgesOf(system).map(([from, to, edge]) => {
    const label = conditionsOf(edge).join(', ')
    const arrow = edge.on_failure === 'ignore' ? '-.->' : '-->'
    return `  ${id.get(from) ?? ''} ${arrow}${label === '' ? '' : `|${label}|`} ${id.get(to) ?? ''}`
  })
  return `${['flowchart LR', ...nodes, ...edges].join('\n')}\n`
}

const asDot: Draw = ({ system }) => {
  const nodes = Object.keys(system.services).map((name) => `  ${quoted(name)}`)
  const edges = edgesOf(system).map(([from, to, edge]) => {
    const label = conditionsOf(edge).join(', ')
    const attributes = [
      ...(label === '' ? [] : [`label=${quoted(label)}`]),
      ...(edge.on_failure === 'ignore' ? ['style=dashed'] : []),
    ]
    const suffix = attributes.length === 0 ? '' : ` [${attributes.join(', ')}]`
    return `  ${quoted(from)} -> ${quoted(to)}${suffix}`
  })
  return `${[`digraph ${quoted(system.project.name)} {`, '  rankdir=LR', '  node [shape=box]', ...nodes, ...edges, '}'].join('\n')}\n`
}

/** A string as DOT reads it: only `"` and `\` are special. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', ' ')}"`

const asJson: Draw = ({ system, graph }) => {
  const services = Object.values(system.services).map(({ name, depends_on: dependsOn }) => ({
    name,
    depends_on: Object.entries(dependsOn).map(([other, { condition }]) => ({ name: other, condition })),
  }))
  return `${JSON.stringify({ services, layers: graph.layers() }, undefined, 2)}\n`
}

const edgesOf = ({ services }: ResolvedSystem): readonly (readonly [from: string, to: string, edge: Dependency])[] =>
  Object.values(services).flatMap(({ name, depends_on: dependsOn }) =>
    Object.entries(dependsOn).map(([other, edge]) => [name, other, edge] as const),
  )

/** By the name of the format. */
export const drawings: Readonly<Record<string, Draw>> = { text: asText, mermaid: asMermaid, dot: asDot, json: asJson }
