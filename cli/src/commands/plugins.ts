/** `sysg plugins`: what is loaded, where it comes from, and what it adds. Runs nothing. With `new <name>` it begins one. */
import type { PluginFacts, PluginUse } from '@systemg/core'
import type { Command, CommandContext } from '../command.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import type { PluginOrigin } from '../config/plugin-origin.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { renderTable, type Row } from '../terminal/table.ts'
import { plain } from '../terminal/text.ts'
import { version } from '../version.ts'

export const command: Command = {
  description:
    'List the plugins that a config loads, with their version, keys, commands and hooks; those of systemg without one; or begin one of your own',
  positionals: '[new <name>]',
  async run(context) {
    const [verb] = context.typed.positionals
    if (verb === 'new') return (await import('./plugins-new.ts')).newPlugin(context)
    if (verb !== undefined) {
      const message = `Unexpected argument '${verb}'.`
      throw new Failure('SYSG_USAGE', { message, command: 'plugins' })
    }
    const { terminal, globals, cwd, env } = context
    const [{ pluginFacts }, { createWorld }, { loadConfig }, { firstPartyPlugins }, { reportProblems }] =
      await Promise.all([
        import('@systemg/core'),
        import('@systemg/core/simulated'),
        import('../config/load-config.ts'),
        import('../first-party.ts'),
        import('../config/report-problems.ts'),
      ])
    const firstParty = firstPartyPlugins()
    const loading = loadConfig({ cwd, env, config: globals.config, sys: globals.sys, firstParty })
    const loaded = await loading.catch((thrown: unknown) => {
      if (isCoded(thrown) && thrown.code === 'SYSG_CONFIG_NOT_FOUND' && globals.config === undefined) return undefined
      throw thrown
    })
    const uses = loaded?.plugins ?? firstParty
    const host = createWorld().host()
    const plugins = await Promise.all(
      uses.map(async (use): Promise<Listed> => ({
        ...headOf(use, loaded?.origins.get(use.plugin) ?? { kind: 'first-party' }),
        ...(await pluginFacts(use, uses, host)),
      })),
    )
    if (globals.json) terminal.out(`${JSON.stringify({ plugins }, undefined, 2)}\n`)
    else terminal.out(tableOf(plugins, context))
    const wrong = loaded === undefined ? undefined : ofPlugins(loaded)
    if (wrong === undefined || wrong.problems.length === 0) return exitCodes.done
    reportProblems(context, wrong)
    return exitCodes.invalidConfig
  },
}

interface Listed extends PluginFacts {
  readonly name: string
  readonly version: string | null
  readonly origin: PluginOrigin
  /** Names of the options that it has: their values may be secret. */
  readonly options: readonly string[]
}

const headOf = ({ plugin, options }: PluginUse, origin: PluginOrigin) => ({
  name: plugin.name,
  version:
    plugin.version ?? (origin.kind === 'package' ? origin.version : origin.kind === 'first-party' ? version : null),
  origin,
  options: origin.kind !== 'first-party' && typeof options === 'object' ? Object.keys(options ?? {}) : [],
})

/** Other mistakes of a config say nothing of its plugins. */
const ofPlugins = (loaded: LoadedConfig): LoadedConfig => ({
  ...loaded,
  problems: loaded.problems.filter(({ path, code }) => path[0] === 'plugins' || code.startsWith('SYSG_PLUGIN_')),
})

const columns = [
  { title: 'NAME' },
  { title: 'VERSION', dropRank: 2 },
  { title: 'FROM', dropRank: 1 },
  { title: 'KEYS', dropRank: 4 },
  { title: 'COMMANDS', dropRank: 3 },
] as const

const tableOf = (plugins: readonly Listed[], { terminal }: CommandContext): string => {
  const width = terminal.isInteractive ? terminal.columns : Number.POSITIVE_INFINITY
  const paint: CommandContext['terminal']['paint'] = (style, text) => terminal.paint(style, text)
  const lines = renderTable(columns, plugins.map(rowOf), { width, noteTitle: 'HOOKS', paint })
  return lines.map((line) => `${line}\n`).join('')
}

const rowOf = ({ name, version: of, origin, keys, commands, failure, ...facts }: Listed): Row => ({
  cells: [
    { text: plain(name) },
    of === null ? { text: '-', style: 'dim' } : { text: plain(of) },
    { text: plain(placeOf(origin)) },
    { text: [...new Set([...keys.service, ...keys.system])].join(', ') },
    { text: plain(commands.join(', ')) },
  ],
  note: plain(failure ?? hooksOf(facts)),
})

/** Those that it taps, then those that it offers. */
const hooksOf = ({ hooks, unoffered, offers }: Pick<Listed, 'hooks' | 'unoffered' | 'offers'>): string => {
  const tapped = hooks.map((hook) => (unoffered.includes(hook) ? `${hook} (no plugin here offers it)` : hook))
  const offered = offers.length === 0 ? [] : [`offers ${offers.join(', ')}`]
  return [...(tapped.length === 0 ? [] : [tapped.join(', ')]), ...offered].join('; ')
}

const placeOf = (origin: PluginOrigin): string => {
  if (origin.kind === 'package') return origin.name
  return origin.kind === 'path' ? origin.file : origin.kind
}
