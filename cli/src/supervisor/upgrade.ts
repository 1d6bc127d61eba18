/**
 * Hands over to another version of systemg: that one first shows that it can be loaded; then the holder is told to start it,
 * and this process ends without touching anything. What comes back is as after a death, only that nothing was cut off. A
 * version that does not take over is followed by this one again.
 */
import { definePlugin, SysgError, type Plugin } from '@systemg/core'
import type { Trial } from '../host/index.ts'

/** The supervisor's command line, for a config of data and for one that is code. */
interface Commands {
  readonly data: readonly string[]
  readonly code: readonly string[]
}

export interface UpgradeOptions {
  readonly hasCode: boolean
  readonly isForeground: boolean
  /** Have it load the plugins that this config lists, those that are new to this supervisor as well. Returns how to take that back. */
  readonly takePluginsOf: (config: string) => () => void
  /** Have it load everything and end. Rejects with why it can't. */
  readonly rehearse: (command: readonly string[], signal: AbortSignal) => Promise<void>
  /** Give up everything that another supervisor needs, have it started, and end. */
  readonly handOver: (next: Trial) => void
}

/** Adds the control method `upgrade { commands, limit_ms, plugins_of? }` → `{}`. */
export const upgradePlugin = (options: UpgradeOptions): Plugin =>
  definePlugin({
    name: 'upgrade',
    setup(api) {
      api.registerMethod('upgrade', async (given, call) => {
        const { commands, limitMs, pluginsOf } = paramsIn(given)
        if (options.isForeground) throw inForeground()
        const command = options.hasCode || pluginsOf !== undefined ? commands.code : commands.data
        const takeBack = pluginsOf === undefined ? undefined : options.takePluginsOf(pluginsOf)
        try {
          await options.rehearse(command, call.signal)
          // What is under way would be cut off.
          await api.system.settled({ signal: call.signal })
          if (api.system.isStopping) throw new SysgError('SYSG_SHUTTING_DOWN', undefined)
        } catch (thrown) {
          takeBack?.()
          throw thrown
        }
        api.host.clock.timer(answerMs, () => options.handOver({ command, limitMs }))
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

/** How long the other version may take to take over. */
const takeOverLimitMs = 30_000

interface Params {
  readonly commands: Commands
  readonly limitMs: number
  /** Absolute path of a config. */
  readonly pluginsOf: string | undefined
}

/** @throws {SysgError} `SYSG_CONTROL_PARAMS_INVALID`. */
const paramsIn = (given: unknown): Params => {
  const {
    commands,
    limit_ms: limitMs = takeOverLimitMs,
    plugins_of: pluginsOf,
  } = (given ?? {}) as {
    readonly commands?: Partial<Commands>
    readonly limit_ms?: unknown
    readonly plugins_of?: unknown
  }
  const isFile = pluginsOf === undefined || (typeof pluginsOf === 'string' && pluginsOf.startsWith('/'))
  if (isArgv(commands?.data) && isArgv(commands.code) && typeof limitMs === 'number' && limitMs > 0 && isFile)
    return { commands: { data: commands.data, code: commands.code }, limitMs, pluginsOf }
  throw SysgError.of('SYSG_CONTROL_PARAMS_INVALID', {
    message:
      '`upgrade` takes `{ commands: { data, code }, limit_ms, plugins_of }`: command lines that begin with a path, a time, and the path of a config.',
  })
}

const isArgv = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((word) => typeof word === 'string') && String(value[0]).startsWith('/')
