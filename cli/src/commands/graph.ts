/** `sysg graph`: who waits for whom, for people and for tools that draw. */
import type { ResolvedSystem } from '@systemg/core'
import { serviceNames, type Command } from '../command.ts'
import { drawings, type Draw } from '../config/draw-graph.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failures.ts'

export const command: Command = {
  description: 'Show which services wait for which',
  services: true,
  args: {
    format: { type: 'string', alias: 'f', description: 'text, mermaid, dot or json', valueHint: 'format' },
  },
  run: async (context) => {
    const { typed, globals, terminal } = context
    const draw = drawingOf(globals.json ? 'json' : (typed.values['format'] ?? 'text'))
    const { loadOrReport } = await import('../operations/load-or-report.ts')
    const loaded = await loadOrReport(context)
    if (loaded === undefined) return exitCodes.invalidConfig
    const system = await partOf(loaded.system, serviceNames(typed))
    const { Graph } = await import('@systemg/core')
    const graph = new Graph(new Map(Object.entries(system.services)))
    terminal.out(draw({ system, graph, columns: Math.min(terminal.columns, 100) }))
    return exitCodes.done
  },
}

const drawingOf = (format: unknown): Draw => {
  const draw = typeof format === 'string' && Object.hasOwn(drawings, format) ? drawings[format] : undefined
  if (draw !== undefined) return draw
  const message = `\`--format\` takes ${Object.keys(drawings).join(', ')}, not \`${String(format)}\`.`
  throw new Failure('SYSG_USAGE', { message, command: 'graph' })
}

/** Only the named services and what they need; all when none is named. */
const partOf = async (system: ResolvedSystem, names: readonly string[]): Promise<ResolvedSystem> => {
  if (names.length === 0) return system
  const { Graph, nearest, SysgError } = await import('@systemg/core')
  const known = Object.keys(system.services)
  for (const name of names) {
    if (!known.includes(name)) {
      throw new SysgError('SYSG_SERVICE_UNKNOWN', { name, suggestion: nearest(name, known) })
    }
  }
  const wanted = new Set(new Graph(new Map(Object.entries(system.services))).withDependencies(names))
  const services = Object.entries(system.services).filter(([name]) => wanted.has(name))
  return { ...system, services: Object.fromEntries(services) }
}
