/** Ends every process of a tree: the stop signal, the grace, then SIGKILL until nothing lives. */
import type { Host, ProcessInfo, Signal, TreeRef } from './host.ts'
import { within } from './wait.ts'

export interface EndTreeOptions {
  readonly tree: TreeRef
  readonly stopSignal: Signal
  /** Milliseconds from the stop signal to SIGKILL. */
  readonly graceMs: number
  /** Aborts the grace: SIGKILL at once. */
  readonly kill: AbortSignal
  /** Told of processes that SIGKILL does not end; of none when they are gone after all. */
  readonly onStuck: (members: readonly ProcessInfo[]) => void
}

/** How long SIGKILL may take before people are told that a process does not die. */
const stuckAfterMs = 5_000

/** Resolves when nothing of the tree lives, however long that takes. */
export const endTree = async (host: Pick<Host, 'clock' | 'processes'>, options: EndTreeOptions): Promise<void> => {
  const { tree, stopSignal, graceMs, kill } = options
  const gone = host.processes.gone(tree, new AbortController().signal)
  if (!kill.aborted) await host.processes.signal(tree, stopSignal)
  if (await Promise.race([within(host.clock, graceMs, gone), aborted(kill)])) return
  await killUntilGone(host, options, gone)
}

/** Also what is forked meanwhile. */
const killUntilGone = async (
  host: Pick<Host, 'clock' | 'processes'>,
  { tree, onStuck }: EndTreeOptions,
  gone: Promise<void>,
): Promise<void> => {
  const startMs = host.clock.monotonic()
  let stuck = ''
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    await host.processes.signal(tree, 'SIGKILL')
    if (await within(host.clock, waitMs, gone)) break
    if (host.clock.monotonic() - startMs < stuckAfterMs) continue
    const members = await host.processes.members(tree)
    const now = members.map(({ pid }) => pid).join()
    if (now !== stuck) onStuck(members)
    stuck = now
  }
  if (stuck !== '') onStuck([])
}

const aborted = (signal: AbortSignal): Promise<false> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(false)
    signal.addEventListener('abort', () => resolve(false), { once: true })
  })
