/** A command of a plugin, run beside a simulated system as `sysg` runs it beside a real one. */
import { SysgError } from '../errors.ts'
import { checkArgs, collectCommands, type PluginCommandContext } from '../plugin-command.ts'
import type { PluginUse } from '../plugin.ts'
import type { System } from '../system.ts'

/** What was typed. */
export interface TypedCommand {
  /** By long name: flags as booleans, numbers as numbers, everything else as text. */
  readonly args?: Readonly<Record<string, unknown>>
  readonly positionals?: readonly string[]
  readonly rest?: readonly string[]
  readonly json?: boolean
  readonly env?: Readonly<Record<string, string>>
  /** Ctrl-C. */
  readonly signal?: AbortSignal
}

/** How it went. */
export interface RanCommand {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** @throws what the command throws; `SYSG_USAGE` for what it does not take. */
export const runCommand = async (
  { system, plugins }: { readonly system: System; readonly plugins: readonly PluginUse[] },
  name: string,
  typed: TypedCommand,
): Promise<RanCommand> => {
  const found = collectCommands(plugins).get(name)
  if (found === undefined) throw misuse(`There is no command \`${name}\`.`)
  const { command, options } = found
  const { values, mistakes } = checkArgs(command, typed.args ?? {})
  const unknown = Object.keys(typed.args ?? {}).filter((arg) => !Object.hasOwn(command.args ?? {}, arg))
  const wrong = [...mistakes, ...unknown.map((arg) => `there is no option \`--${arg}\``)]
  if (wrong.length > 0) throw misuse(wrong.join('; '))
  if (command.positionals === undefined && (typed.positionals ?? []).length > 0)
    throw misuse(`Unexpected argument '${typed.positionals?.[0] ?? ''}'.`)
  const written = { out: '', err: '' }
  const json = typed.json === true
  const context: PluginCommandContext = {
    args: values,
    positionals: typed.positionals ?? [],
    rest: typed.rest,
    options,
    control: { call: async (method, params, how) => callMethod(system, method, params, how) },
    config: () => Promise.resolve(system.config),
    print: (value, inWords) => {
      written.out += json
        ? `${JSON.stringify(value ?? null)}\n`
        : [inWords()]
            .flat()
            .map((line) => `${line}\n`)
            .join('')
    },
    out: (text) => void (written.out += typeof text === 'string' ? text : new TextDecoder().decode(text)),
    err: (text) => void (written.err += text),
    misuse,
    json,
    signal: typed.signal ?? new AbortController().signal,
    env: typed.env ?? {},
    cwd: system.config.folder,
  }
  return { code: (await command.run(context)) ?? 0, ...written }
}

type Call = PluginCommandContext['control']['call']

const callMethod = (system: System, method: string, params: unknown, how: Parameters<Call>[2] = {}): unknown => {
  const known = system.registries.methods.get(method)
  if (known === undefined)
    throw SysgError.of('SYSG_CONTROL_METHOD_UNKNOWN', { message: `There is no method \`${method}\`.` })
  return known(params ?? {}, {
    signal: how.signal ?? new AbortController().signal,
    notify: async (told, about) => how.onNotify?.(told, about as Readonly<Record<string, unknown>>),
  })
}

const misuse = (message: string): SysgError => SysgError.of('SYSG_USAGE', { message })
