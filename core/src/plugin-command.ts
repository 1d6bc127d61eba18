/** Commands that plugins bring: `sysg <name>`. They run where they are typed, and ask the supervisor by control methods. */
import type { z } from 'zod'
import type { ResolvedSystem } from './config/types.ts'
import { SysgError } from './errors.ts'
import type { KeySchemas, PluginUse } from './plugin.ts'

/** How a command speaks to the supervisor. */
export interface ControlClient {
  /**
   * Ask a control method. `onNotify` hears what it tells while it runs; `timeoutMs`: how long it may say nothing.
   *
   * @throws what the method throws, with its code; `SYSG_NO_SUPERVISOR` (exit code 3) when none runs.
   */
  call(
    method: string,
    params?: unknown,
    options?: {
      readonly onNotify?: (method: string, params: Readonly<Record<string, unknown>>) => void
      readonly signal?: AbortSignal
      readonly timeoutMs?: number
    },
  ): Promise<unknown>
}

/** What a command gets. */
export interface PluginCommandContext<Options = unknown, Args extends KeySchemas = KeySchemas> {
  /** What was typed as options, checked by `args`. */
  readonly args: { readonly [Name in keyof Args]: z.output<Args[Name]> }
  /** What was typed without a name. */
  readonly positionals: readonly string[]
  /** What was typed behind `--`; `undefined` when there is none. */
  readonly rest: readonly string[] | undefined
  /** The options of the plugin, as `setup` gets them. */
  readonly options: Options
  readonly control: ControlClient
  /** The config here, with every default filled in. @throws when it has mistakes (exit code 5). */
  readonly config: () => Promise<ResolvedSystem>
  /** The result: `value` as JSON with `--json`, otherwise lines for people, fit for a terminal whatever is in them. */
  readonly print: (value: unknown, inWords: () => string | readonly string[]) => void
  /** Results as they are. */
  readonly out: (text: string | Uint8Array) => void
  /** For people, beside the result. */
  readonly err: (text: string) => void
  /** `throw misuse('…')` for what cannot be meant; exit code 2. */
  readonly misuse: (message: string) => Error
  /** `--json` was typed. */
  readonly json: boolean
  /** Who asks for it takes over Ctrl-C: aborted by the first one. The second ends the process. */
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export interface PluginCommand<Options = unknown, Args extends KeySchemas = KeySchemas> {
  /** A sentence without a full stop; the first one is shown by `sysg --help`. */
  readonly description: string
  /** What stands without a name, for the usage line: `<service> [count]`. Left out: nothing may. */
  readonly positionals?: string
  /**
   * Options by their long name, each with its schema: a boolean is a flag, a number is read as one, everything else is
   * text. Described like keys; `.meta({ alias: 'n', hint: 'count' })` gives one a short name, and its value a name.
   */
  readonly args?: Args
  /**
   * Parse, ask, print. Ends with the exit code, 0 when that is left out. What it throws ends it with 1 and names the plugin; an
   * error with a code (`SysgError.of`) speaks for itself.
   */
  run(context: PluginCommandContext<Options, Args>): Promise<number | void> | number | void
}

/** A command, and the plugin that brings it. */
export interface OwnedCommand extends PluginUse {
  readonly command: PluginCommand
}

const commandName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

/** The commands of all plugins, by name. @throws {SysgError} `SYSG_PLUGIN_COMMAND`, `SYSG_REGISTRY_TAKEN`. */
export const collectCommands = (uses: readonly PluginUse[]): ReadonlyMap<string, OwnedCommand> => {
  const commands = new Map<string, OwnedCommand>()
  for (const use of uses) {
    const plugin = use.plugin.name
    for (const [name, command] of Object.entries(use.plugin.commands ?? {})) {
      if (!commandName.test(name))
        throw new SysgError('SYSG_PLUGIN_COMMAND', {
          plugin,
          name,
          why: 'a name is lowercase words with hyphens between',
        })
      const other = commands.get(name)?.plugin.name
      if (other !== undefined) throw new SysgError('SYSG_REGISTRY_TAKEN', { kind: 'command', name, plugin, other })
      commands.set(name, { ...use, command })
    }
  }
  return commands
}

/** What was typed as options of a command, checked; or what is wrong with it, a line each. */
export const checkArgs = (
  { args = {} }: PluginCommand,
  typed: Readonly<Record<string, unknown>>,
): { readonly values: Readonly<Record<string, unknown>>; readonly mistakes: readonly string[] } => {
  const values: Record<string, unknown> = {}
  const mistakes: string[] = []
  for (const [name, schema] of Object.entries(args)) {
    const result = schema.safeParse(typed[name])
    if (result.success) values[name] = result.data
    else if (typed[name] === undefined) mistakes.push(`\`--${name}\` is needed`)
    else mistakes.push(`\`--${name}\`: ${result.error.issues.map(({ message }) => message).join('; ')}`)
  }
  return { values, mistakes }
}
