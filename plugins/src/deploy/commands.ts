/**
 * Runs the commands of deploys: in the service's folder and environment, with a time limit, their output in the logs
 * beside the service's own. Those that a killed supervisor left behind are ended by the next one.
 */
import {
  CommandLog,
  describeExit,
  formatDuration,
  limited,
  type Durable,
  type PluginApi,
  type ResolvedService,
  type RunResult,
  type TreeRef,
  whyOf,
  withLastLine,
} from '@systemg/core'
import { fillIn, type Places } from './placeholders.ts'
import { slotVariables } from './slots.ts'

type CommandName = 'pre_start' | 'switch_command' | 'switch_verify'

export interface CommandToRun {
  readonly name: CommandName
  readonly service: ResolvedService
  readonly command: string
  readonly places: Places
  readonly limitMs: number
  readonly signal: AbortSignal
}

/** A command that an earlier supervisor was running. */
export interface LeftCommand {
  readonly service: string
  readonly name: string
}

/** Lines of output that people get with a failure. */
const shownLines = 10

export class Commands {
  readonly #api: PluginApi

  constructor(api: PluginApi) {
    this.#api = api
  }

  get #table() {
    return this.#api.host.store.table('deploy-commands')
  }

  /**
   * Resolves when it has exited with 0. Rejects with why it did not, with `lastLines`; with the signal's reason when that
   * aborts. Nothing of it lives then.
   */
  async run(toRun: CommandToRun): Promise<void> {
    const { service, command, places, limitMs, signal } = toRun
    const { host, system } = this.#api
    const env = { ...(await system.environment(service, signal)), ...slotVariables(service, places) }
    signal.throwIfAborted()
    const log = new CommandLog(this.#api, { service: service.name, source: toRun.name })
    const over = new Error('took too long')
    const limit = limited(host.clock, limitMs, over, signal)
    const key = `${service.name}@${toRun.name}`
    let started: TreeRef | undefined
    try {
      const result = await host.run({
        argv: ['/bin/sh', '-c', fillIn(command, places)],
        env,
        cwd: service.working_dir,
        signal: limit.signal,
        onOutput: log.write,
        onStarted: (tree) => {
          started = tree
          this.#remember(key, tree)
        },
      })
      // As systemd does with `ExecStartPre=`: nobody would ever end what is left in the background.
      if (toRun.name === 'pre_start' && started !== undefined) await host.processes.signal(started, 'SIGKILL')
      await log.end()
      signal.throwIfAborted()
      const why = limit.signal.reason === over ? `it took longer than ${formatDuration(limitMs)}` : whyFailed(result)
      if (why !== undefined) throw failure(why, result.output)
    } finally {
      limit.end()
      this.#remember(key, undefined)
    }
  }

  /** A store that cannot write costs a command its end after the supervisor's death, and nothing else. */
  #remember(key: string, tree: TreeRef | undefined): void {
    try {
      if (tree !== undefined) this.#table.set(key, { ...tree })
      else if (this.#table.get(key) !== undefined) this.#table.delete(key)
    } catch (thrown) {
      this.#api.host.trace('warn', `A command is not recorded: ${whyOf(thrown)}`, { key })
    }
  }

  /** End what an earlier supervisor was running: nobody waits for it any more. */
  async endLeft(signal: AbortSignal): Promise<readonly LeftCommand[]> {
    const { processes } = this.#api.host
    const left: LeftCommand[] = []
    for (const [key, value] of this.#table.entries()) {
      const [service = '', name = ''] = key.split('@')
      const tree = treeOf(value)
      if (tree !== undefined) {
        await processes.signal(tree, 'SIGKILL')
        await processes.gone(tree, signal)
      }
      this.#table.delete(key)
      left.push({ service, name })
    }
    return left
  }
}

const whyFailed = ({ exit, failure: notStarted, output }: RunResult): string | undefined => {
  if (notStarted !== undefined) return `it could not be run: ${notStarted.message} (${notStarted.errno})`
  if (exit.code === 0) return undefined
  return withLastLine(describeExit(exit), linesOf(output))
}

const failure = (why: string, output: string): Error =>
  Object.assign(new Error(why), { lastLines: linesOf(output).slice(-shownLines) })

const linesOf = (output: string): readonly string[] => output.split(/\r?\n/).filter((line) => line.trim() !== '')

const treeOf = (value: Durable): TreeRef | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { pid, startTime, token, bootId } = value as Readonly<Record<string, unknown>>
  const isTree = typeof pid === 'number' && typeof startTime === 'number' && typeof token === 'string'
  return isTree && typeof bootId === 'string' ? { pid, startTime, token, bootId } : undefined
}
