/** Runs the command of one hook: in the folder and environment of its service, with a time limit, into a log of its own. */
import {
  CommandLog,
  describeExit,
  formatDuration,
  limited,
  whyOf,
  withLastLine,
  within,
  type PluginApi,
  type RunResult,
  type TreeRef,
} from '@systemg/core'
import type { HookRun } from './records.ts'

/** Why a hook failed. */
export interface HookFailure {
  readonly reason: string
  readonly exitCode: number | null
  readonly lastLines: readonly string[]
}

type World = Pick<PluginApi, 'host' | 'registries' | 'system'>

/** Lines of output that are told with a failure. */
const shownLines = 10

/**
 * @param run.onStarted - Told when it runs, for those who must find it again.
 * @param signal - Ends it, with everything that it has started.
 * @returns why it failed; `undefined` when it ended with 0. Nothing of it lives then.
 */
export const runHook = async (
  world: World,
  { hook, command, timeout, service, facts }: HookRun,
  { signal, onStarted }: { readonly signal: AbortSignal; readonly onStarted: (tree: TreeRef) => void },
): Promise<HookFailure | undefined> => {
  const { host, system } = world
  const limit = limited(host.clock, timeout, overdue(timeout), signal)
  const log = new CommandLog(world, { service: service.name, source: hook.replace('.', '_') })
  let started: TreeRef | undefined
  try {
    const env = await system.environment(service, limit.signal)
    const result = await host.run({
      argv: ['/bin/sh', '-c', command],
      env: { ...env, ...facts },
      cwd: service.working_dir,
      signal: limit.signal,
      onOutput: log.write,
      onStarted: (tree) => {
        started = tree
        onStarted(tree)
      },
    })
    // Nobody would ever end what is left in the background.
    if (started !== undefined) await host.processes.signal(started, 'SIGKILL')
    await log.end()
    return limit.signal.aborted ? failureOf(limit.signal.reason, result) : whyFailed(result)
  } catch (thrown) {
    return failureOf(limit.signal.aborted ? limit.signal.reason : thrown)
  } finally {
    limit.end()
  }
}

/**
 * Wait for a hook that an earlier supervisor has begun, as long as it may take, and end what is left of it then.
 *
 * @returns why it had to be ended; how one ended by itself is not known.
 */
export const followHook = async (
  { host }: Pick<World, 'host'>,
  { timeout, begun }: HookRun,
  signal: AbortSignal,
): Promise<HookFailure | undefined> => {
  if (begun === undefined) return undefined
  const { clock, processes } = host
  const elapsedMs = clock.now() - begun.at
  // The clock may have been set meanwhile.
  const leftMs = elapsedMs < 0 ? timeout : Math.max(0, timeout - elapsedMs)
  const limit = limited(clock, leftMs, overdue(timeout), signal)
  const rooted = async () => {
    for (let living = await processes.members(begun.tree); living.length > 0;) {
      await processes.gone(begun.tree, limit.signal)
      living = await processes.members(begun.tree)
    }
  }
  try {
    await rooted()
    return undefined
  } catch {
    await processes.signal(begun.tree, 'SIGKILL')
    await within(clock, killLimitMs, processes.gone(begun.tree, new AbortController().signal))
    return failureOf(limit.signal.reason)
  } finally {
    limit.end()
  }
}

/** How long SIGKILL may take before a process is left to the kernel, ms. */
const killLimitMs = 5_000

const overdue = (timeout: number) => new Error(`it took longer than ${formatDuration(timeout)}`)

const whyFailed = (result: RunResult): HookFailure | undefined => {
  const { exit, failure, output } = result
  if (failure !== undefined) return failureOf(new Error(`it could not be run: ${failure.message} (${failure.errno})`))
  if (exit.code === 0) return undefined
  return failureOf(new Error(withLastLine(describeExit(exit), linesOf(output))), result)
}

const failureOf = (thrown: unknown, result?: RunResult): HookFailure => ({
  reason: whyOf(thrown).replace(/\.$/, ''),
  exitCode: result?.exit.code ?? null,
  lastLines: linesOf(result?.output ?? '').slice(-shownLines),
})

const linesOf = (output: string): readonly string[] => output.split(/\r?\n/).filter((line) => line.trim() !== '')
