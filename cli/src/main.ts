/** The command line: finds the command, loads it, runs it, and says how it went by the exit code. */
import { util } from './builtin.ts'
import { serviceNames, type Command, type CommandContext, type GlobalOptions } from './command.ts'
import { commands } from './commands/index.ts'
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts'
import { Failure, isCoded } from './failures.ts'
import { configIn, findCommand, parseFor } from './parse.ts'
import type { FoundCommands } from './plugin-commands/find.ts'
import { printThrown } from './terminal/print-error.ts'
import { createTerminal, type Terminal } from './terminal/terminal.ts'
import { version } from './version.ts'

/** Run `sysg` with these arguments and end the process with its exit code. */
export const main = async (argv: readonly string[]): Promise<void> => {
  // A reader that has gone (`sysg logs | head`) ends the command, not with an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.exitCode = await run(argv)
}

const run = async (argv: readonly string[]): Promise<number> => {
  const { name, args } = findCommand(withoutHelp(argv))
  let stack = argv.includes('debug') || argv.includes('trace')
  let terminal = createTerminal({ color: !argv.includes('--no-color') })
  try {
    const command = name === undefined ? undefined : await commandOf(name, args)
    const parsed = parseFor(name, command, args)
    terminal = createTerminal({ color: parsed.color })
    stack = ['debug', 'trace'].includes(parsed.globals.logLevel)
    if (parsed.version) {
      terminal.out(`sysg ${version}\n`)
      return exitCodes.done
    }
    if (parsed.help || command === undefined) {
      const text = await helpFor(name, command, parsed.globals)
      return showHelp(text, terminal, parsed.help)
    }
    if (parsed.typed.positionals.length > 0 && command.services !== true && command.positionals === undefined) {
      throw new Failure('SYSG_USAGE', {
        message: `Unexpected argument '${parsed.typed.positionals[0] ?? ''}'.`,
        command: name,
      })
    }
    const { typed, globals } = parsed
    const context: CommandContext = { typed, globals, terminal, env: process.env, cwd: process.cwd() }
    return await command.run(context).catch(async (thrown: unknown) => {
      throw (await endOfChild(context, thrown)) ?? usageOfCommand(name, thrown)
    })
  } catch (thrown) {
    printThrown(terminal, thrown, { stack })
    return isCoded(thrown) ? exitCodeOf(thrown.code) : exitCodes.failed
  }
}

/** What parses an option knows the mistake, but not for which command it was typed: its help is the one that helps. */
const usageOfCommand = (name: string | undefined, thrown: unknown): unknown =>
  thrown instanceof Failure && thrown.code === 'SYSG_USAGE'
    ? new Failure('SYSG_USAGE', { message: thrown.message, command: name })
    : thrown

/** Whichever command was asked about a child: that it has ended says more than that there is none. */
const endOfChild = async (context: CommandContext, thrown: unknown): Promise<Error | undefined> => {
  const names = serviceNames(context.typed)
  const isUnknown = thrown instanceof Error && isCoded(thrown) && thrown.code === 'SYSG_SERVICE_UNKNOWN'
  if (!isUnknown || !names.some((one) => one.includes(':'))) return undefined
  const [{ endedChild }, { locate }] = await Promise.all([
    import('./unsupervised/ended-child.ts'),
    import('./project/locate.ts'),
  ])
  return endedChild(thrown, names, locate(context).paths, Date.now())
}

/** `sysg help start` is `sysg start --help`. */
const withoutHelp = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'help' ? [...argv.slice(1, 2), '--help'] : argv

/** One of ours, or else of a plugin of the config here. @throws {Failure} `SYSG_USAGE` when there is none. */
const commandOf = async (name: string, args: readonly string[]): Promise<Command> => {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load !== undefined) return (await load()).command
  const { pluginCommands } = await import('./plugin-commands/find.ts')
  const found = await pluginCommands({ globals: configIn(args), cwd: process.cwd(), env: process.env })
  return found.commands.get(name) ?? noCommand(name, found)
}

const helpFor = async (name: string | undefined, command: Command | undefined, globals: GlobalOptions) => {
  const [{ usageOf, usageOfAll }, { pluginCommands }] = await Promise.all([
    import('./usage.ts'),
    import('./plugin-commands/find.ts'),
  ])
  if (name !== undefined && command !== undefined) return usageOf(name, command)
  // Help is there whatever state the config is in.
  const found = await pluginCommands({ globals, cwd: process.cwd(), env: process.env }).catch(() => noPlugins)
  return usageOfAll(commands, found.commands, version)
}

const showHelp = (text: string, terminal: Terminal, isAsked: boolean): ExitCode => {
  const isPlain = !(isAsked ? terminal.isInteractive : terminal.canDraw)
  const shown = isPlain ? util.stripVTControlCharacters(text) : text
  if (isAsked) terminal.out(shown)
  else terminal.err(shown)
  return isAsked ? exitCodes.done : exitCodes.usage
}

const noPlugins: FoundCommands = { commands: new Map(), isIncomplete: false }

const noCommand = async (name: string, ofPlugins: FoundCommands): Promise<never> => {
  const { nearest } = await import('@systemg/core')
  const names = [...Object.keys(commands), ...ofPlugins.commands.keys()]
  const [begun, ...others] = names.filter((command) => command.startsWith(name))
  const known = elsewhere[name] ?? (others.length === 0 ? begun : undefined) ?? nearest(name, names)
  const meant = known === undefined ? '' : ` Did you mean \`${known}\`?`
  const more = ofPlugins.isIncomplete ? ' A plugin here could not be loaded: `sysg validate` says why.' : ''
  throw new Failure('SYSG_USAGE', { message: `There is no command \`${name}\`.${meant}${more}` })
}

/** What other tools call it. */
const elsewhere: Readonly<Record<string, string>> = {
  up: 'start',
  run: 'start',
  down: 'stop',
  kill: 'stop',
  reload: 'restart',
  ps: 'status',
  ls: 'status',
  list: 'status',
  top: 'status',
  check: 'validate',
}
