/** `sysg status --stream`: on a terminal the table is drawn in place, elsewhere it is printed again and again. */
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { intervalMs } from './duration.ts'
import { pause, untilInterrupted } from './interrupt.ts'
import { blockRows, LiveBlock } from './live-block.ts'
import { textOf, type Seen } from './status-look.ts'
import { plain, wrap } from './text.ts'

/**
 * Look again and again until Ctrl-C. A supervisor that goes and comes back meanwhile ends nothing.
 *
 * @param interval - As typed: `5s`.
 * @throws {Failure} `SYSG_USAGE`, and whatever the first look throws.
 */
export const streamStatus = async (
  context: Pick<CommandContext, 'globals' | 'terminal'>,
  look: () => Promise<Seen>,
  interval: string,
): Promise<ExitCode> => {
  const { terminal, globals } = context
  const everyMs = intervalMs(interval, '--stream')
  const isDrawn = terminal.isInteractive && terminal.canDraw && !globals.json
  const block = new LiveBlock({
    write: (text) => terminal.out(text),
    get rows() {
      return blockRows(terminal)
    },
  })
  const say = (message: string): string => `${wrap(plain(message), terminal.columns).join('\n')}\n`
  const interrupt = untilInterrupted()
  try {
    for (let isFirst = true; !interrupt.signal.aborted; isFirst = false) {
      const words = await look().then(
        (seen) => {
          if (isFirst && seen.failure !== undefined) throw seen.failure
          return textOf(seen, context) || say(seen.failure?.message ?? '')
        },
        (thrown: unknown) => {
          if (isFirst || !(thrown instanceof Error)) throw thrown
          return say(thrown.message)
        },
      )
      if (isDrawn) block.draw(words.slice(0, -1).split('\n'))
      else terminal.out(words)
      await pause(everyMs, interrupt.signal)
    }
    return exitCodes.done
  } finally {
    interrupt.end()
  }
}
