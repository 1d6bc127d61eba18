/** The command line: finds the command, loads it, runs it, and says how it went by the exit code. */
import { util } from './builtin.ts'
import type { Command } from './command.ts'
import { commands } from './commands/index.ts'
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts'
import { Failure, isCoded } from './failures.ts'
import { findCommand, parseFor } from './parse.ts'
import { printThrown } from './terminal/print-error.ts'
import { createTerminal } from './terminal/terminal.ts'
import { version } from './version.ts'

/** Run `sysg` with these arguments and end the process with its exit code. */
export const main = async (argv: readonly string[]): Promise<void> => {
  if (argv[0] === supervise) return superviseInBackground(argv[1])
  // A reader that has gone (`sysg logs | head`) ends the command, not with an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  process.exitCode = await run(argv)
}

/** What the process of a supervisor in the background is called with: no command for people. */
const supervise = '__supervise'

const superviseInBackground = async (how: string | undefined): Promise<void> => {
  const { runDaemon } = await import('./supervisor/run-daemon.ts')
  const code = await runDaemon(how).catch((thrown: unknown) => {
    printThrown(createTerminal({ color: false }), thrown, { stack: false })
    return isCoded(thrown) ? exitCodeOf(thrown.code) : exitCodes.failed
  })
  // A plugin may have left something open; nothing of the system is.
  process.exit(code)
}

const run = async (argv: readonly string[]): Promise<ExitCode> => {
  const { name, args } = findCommand(withoutHelp(argv))
  let stack = argv.includes('debug') || argv.includes('trace')
  let terminal = createTerminal({ color: !argv.includes('--no-color') })
  try {
    const load = name === undefined ? undefined : commands[name]
    if (name !== undefined && load === undefined) return await unknownCommand(name)
    const command = (await load?.())?.command
    const parsed = parseFor(name, command, args)
    terminal = createTerminal({ color: parsed.color })
    stack = ['debug', 'trace'].includes(parsed.globals.logLevel)
    if (parsed.version) {
      terminal.out(`sysg ${version}\n`)
      return exitCodes.done
    }
    if (parsed.help || command === undefined) return await help(name, command, terminal, parsed.help)
    if (parsed.typed.positionals.length > 0 && command.services !== true && command.positionals === undefined) {
      throw new Failure('SYSG_USAGE', {
        message: `Unexpected argument '${parsed.typed.positionals[0] ?? ''}'.`,
        command: name,
      })
    }
    return await command.run({
      typed: parsed.typed,
      globals: parsed.globals,
      terminal,
      env: process.env,
      cwd: process.cwd(),
    })
  } catch (thrown) {
    printThrown(terminal, thrown, { stack })
    return isCoded(thrown) ? exitCodeOf(thrown.code) : exitCodes.failed
  }
}

/** `sysg help start` is `sysg start --help`. */
const withoutHelp = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'help' ? [...argv.slice(1, 2), '--help'] : argv

const help = async (
  name: string | undefined,
  command: Command | undefined,
  terminal: ReturnType<typeof createTerminal>,
  isAsked: boolean,
): Promise<ExitCode> => {
  const { usageOf, usageOfAll } = await import('./usage.ts')
  const text =
    name === undefined || command === undefined ? await usageOfAll(commands, version) : await usageOf(name, command)
  const isPlain = !(isAsked ? terminal.isInteractive : terminal.canDraw)
  const shown = isPlain ? util.stripVTControlCharacters(text) : text
  if (isAsked) terminal.out(shown)
  else terminal.err(shown)
  return isAsked ? exitCodes.done : exitCodes.usage
}

const unknownCommand = async (name: string): Promise<ExitCode> => {
  const { nearest } = await import('@systemg/core')
  const names = Object.keys(commands)
  const [begun, ...others] = names.filter((command) => command.startsWith(name))
  const known = elsewhere[name] ?? (others.length === 0 ? begun : undefined) ?? nearest(name, names)
  throw new Failure('SYSG_USAGE', {
    message: `There is no command \`${name}\`.${known === undefined ? '' : ` Did you mean \`${known}\`?`}`,
  })
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
