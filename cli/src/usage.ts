/** Help texts, made by citty from the same definitions that are parsed. */
import { renderUsage, type ArgsDef } from 'citty'
import type { Command } from './command.ts'

const globals: ArgsDef = {
  config: { type: 'string', alias: 'c', description: 'Use this config file', valueHint: 'file' },
  project: { type: 'string', alias: 'p', description: 'Speak to this project, by its id', valueHint: 'id' },
  sys: { type: 'boolean', description: 'System-wide: state in /var/lib/systemg (root)' },
  'log-level': { type: 'string', description: 'off, error, warn, info, debug, trace, or 0 to 5', valueHint: 'level' },
  'no-color': { type: 'boolean', description: 'No colours; NO_COLOR does the same' },
  json: { type: 'boolean', description: 'Print JSON, where there is output to read' },
  help: { type: 'boolean', alias: 'h', description: 'Show this help' },
  version: { type: 'boolean', alias: 'V', description: 'Show the version' },
}

/** The help of one command. */
export const usageOf = (name: string, command: Command): Promise<string> => {
  const service: ArgsDef =
    command.services === true
      ? {
          service: { type: 'string', alias: 's', description: 'Name of a service; may be repeated', valueHint: 'name' },
        }
      : {}
  const words = command.positionals ?? (command.services === true ? '[service…]' : '')
  return renderUsage({
    meta: { name: `sysg ${name} ${words}`.trim(), description: descriptionOf(command) },
    args: { ...command.args, ...service, ...globals },
  }).then(tidy)
}

/** The help of `sysg` itself. */
export const usageOfAll = async (
  commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>>,
  ofPlugins: ReadonlyMap<string, Command>,
  version: string,
): Promise<string> => {
  const loaded = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => [name, (await load()).command] as const),
  )
  const subCommands = Object.fromEntries(
    [...loaded, ...ofPlugins].map(([name, { description, from }]) => {
      const words = `${firstSentence(description)}${from === undefined ? '' : ` (plugin ${from})`}`
      return [name, { meta: { name, description: words } }]
    }),
  )
  const text = await renderUsage({
    meta: { name: 'sysg', version, description: 'Composes programs into a system' },
    args: globals,
    subCommands,
  })
  return tidy(text)
}

/** Without the spaces that columns are filled up with. */
const tidy = (text: string): string => `${text.replace(/[ \t]+$/gm, '').trimEnd()}\n`

const descriptionOf = ({ description, from }: Command): string =>
  from === undefined ? description : `${description}. From the plugin ${from}`

const firstSentence = (text: string): string => text.split('. ', 1)[0] ?? text
