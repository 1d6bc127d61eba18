/** Ends processes that nobody looks after, and what they have started: SIGTERM, then SIGKILL. */
import type { ProcessRef } from '@systemg/core'
import { bootId } from '../host/kernel.ts'
import { createProcesses } from '../host/processes.ts'
import { treeOfStray } from './stray-processes.ts'

const graceMs = 10_000
const killAgainMs = 100
const killLimitMs = 5_000

/** Resolves when they are gone, or do not go. */
export const endProcesses = async (strays: readonly ProcessRef[]): Promise<void> => {
  if (strays.length === 0) return
  const processes = createProcesses(() => undefined)
  try {
    await Promise.all(strays.map((stray) => endOne(processes, stray)))
  } finally {
    processes.dispose()
  }
}

const endOne = async (processes: ReturnType<typeof createProcesses>, stray: ProcessRef): Promise<void> => {
  const tree = treeOfStray(stray, bootId())
  const isGone = (limitMs: number) =>
    processes.gone(tree, AbortSignal.timeout(limitMs)).then(
      () => true,
      () => false,
    )
  await processes.signal(tree, 'SIGTERM')
  if (await isGone(graceMs)) return
  for (const end = Date.now() + killLimitMs; Date.now() < end;) {
    await processes.signal(tree, 'SIGKILL')
    if (await isGone(killAgainMs)) return
  }
}
