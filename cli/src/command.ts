/** What a command is. Each is one file in `commands/`, loaded when it is called; it parses nothing and exits nothing. */
import type { ArgsDef } from 'citty'
import type { Terminal } from './terminal/terminal.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  /** Path as typed. */
  readonly config: string | undefined
  /** A project's id. */
  readonly project: string | undefined
  readonly sys: boolean
  readonly dropPrivileges: boolean
  readonly logLevel: LogLevel
  readonly json: boolean
}

export const logLevels = ['off', 'error', 'warn', 'info', 'debug', 'trace'] as const
export type LogLevel = (typeof logLevels)[number]

/** What was typed: options by their long name, and what stands without a name. */
export interface Typed {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
  readonly positionals: readonly string[]
  /** What stands behind `--`; undefined when there is none. */
  readonly rest: readonly string[] | undefined
}

export interface CommandContext {
  readonly typed: Typed
  readonly globals: GlobalOptions
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export interface Command {
  readonly description: string
  /** The plugin that brings it, of one that is not ours. */
  readonly from?: string
  /** In citty's form. `--service` is added for commands with `services: true`. */
  readonly args?: ArgsDef
  /** Long options that mean another one: what people of other tools type. */
  readonly otherNames?: Readonly<Record<string, string>>
  /** Options that may stand without a value, which is this one then. */
  readonly withoutValue?: Readonly<Record<string, string>>
  /** Takes names of services, positionally and with `-s`. */
  readonly services?: boolean
  /** For the usage line, for what stands without a name: `[service…]`. */
  readonly positionals?: string
  /** Ends with one of `exitCodes`, or what a plugin's command says. */
  run(context: CommandContext): Promise<number>
}

/** Names of services as typed, positionally and with `-s`, without doubles. */
export const serviceNames = ({ values, positionals }: Typed): readonly string[] => {
  const named = values['service']
  return [...new Set([...positionals, ...(Array.isArray(named) ? (named as readonly string[]) : [])])]
}
