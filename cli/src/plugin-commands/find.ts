/** Finds the commands that plugins of the config here bring. Loads the config and its plugins. */
import { collectCommands, type Path } from '@systemg/core'
import type { Command, CommandContext } from '../command.ts'
import { commands as ours } from '../commands/index.ts'
import { loadConfig, type LoadedConfig } from '../config/load-config.ts'
import { isCoded } from '../failures.ts'
import { firstPartyPlugins } from '../first-party.ts'
import { argsDef } from './args.ts'
import { asCommand } from './as-command.ts'

/** Where to look. */
export type Here = Pick<CommandContext, 'cwd' | 'env'> & {
  readonly globals: Pick<CommandContext['globals'], 'config' | 'sys'>
}

export interface FoundCommands {
  /** Without ours. */
  readonly commands: ReadonlyMap<string, Command>
  /** A plugin could not be loaded, so there may be more. */
  readonly isIncomplete: boolean
}

export const loadHere = ({ cwd, env, globals: { config, sys } }: Here): Promise<LoadedConfig> =>
  loadConfig({ cwd, env, config, sys, firstParty: firstPartyPlugins() })

/** None where there is no config, or none that may be used. @throws {Failure} when one is named that can't be read. */
export const pluginCommands = async (here: Here): Promise<FoundCommands> => {
  const loaded = await loadHere(here).catch((thrown: unknown) => {
    if (isCoded(thrown) && here.globals.config === undefined) return undefined
    throw thrown
  })
  if (loaded === undefined) return { commands: new Map(), isIncomplete: false }
  const brought = [...collectCommands(loaded.plugins)].filter(([name]) => !Object.hasOwn(ours, name))
  const commands = brought.map(
    ([
      name,
      {
        plugin: { name: plugin },
        command,
        options,
      },
    ]) => {
      const made = asCommand({ name, plugin, command, options, loaded }, argsDef(command))
      return [name, { ...made, from: plugin }] as const
    },
  )
  const isOfPlugins = (path: Path): boolean => path.length === 0 || path[0] === 'plugins'
  const isIncomplete = loaded.problems.some(({ path, severity }) => severity === 'error' && isOfPlugins(path))
  return { commands: new Map(commands), isIncomplete }
}
