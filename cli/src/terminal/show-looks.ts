/** What a command shows that looks once, or with `--stream` again and again. */
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { printError } from './print-error.ts'
import { textOf, type Seen } from './status-look.ts'

/** Somebody looks, and can type: `--stream` is a view with keys then. */
export const isLive = ({ terminal, globals }: CommandContext): boolean =>
  terminal.canAsk && terminal.canDraw && !globals.json

/** @throws what `look` throws, and the failure of what there was to see; a silent supervisor ends it with 6. */
export const showLooks = async (context: CommandContext, look: () => Promise<Seen>): Promise<ExitCode> => {
  const { stream: interval } = context.typed.values
  try {
    if (typeof interval === 'string') {
      const { streamStatus } = await import('./stream-status.ts')
      return await streamStatus(context, look, interval)
    }
    const seen = await look()
    context.terminal.out(textOf(seen, context))
    if (seen.failure === undefined) return seen.exitCode
    throw seen.failure
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== 'SYSG_SUPERVISOR_SILENT') throw thrown
    printError(context.terminal, thrown)
    return exitCodes.timedOut
  }
}
