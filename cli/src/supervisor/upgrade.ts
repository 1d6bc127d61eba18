/**
 * Hands over to another version of systemg: its holder is told to start that one, and this process ends without touching
 * anything. What comes back is as after a death, only that nothing was cut off.
 */
import { definePlugin, SysgError, type Plugin } from '@systemg/core'

/** The supervisor's command line, for a config of data and for one that is code. */
interface Commands {
  readonly data: readonly string[]
  readonly code: readonly string[]
}

export interface UpgradeOptions {
  readonly hasCode: boolean
  readonly isForeground: boolean
  /** Give up everything that another supervisor needs, have it started with this command, and end. */
  readonly handOver: (command: readonly string[]) => void
}

/** Adds the control method `upgrade { commands }` → `{}`. */
export const upgradePlugin = ({ hasCode, isForeground, handOver }: UpgradeOptions): Plugin =>
  definePlugin({
    name: 'upgrade',
    setup(api) {
      api.registerMethod('upgrade', async (given, call) => {
        const commands = commandsIn(given)
        if (isForeground) throw inForeground()
        // What is under way would be cut off.
        await api.system.settled({ signal: call.signal })
        if (api.system.isStopping) throw new SysgError('SYSG_SHUTTING_DOWN', undefined)
        api.host.clock.timer(answerMs, () => handOver(hasCode ? commands.code : commands.data))
        return {}
      })
    },
  })

/** The answer is on its way by then. */
const answerMs = 10

const inForeground = (): SysgError =>
  SysgError.of('SYSG_UPGRADE_FOREGROUND', {
    message: 'The supervisor runs in a terminal, and cannot be replaced there.',
    hint: 'End it with Ctrl-C and start it again, or run the system with `sysg start -d`.',
  })

/** @throws {SysgError} `SYSG_CONTROL_PARAMS_INVALID`. */
const commandsIn = (given: unknown): Commands => {
  const commands = (given as { readonly commands?: Partial<Commands> } | undefined)?.commands
  if (isArgv(commands?.data) && isArgv(commands.code)) return { data: commands.data, code: commands.code }
  throw SysgError.of('SYSG_CONTROL_PARAMS_INVALID', {
    message: '`upgrade` takes `{ commands: { data, code } }`: command lines that begin with a path.',
  })
}

const isArgv = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((word) => typeof word === 'string') && String(value[0]).startsWith('/')
