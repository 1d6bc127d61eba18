/** A command of a plugin as one of ours. Loads neither core nor zod: commands of first-party plugins start as fast as others. */
import type { PluginCommand, PluginCommandContext, ResolvedSystem } from '@systemg/core'
import type { ArgsDef } from 'citty'
import { connect, type Supervisor } from '../client/connect.ts'
import type { Command, CommandContext } from '../command.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import { locate } from '../project/locate.ts'
import { untilInterrupted, type Interrupt } from '../terminal/interrupt.ts'
import { plain } from '../terminal/text.ts'

export interface BroughtCommand {
  readonly name: string
  /** The name of the plugin that brings it. */
  readonly plugin: string
  readonly command: PluginCommand
  /** Of the plugin. */
  readonly options?: unknown
  /** What it was found in. Left out for one that is found without a config. */
  readonly loaded?: LoadedConfig
}

/** @param args - Its options as they are parsed. */
export const asCommand = (brought: BroughtCommand, args: ArgsDef = {}): Command => {
  const { description, positionals } = brought.command
  return {
    description,
    args,
    ...(positionals === undefined ? {} : { positionals }),
    run: (context) => run(brought, context),
  }
}

const run = async (brought: BroughtCommand, context: CommandContext): Promise<number> => {
  const { command, plugin, name } = brought
  let interrupt: Interrupt | undefined
  let supervisor: Promise<Supervisor> | undefined
  try {
    const code = await command.run({
      ...given(brought, context),
      args: await argsOf(brought, context),
      control: {
        call: async (method, ...how) => {
          supervisor ??= connect(locate(context).paths)
          return (await supervisor).call(method, ...how).catch((thrown: unknown) => {
            throw isUnknownMethod(thrown) ? new Failure('SYSG_PLUGIN_NOT_RUNNING', { plugin, method }) : thrown
          })
        },
      },
      get signal() {
        interrupt ??= untilInterrupted()
        return interrupt.signal
      },
    })
    if (code === undefined || isExitCode(code)) return code ?? exitCodes.done
    throw new Error(`it ended with ${String(code)}, which is no exit code`)
  } catch (thrown) {
    if (interrupt?.signal.aborted === true) return exitCodes.interrupted
    if (isCoded(thrown)) throw thrown
    const { SysgError, whyOf } = await import('@systemg/core')
    throw new SysgError('SYSG_PLUGIN_FAILED', { plugin, hook: `sysg ${name}`, why: whyOf(thrown) }, { cause: thrown })
  } finally {
    interrupt?.end()
    // A connection that never came has been told about.
    void supervisor?.then((one) => one.close()).catch(() => undefined)
  }
}

/** What a command gets that needs no work. */
const given = (
  { name, options, loaded }: BroughtCommand,
  context: CommandContext,
): Omit<PluginCommandContext, 'args' | 'control' | 'signal'> => {
  const { typed, globals, terminal, env, cwd } = context
  return {
    positionals: typed.positionals,
    rest: typed.rest,
    options,
    config: () => configOf(loaded, context),
    print: (value, inWords) => {
      const lines = globals.json ? [JSON.stringify(value ?? null)] : [inWords()].flat().map(plain)
      for (const line of lines) terminal.out(`${line}\n`)
    },
    out: (text) => terminal.out(text),
    err: (text) => terminal.err(text),
    misuse: (message) => new Failure('SYSG_USAGE', { message, command: name }),
    json: globals.json,
    env,
    cwd,
  }
}

const argsOf = async (
  { command, name }: BroughtCommand,
  { typed }: CommandContext,
): Promise<PluginCommandContext['args']> => {
  if (Object.keys(command.args ?? {}).length === 0) return {}
  const { readArgs } = await import('./args.ts')
  const { values, mistakes } = readArgs(command, typed.values)
  if (mistakes.length === 0) return values
  throw new Failure('SYSG_USAGE', { message: `${mistakes.join('; ')}.`, command: name })
}

const configOf = async (found: LoadedConfig | undefined, context: CommandContext): Promise<ResolvedSystem> => {
  const [{ SysgError }, { loadHere }] = await Promise.all([import('@systemg/core'), import('./find.ts')])
  const { system, problems, file } = found ?? (await loadHere(context))
  if (system !== undefined) return system
  const count = problems.filter(({ severity }) => severity === 'error').length
  throw new SysgError('SYSG_CONFIG_INVALID', { count, file })
}

const isUnknownMethod = (thrown: unknown): boolean => isCoded(thrown) && thrown.code === 'SYSG_CONTROL_METHOD_UNKNOWN'

const isExitCode = (code: unknown): code is number =>
  typeof code === 'number' && Number.isInteger(code) && code >= 0 && code <= 255
