/** Every command with its options, from the same definitions that are parsed. */
import type { Command } from '../../cli/src/command.ts'
import { commands } from '../../cli/src/commands/index.ts'
import { exitCodes } from '../../cli/src/exit-codes.ts'
import { globalOptions } from '../../cli/src/parse.ts'
import { code, generatedNote, table } from './markdown.ts'

type Args = NonNullable<Command['args']>

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done; for `status`: all is well',
  failed: 'it failed: a service is not well, a step failed',
  usage: 'wrong usage',
  noSupervisor: 'no supervisor runs',
  noService: 'there is no such service',
  invalidConfig: 'the config has mistakes; nothing was changed',
  timedOut: 'it took too long; what was begun goes on',
  interrupted: 'interrupted by Ctrl-C',
}

const globalMeanings: Readonly<Record<keyof typeof globalOptions, string>> = {
  config: 'use this config file',
  project: 'speak to the project with this id, whatever the folder',
  sys: 'system-wide: state in `/var/lib/systemg`, configs also in `/etc/systemg`',
  'drop-privileges': 'reserved',
  'log-level': '`off`, `error`, `warn`, `info`, `debug`, `trace`, or 0 to 5; `debug` shows stacks',
  'no-color': 'no colours; the variable `NO_COLOR` does the same',
  json: 'print JSON, where there is output to read',
  help: 'show what a command takes',
  version: 'show the version',
}

export const commandsPage = async (): Promise<string> => {
  const loaded = Object.entries(commands).map(async ([name, load]) => section(name, (await load()).command))
  return `${generatedNote('cli/src/commands')}

# Commands

[Commands](../guide/commands.md) says what each does to a system that runs.

${(await Promise.all(loaded)).join('\n\n')}

## Options of every command

${table(['option', 'means'], Object.entries<{ readonly type: string; readonly short?: string }>(globalOptions).map(globalRow))}

## Exit codes

${table(
  ['code', 'means'],
  Object.entries(exitCodes).map(([name, number]) => [String(number), exitMeanings[name as keyof typeof exitCodes]]),
)}
`
}

const section = (name: string, { description, args, services, positionals }: Command): string => {
  const words = positionals ?? (services === true ? '[service…]' : '')
  const own: Args = services === true ? { service: serviceArg, ...args } : (args ?? {})
  const options = Object.keys(own).length === 0 ? '' : `\n\n${optionsTable(own)}`
  return `## \`sysg ${`${name} ${words}`.trim()}\`\n\n${description}.${options}`
}

const serviceArg = {
  type: 'string',
  alias: 's',
  description: 'Name of a service; may be repeated',
  valueHint: 'name',
} as const

const optionsTable = (args: Args): string =>
  table(
    ['option', 'means'],
    Object.entries(args).map(([name, arg]) => {
      const alias = 'alias' in arg ? [arg.alias].flat().map((each) => `${code(`-${each}`)}, `) : []
      const hint = 'valueHint' in arg ? ` <${arg.valueHint}>` : ''
      const negative = 'negativeDescription' in arg ? arg.negativeDescription : undefined
      const no = negative === undefined ? '' : `; ${code(`--no-${name}`)}: ${negative}`
      return [`${alias.join('')}${code(`--${name}${hint}`)}`, `${arg.description ?? ''}${no}`]
    }),
  )

const globalRow = ([name, option]: readonly [
  string,
  { readonly type: string; readonly short?: string },
]): readonly string[] => [
  `${option.short === undefined ? '' : `${code(`-${option.short}`)}, `}${code(`--${name}`)}`,
  globalMeanings[name as keyof typeof globalOptions],
]
