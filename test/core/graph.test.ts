import { Graph, type Dependency } from '@systemg/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultEdge } from './resolved-service.ts'

type Edges = Readonly<Record<string, readonly string[] | Readonly<Record<string, Partial<Dependency>>>>>

const nodesOf = (edges: Edges) =>
  new Map(
    Object.entries(edges).map(([name, to]) => {
      const given = Array.isArray(to) ? to.map((other: string) => [other, {}] as const) : Object.entries(to)
      const depends_on = Object.fromEntries(given.map(([other, edge]) => [other, { ...defaultEdge, ...edge }]))
      return [name, { depends_on }] as const
    }),
  )

const graphOf = (edges: Edges) => new Graph(nodesOf(edges))

const shop: Edges = { web: ['api', 'cache'], api: ['db', 'cache'], db: [], cache: [], lone: [] }

describe('layers', () => {
  it('put together what may start at once, in the order of the config', () => {
    expect(graphOf(shop).layers()).toEqual([['db', 'cache', 'lone'], ['api'], ['web']])
  })

  it('of nothing are none', () => {
    expect(graphOf({}).layers()).toEqual([])
    expect(graphOf({}).order()).toEqual([])
    expect(graphOf({}).cycle()).toBeUndefined()
  })

  it('leave out a dependency that is no service, not the one that names it', () => {
    const graph = graphOf({ web: ['nowhere', 'db'], db: [] })
    expect(graph.dependencies('web')).toEqual(['db'])
    expect(graph.layers()).toEqual([['db'], ['web']])
  })

  it('take names as they are, those of every object among them', () => {
    const names = ['constructor', 'toString', 'a.b', '0']
    const graph = graphOf({ app: names, ...Object.fromEntries(names.map((name) => [name, []])) })
    expect(new Set(graph.dependencies('app'))).toEqual(new Set(names))
    expect(graph.order().at(-1)).toBe('app')
  })
})

describe('neighbours', () => {
  it('are known in both directions, and none for a name that is not there', () => {
    const graph = graphOf(shop)
    expect(graph.dependencies('web')).toEqual(['api', 'cache'])
    expect(graph.dependents('cache')).toEqual(['web', 'api'])
    expect(graph.dependencies('nobody')).toEqual([])
    expect(graph.dependents('nobody')).toEqual([])
  })

  it('of a name with everything it needs come dependencies first', () => {
    const graph = graphOf(shop)
    expect(graph.withDependencies(['web'])).toEqual(['db', 'cache', 'api', 'web'])
    expect(graph.withDependencies(['api', 'lone'])).toEqual(['db', 'cache', 'lone', 'api'])
    expect(graph.withDependencies([])).toEqual([])
  })
})

describe('a circle', () => {
  it.each<[string, Edges, string[] | undefined]>([
    ['is not there', shop, undefined],
    ['of one', { a: ['a'] }, ['a', 'a']],
    ['of two', { a: ['b'], b: ['a'] }, ['a', 'b', 'a']],
    ['of three behind others', { x: ['a'], a: ['b'], b: ['c'], c: ['a'], ok: [] }, ['a', 'b', 'c', 'a']],
    ['behind a sound dependency', { a: ['ok', 'b'], b: ['ok', 'a'], ok: [] }, ['a', 'b', 'a']],
  ])('%s', (_title, edges, path) => {
    expect(graphOf(edges).cycle()).toEqual(path)
  })
})

describe('what a crash takes down', () => {
  it('is every dependent, however far', () => {
    expect(graphOf(shop).takenDownBy('db')).toEqual(['api', 'web'])
    expect(graphOf(shop).takenDownBy('web')).toEqual([])
  })

  it('ends at an edge that ignores failures', () => {
    const graph = graphOf({ db: [], api: { db: { on_failure: 'ignore' } }, web: ['api'] })
    expect(graph.takenDownBy('db')).toEqual([])
    expect(graph.takenDownBy('api')).toEqual(['web'])
  })

  it('leaves what waited for completion: it was true once and stays so', () => {
    const graph = graphOf({ migrate: [], api: { migrate: { condition: 'completed' } }, web: ['api'] })
    expect(graph.takenDownBy('migrate')).toEqual([])
  })

  it('holds for `started` as well', () => {
    expect(graphOf({ db: [], api: { db: { condition: 'started' } } }).takenDownBy('db')).toEqual(['api'])
  })

  it('reaches by another way what one edge protects', () => {
    const graph = graphOf({ db: [], api: ['db'], web: { db: { on_failure: 'ignore' }, api: {} } })
    expect(graph.takenDownBy('db')).toEqual(['api', 'web'])
  })

  it('never names the one that crashed, also in a circle', () => {
    expect(graphOf({ a: ['b'], b: ['a'] }).takenDownBy('a')).toEqual(['b'])
  })
})

/** Up to 12 services; each may depend on any, itself and unknown ones among them. */
const anyGraph = fc
  .array(fc.uniqueArray(fc.integer({ min: 0, max: 14 }), { maxLength: 4 }), { maxLength: 12 })
  .map((lists) => Object.fromEntries(lists.map((to, from) => [`s${from}`, to.map((each) => `s${each}`)])))

describe('any graph', () => {
  it('is ordered so that every ordered service comes after all it needs', () => {
    fc.assert(
      fc.property(anyGraph, (edges) => {
        const graph = graphOf(edges)
        const place = new Map(graph.order().map((name, index) => [name, index]))
        for (const [name, index] of place) {
          for (const dependency of graph.dependencies(name)) expect(place.get(dependency)).toBeLessThan(index)
        }
      }),
    )
  })

  it('has each service in one layer at most, as early as it can be', () => {
    fc.assert(
      fc.property(anyGraph, (edges) => {
        const graph = graphOf(edges)
        const layers = graph.layers()
        const layerOf = new Map(layers.flatMap((layer, index) => layer.map((name) => [name, index] as const)))
        expect(layers.flat()).toHaveLength(layerOf.size)
        for (const [name, index] of layerOf) {
          const latest = Math.max(-1, ...graph.dependencies(name).map((other) => layerOf.get(other) ?? Infinity))
          expect(index).toBe(latest + 1)
        }
      }),
    )
  })

  it('has a circle exactly when not all of it can be ordered, and the circle is one', () => {
    fc.assert(
      fc.property(anyGraph, (edges) => {
        const graph = graphOf(edges)
        const circle = graph.cycle()
        expect(circle === undefined).toBe(graph.order().length === Object.keys(edges).length)
        for (const [index, name] of (circle ?? []).slice(0, -1).entries()) {
          expect(graph.dependencies(name)).toContain(circle?.[index + 1])
        }
        expect(circle?.at(0)).toBe(circle?.at(-1))
        expect(new Set(circle).size).toBe(Math.max(0, (circle?.length ?? 0) - 1))
      }),
    )
  })

  it('takes down only what depends on the one that crashed', () => {
    fc.assert(
      fc.property(anyGraph, fc.integer({ min: 0, max: 11 }), (edges, index) => {
        const graph = graphOf(edges)
        const crashed = `s${index}`
        for (const name of graph.takenDownBy(crashed)) expect(dependsOn(graph, name, crashed)).toBe(true)
      }),
    )
  })
})

/** By walking down, where the graph walks up. */
const dependsOn = (graph: Graph, from: string, to: string): boolean => {
  const seen = new Set([from])
  for (const name of seen) for (const other of graph.dependencies(name)) seen.add(other)
  return seen.has(to)
}

describe('a large graph', () => {
  /** A chain, every tenth of which everything later in its ten needs as well; counts how often its edges are read. */
  const counted = (size: number) => {
    const reads = { count: 0 }
    const nodes = new Map(
      Array.from({ length: size }, (_, index) => {
        const needs = [index - 1, index - (index % 10)].filter((other) => other >= 0 && other !== index)
        const depends_on = Object.fromEntries(needs.map((other) => [`s${other}`, defaultEdge]))
        const node = {
          get depends_on() {
            reads.count += 1
            return depends_on
          },
        }
        return [`s${index}`, node] as const
      }),
    )
    return { nodes, reads }
  }

  const questions: readonly (readonly [string, (graph: Graph) => unknown])[] = [
    ['layers', (graph) => graph.layers()],
    ['order', (graph) => graph.order()],
    ['cycle', (graph) => graph.cycle()],
    ['withDependencies', (graph) => graph.withDependencies(['s9'])],
    ['takenDownBy', (graph) => graph.takenDownBy('s0')],
  ]

  it.each(questions)('answers `%s` with work in proportion to its size', (_name, ask) => {
    const readsFor = (size: number) => {
      const { nodes, reads } = counted(size)
      ask(new Graph(nodes))
      return reads.count
    }
    expect(readsFor(10_000)).toBeLessThan(2.1 * readsFor(5_000))
    expect(readsFor(10_000)).toBeLessThan(10 * 10_000)
  })

  it('may be one chain or one circle of 10 000', () => {
    const size = 10_000
    const chain = Object.fromEntries(
      Array.from({ length: size }, (_, at) => [`s${at}`, at === 0 ? [] : [`s${at - 1}`]]),
    )
    expect(graphOf(chain).layers()).toHaveLength(size)
    expect(graphOf(chain).takenDownBy('s0')).toHaveLength(size - 1)
    expect(graphOf({ ...chain, s0: [`s${size - 1}`] }).cycle()).toHaveLength(size + 1)
  })
})
