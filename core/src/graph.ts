/** The dependency graph: layers, cycles with their path, dependents, and what a crash takes down. Every question is O(V+E). */
import type { Dependency } from './config/types.ts'

/** Anything with dependencies: a resolved service, or a half-checked one. */
export interface Node {
  readonly depends_on: Readonly<Record<string, Dependency>>
}

export class Graph {
  readonly #dependents = new Map<string, string[]>()
  readonly #nodes: ReadonlyMap<string, Node>

  /** Unknown dependencies are left out: the config check reports them. */
  constructor(nodes: ReadonlyMap<string, Node>) {
    this.#nodes = nodes
    for (const name of nodes.keys()) this.#dependents.set(name, [])
    for (const [name, node] of nodes) {
      for (const dependency of Object.keys(node.depends_on)) this.#dependents.get(dependency)?.push(name)
    }
  }

  /** Names that `name` depends on directly and that exist. */
  dependencies(name: string): readonly string[] {
    return Object.keys(this.#nodes.get(name)?.depends_on ?? {}).filter((other) => this.#nodes.has(other))
  }

  /** Names that depend on `name` directly. */
  dependents(name: string): readonly string[] {
    return this.#dependents.get(name) ?? []
  }

  /** `names` and everything they need, dependencies first. */
  withDependencies(names: Iterable<string>): readonly string[] {
    const wanted = reachable(names, (name) => this.dependencies(name))
    return this.order().filter((name) => wanted.has(name))
  }

  /** Running services that a crash of `name` stops: dependents over `on_failure: stop`, however far. `completed` was true once and stays so. */
  takenDownBy(name: string): readonly string[] {
    const hit = reachable([name], (from) =>
      this.dependents(from).filter((to) => {
        const edge = this.#nodes.get(to)?.depends_on[from]
        return edge?.on_failure === 'stop' && edge.condition !== 'completed'
      }),
    )
    hit.delete(name)
    return [...hit]
  }

  /** Services that may start together: each layer needs only the layers before it. Within a layer as in the config. */
  layers(): readonly (readonly string[])[] {
    const open = new Map([...this.#nodes.keys()].map((name) => [name, this.dependencies(name).length]))
    const layers: string[][] = []
    for (let layer = [...open].filter(([, count]) => count === 0).map(([name]) => name); layer.length > 0;) {
      layers.push(layer)
      const next: string[] = []
      for (const dependent of layer.flatMap((name) => this.dependents(name))) {
        const left = (open.get(dependent) ?? 0) - 1
        open.set(dependent, left)
        if (left === 0) next.push(dependent)
      }
      layer = next
    }
    return layers
  }

  /** Dependencies before dependents. */
  order(): readonly string[] {
    return this.layers().flat()
  }

  /** One circle of dependencies, first name repeated at the end; `undefined` when there is none. */
  cycle(): readonly string[] | undefined {
    const done = new Set(this.order())
    const start = [...this.#nodes.keys()].find((name) => !done.has(name))
    if (start === undefined) return undefined
    const path = new Set<string>()
    let at: string = start
    while (!path.has(at)) {
      path.add(at)
      const next = this.dependencies(at).find((name) => !done.has(name))
      if (next === undefined) return undefined
      at = next
    }
    const names = [...path]
    return [...names.slice(names.indexOf(at)), at]
  }
}

const reachable = (from: Iterable<string>, next: (name: string) => readonly string[]): Set<string> => {
  const seen = new Set(from)
  for (const name of seen) for (const other of next(name)) seen.add(other)
  return seen
}
