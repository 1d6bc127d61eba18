/** Asks the supervisor to do something that takes a while: shows progress, waits for the outcome, says how it went. */
import type { Outcome, SysgEvent } from '@systemg/core'
import type { Supervisor } from '../client/connect.ts'
import type { CommandContext } from '../command.ts'
import { exitCodeOf, exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'
import { createProgress, type Progress, type Verb } from '../terminal/progress.ts'
import type { StatusAnswer } from '../terminal/service-status.ts'

export interface Operation {
  readonly verb: Verb
  readonly method: string
  readonly params: unknown
  /** Nothing is shown of others. Default: of whatever happens. */
  readonly only?: readonly string[]
  /** Told of everything that happens meanwhile. */
  readonly onEvent?: (event: SysgEvent) => void
  /** Wait for the outcome. Default true. */
  readonly wait?: boolean
  /** Wait no longer than this; the operation goes on. */
  readonly timeoutMs?: number | undefined
  /** An outcome that whoever looks at the terminal knows already. */
  readonly isNoNews?: (outcome: Outcome) => boolean
  /** Whether the connection is still needed after a failure. Default: it is closed. */
  readonly keepsOpen?: (thrown: unknown) => boolean
}

export const operate = async (
  context: CommandContext,
  supervisor: Supervisor,
  operation: Operation,
): Promise<ExitCode> => {
  const { terminal, globals } = context
  const progress = createProgress(terminal, operation.verb)
  const waiting = waitOn(operation, supervisor)
  try {
    const ending = supervisor.call(operation.method, operation.params, {
      signal: waiting.signal,
      onNotify: (method, params) => {
        const event = params as unknown as SysgEvent
        if (method !== 'event') return
        operation.onEvent?.(event)
        if (isAbout(event, operation)) progress.onEvent(event)
      },
    })
    const isUnderWay = operation.method === 'settled' && terminal.canDraw && !globals.json
    const [outcome] = await Promise.all([ending as Promise<Outcome>, isUnderWay ? beginWith(progress, supervisor) : []])
    if (globals.json) {
      progress.clear()
      terminal.out(`${JSON.stringify(outcome)}\n`)
    } else if (operation.isNoNews?.(outcome) === true) progress.clear()
    else progress.done(outcome)
    return exitOf(outcome)
  } catch (thrown) {
    progress.clear()
    if (thrown === notWaiting) return exitCodes.done
    // An open connection would keep the command from ending.
    if (operation.keepsOpen?.(thrown) !== true) supervisor.close()
    throw thrown
  } finally {
    waiting.end()
  }
}

const isAbout = ({ service }: SysgEvent, { only }: Operation): boolean =>
  only === undefined || (service !== undefined && only.includes(service))

/** What began before anybody listened: that is told by no event. */
const beginWith = async (progress: Progress, supervisor: Supervisor): Promise<void> => {
  const answer = (await supervisor.call('status', {}).catch(() => undefined)) as StatusAnswer | undefined
  if (answer !== undefined) progress.begin(answer.services)
}

/** What an outcome is worth as an exit code. */
export const exitOf = (outcome: Outcome): ExitCode => {
  const [problem] = outcome.problems
  return problem === undefined ? exitCodes.done : exitCodeOf(problem.code)
}

const notWaiting = new Error('not waiting')

/** Ends the waiting (not the operation) when the supervisor is frozen, or at once; and as `waitFor` does. */
const waitOn = (
  { verb, wait = true, timeoutMs }: Operation,
  supervisor: Supervisor,
): { signal: AbortSignal; end(): void } => {
  const controller = new AbortController()
  const endWatch = supervisor.watch((failure) => controller.abort(failure))
  const waiting = waitFor(verb, { timeoutMs })
  // The request has been written by then; its answer is not waited for.
  const immediate = wait ? undefined : setImmediate(() => controller.abort(notWaiting))
  return {
    signal: AbortSignal.any([controller.signal, waiting.signal]),
    end: () => {
      endWatch()
      waiting.end()
      clearImmediate(immediate)
    },
  }
}

/**
 * Ends the waiting for something that goes on all the same: on Ctrl-C, or after the time limit.
 *
 * @param limit.leftMs - What is left of the limit. Default: all of it.
 */
export const waitFor = (
  verb: Verb,
  { timeoutMs, leftMs = timeoutMs }: { readonly timeoutMs: number | undefined; readonly leftMs?: number | undefined },
): { signal: AbortSignal; end(): void } => {
  const controller = new AbortController()
  const onInterrupt = () =>
    controller.abort(new Failure('SYSG_INTERRUPTED', { what: `\`${verb}\` goes on in the background` }))
  process.once('SIGINT', onInterrupt)
  const onTimeout = () =>
    controller.abort(new Failure('SYSG_TIMEOUT', { what: `\`${verb}\``, limitMs: timeoutMs ?? 0 }))
  const timer = leftMs === undefined ? undefined : setTimeout(onTimeout, Math.max(0, leftMs))
  return {
    signal: controller.signal,
    end: () => {
      process.off('SIGINT', onInterrupt)
      clearTimeout(timer)
    },
  }
}
