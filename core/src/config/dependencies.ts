/** Dependencies as the config has them: names that do not exist, names twice, and circles. */
import type { Findings } from './findings.ts'
import { isPlainMap } from './interpolate.ts'
import { nearest } from './nearest.ts'
import type { Finding, Path } from './problems.ts'

/** One `depends_on` entry and where it stands. */
interface Edge {
  readonly from: string
  readonly to: string
  readonly path: Path
}

/**
 * Report what is wrong between services. Looks at the config before it is checked, so that a mistake elsewhere in a
 * service does not hide these.
 */
export const checkDependencies = (services: Readonly<Record<string, unknown>>, findings: Findings): void => {
  const names = Object.keys(services)
  const edges = names.flatMap((name) => edgesOf(name, services[name], findings))
  const seen = new Set<string>()
  for (const { from, to, path } of edges) {
    const pair = JSON.stringify([from, to])
    if (seen.has(pair)) {
      const message = `\`${from}\` lists \`${to}\` twice.`
      findings.add(['SYSG_CONFIG_COMBINATION', { message, hint: 'Once is enough.' }], path, { severity: 'warning' })
    } else if (!Object.hasOwn(services, to) && !findings.isQuiet(['services', to])) {
      const others = names.filter((name) => name !== from)
      const finding: Finding = ['SYSG_DEPENDENCY_UNKNOWN', { service: from, name: to, suggestion: nearest(to, others) }]
      findings.add(finding, path, { part: markedPart(path) })
    }
    seen.add(pair)
  }
  for (const circle of circles(edges)) {
    const [first] = circle
    if (first === undefined) continue
    const part = markedPart(first.path)
    findings.add(['SYSG_DEPENDENCY_CYCLE', { path: [...circle.map(({ from }) => from), first.from] }], first.path, {
      part,
    })
  }
}

/** An entry of a list is a value; of a map, the key names the service. */
const markedPart = (path: Path): 'key' | 'value' => (typeof path.at(-1) === 'number' ? 'value' : 'key')

const edgesOf = (from: string, service: unknown, findings: Findings): readonly Edge[] => {
  const at = ['services', from, 'depends_on']
  const key = String(findings.asWritten(at).at(-1))
  const given = isPlainMap(service) && Object.hasOwn(service, key) ? service[key] : undefined
  if (isPlainMap(given)) return Object.keys(given).map((to) => ({ from, to, path: [...at, to] }))
  if (!Array.isArray(given)) return []
  return given.flatMap((to: unknown, index) => (typeof to === 'string' ? [{ from, to, path: [...at, index] }] : []))
}

/** Every circle that is left when the ones before it are cut open; found in one walk over all edges. */
const circles = (edges: readonly Edge[]): readonly (readonly Edge[])[] => {
  const outgoing = Map.groupBy(edges, ({ from }) => from)
  const found: (readonly Edge[])[] = []
  const done = new Set<string>()
  for (const start of outgoing.keys()) {
    if (done.has(start)) continue
    const trail: { edges: Iterator<Edge>; by: Edge | undefined; name: string }[] = []
    const onTrail = new Set<string>()
    const enter = (name: string, by?: Edge): void => {
      trail.push({ edges: (outgoing.get(name) ?? []).values(), by, name })
      onTrail.add(name)
    }
    enter(start)
    for (let top = trail.at(-1); top !== undefined; top = trail.at(-1)) {
      const next = top.edges.next()
      if (next.done === true) {
        done.add(top.name)
        onTrail.delete(top.name)
        trail.pop()
      } else if (onTrail.has(next.value.to)) {
        const closing: Edge = next.value
        const from = trail.findIndex(({ name }) => name === closing.to)
        found.push([...trail.slice(from + 1).flatMap(({ by }) => by ?? []), closing])
      } else if (!done.has(next.value.to)) enter(next.value.to, next.value)
    }
  }
  return found
}
