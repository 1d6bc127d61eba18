/** The system in this terminal: live progress, then the output of all services, until Ctrl-C or its end. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Outcome } from '@systemg/core'
import { connect, tryConnect, type Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodeOf, exitCodes, type ExitCode } from '../exit-codes.ts'
import { codedOnly, Failure } from '../failures.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { endWhenAllDone, type Verdict } from '../supervisor/exit-when.ts'
import { survive } from '../supervisor/survive.ts'
import { supervise, type RunningSupervisor } from '../supervisor/supervise.ts'
import { followLogs } from '../terminal/follow-logs.ts'
import { tellAbove } from '../terminal/live-block.ts'
import { printError } from '../terminal/print-error.ts'
import { createProgress } from '../terminal/progress.ts'
import type { ValidConfig } from './load-or-report.ts'
import { operate } from './operate.ts'
import { startAdHoc } from './start-ad-hoc.ts'
import { startOnRunning } from './start-on-running.ts'
import type { StartOptions } from './start-options.ts'
import { supervisorRequest } from './supervisor-request.ts'

export const runForeground = async (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  root: string,
  paths: ProjectPaths,
  deadline = Date.now() + takenLimitMs,
): Promise<ExitCode> => {
  const show = (line: string) => tellAbove(context.terminal, line)
  const { onlyStderr } = options
  const running = await supervise({
    request: supervisorRequest(context, options, loaded, root),
    config: loaded.system,
    plugins: loaded.plugins,
    code: loaded.code,
    logLevel: context.globals.logLevel === 'info' ? 'warn' : context.globals.logLevel,
    show,
    respawn: loaded.system.respawn ?? false,
    isComeback: false,
  })
  if (running === undefined) {
    // Somebody else was faster, or is about to end.
    const other = await tryConnect(paths)
    if (other !== undefined) return startOnRunning(context, options, other, loaded, paths)
    if (Date.now() > deadline) throw new Failure('SYSG_SUPERVISOR_SILENT', { pid: undefined, limitMs: takenLimitMs })
    await pause(lookEveryMs)
    return runForeground(context, options, loaded, root, paths, deadline)
  }
  survive(show)
  const stopping = stopOnSignals(context, running)
  const own = await connect(paths)
  const logs = followLogs(context, own, { services: undefined, kind: onlyStderr ? 'stderr' : 'all' })
  const judging = judgeOnceStarted(context, options, loaded, running, own)
  const verdict = await running.ended
  own.close()
  await logs.catch(codedOnly)
  const judge = await judging
  return stopping.exitCode() ?? (((verdict ?? judge())?.exitCode ?? exitCodes.done) as ExitCode)
}

/** How long another supervisor may have the project without answering, ms. */
const takenLimitMs = 30_000
const lookEveryMs = 50

/** Resolves when everything is up or has failed, with how to learn what the end of the system is worth. */
const judgeOnceStarted = async (
  context: CommandContext,
  options: StartOptions,
  loaded: ValidConfig,
  running: RunningSupervisor,
  own: Supervisor,
): Promise<() => Pick<Verdict, 'exitCode'> | undefined> => {
  const { services, command, timeoutMs } = options
  const params = services === undefined ? {} : { services }
  const starting =
    command === undefined
      ? operate(context, own, { verb: 'start', method: 'settled', params, timeoutMs, isNoNews: wasStopped })
      : startAdHoc(context, own, { command, loaded, timeoutMs, wait: true, isShown: true })
  const failure = await starting.then(() => undefined, codedOnly)
  if (failure !== undefined && command !== undefined && !endings.has(failure.code)) {
    printError(context.terminal, failure)
    if (running.system.view().every(({ instances }) => instances.length === 0)) {
      void running.stop('nothing was started')
      return () => ({ exitCode: exitCodeOf(failure.code) })
    }
  }
  return loaded.file === undefined ? endWhenAllDone(running) : () => undefined
}

/** Ctrl-C and SIGHUP stop the system, the second time at once; so does a terminal that has gone. */
const stopOnSignals = (context: CommandContext, running: RunningSupervisor): { exitCode(): ExitCode | undefined } => {
  let exitCode: ExitCode | undefined
  let times = 0
  const stop = (why: string, code: ExitCode) => {
    exitCode ??= code
    times += 1
    if (times === 1) {
      tellAbove(context.terminal, '\nStopping; Ctrl-C again ends everything at once.\n')
      const progress = createProgress(context.terminal, 'stop')
      const listening = running.onEvent((event) => progress.onEvent(event))
      void running.ended.then(() => {
        listening()
        progress.clear()
      })
    }
    void running.stop(why)
  }
  process.on('SIGINT', () => stop('Ctrl-C', exitCodes.interrupted))
  process.on('SIGHUP', () => stop('the terminal was closed', exitCodes.interrupted))
  process.on('SIGTERM', () => stop('the supervisor got SIGTERM', exitCodes.done))
  // Nobody reads any more: the owner of the terminal has gone, and its system with it.
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error')
    stream.on('error', () => {
      if (times === 0) stop('nobody reads its output any more', exitCodes.interrupted)
    })
  }
  return { exitCode: () => exitCode }
}

/** The connection to ourselves ends with the system. */
const endings: ReadonlySet<string> = new Set(['SYSG_SHUTTING_DOWN', 'SYSG_CONTROL_LOST'])

/** This terminal shows that it stops. */
const wasStopped = ({ problems }: Outcome): boolean => problems.some(({ code }) => code === 'SYSG_STOPPED_MEANWHILE')
