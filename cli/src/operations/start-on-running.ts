/** `sysg start` on a system that runs: what changed, or what was named, and then its output. */
import type { Outcome, SysgEvent } from '@systemg/core'
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { printWarning } from '../terminal/print-error.ts'
import { printOutcome } from '../terminal/print-outcome.ts'
import { version } from '../version.ts'
import { warnOfChangedCode, type ValidConfig } from './load-or-report.ts'
import { FollowedRuns, isLoss } from './followed-runs.ts'
import { exitOf, operate, waitFor } from './operate.ts'
import { runAttached } from './run-attached.ts'
import { startAdHoc } from './start-ad-hoc.ts'
import type { StartOptions } from './start-options.ts'

/** Apply what changed, or start what was named; then attach, unless it is to be in the background. */
export const startOnRunning = async (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  loaded: ValidConfig,
  paths: ProjectPaths,
): Promise<ExitCode> => {
  warnOfChangedCode(context, loaded, paths)
  warnOfOtherVersion(context, supervisor)
  const { command } = options
  const { code, services, present } =
    command === undefined
      ? { ...(await askRunning(context, options, supervisor, loaded, paths)), services: options.services }
      : { ...(await startAdHoc(context, supervisor, { ...options, command, loaded })), present: supervisor }
  const hasNothingToShow = command !== undefined && code !== exitCodes.done
  // A script that starts one service wants an answer; nobody is there to watch.
  if (options.daemonize || hasNothingToShow || (services !== undefined && !context.terminal.isInteractive)) {
    present.close()
    return code
  }
  return runAttached(context, { ...options, services }, present, paths)
}

/** It goes on all the same: the protocol is the same. */
const warnOfOtherVersion = ({ terminal }: CommandContext, supervisor: Supervisor): void => {
  if (supervisor.version === version) return
  const text = `The supervisor is systemg ${supervisor.version}, this is ${version}. \`sysg upgrade\` replaces it, and touches no service.`
  printWarning(terminal, text)
}

/** @returns how it went, and the supervisor that runs then. */
const askRunning = async (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  loaded: ValidConfig,
  paths: ProjectPaths,
): Promise<{ readonly code: ExitCode; readonly present: Supervisor }> => {
  const { services, withDeps } = options
  if (services !== undefined) return startNamed(context, options, supervisor, paths, { services, with_deps: withDeps })
  // Where there is no config, nothing can have changed in it.
  const isSame = loaded.file === undefined
  const request = isSame ? { method: 'settled', params: {} } : { method: 'apply', params: { config: loaded.system } }
  return { code: await operate(context, supervisor, { verb: 'start', ...request, ...options }), present: supervisor }
}

const startNamed = async (
  context: CommandContext,
  options: StartOptions,
  supervisor: Supervisor,
  paths: ProjectPaths,
  params: { readonly services: readonly string[]; readonly with_deps: boolean },
): Promise<{ readonly code: ExitCode; readonly present: Supervisor }> => {
  const runs = new FollowedRuns(params.services)
  const beganMs = performance.now()
  const onEvent = (event: SysgEvent) => runs.heard(event)
  try {
    const code = await operate(context, supervisor, { verb: 'start', method: 'start', params, onEvent, ...options })
    return { code, present: supervisor }
  } catch (thrown) {
    if (!isLoss(thrown)) throw thrown
    const leftMs = options.timeoutMs === undefined ? undefined : options.timeoutMs - (performance.now() - beganMs)
    const waiting = waitFor('start', { timeoutMs: options.timeoutMs, leftMs })
    try {
      const found = await runs.outcome(paths, waiting.signal)
      if (found === undefined) throw thrown
      showOutcome(context, found.outcome)
      return { code: exitOf(found.outcome), present: found.supervisor }
    } finally {
      waiting.end()
    }
  }
}

/** What was drawn went with the supervisor that told it. */
const showOutcome = ({ terminal, globals }: CommandContext, outcome: Outcome): void => {
  if (globals.json) terminal.out(`${JSON.stringify(outcome)}\n`)
  else printOutcome(terminal, outcome)
}
