/** `exit_when`: when a foreground system ends by itself, and with which exit code. */
import type { Exit, SysgEvent, System } from '@systemg/core'

export interface Verdict {
  readonly exitCode: number
  readonly reason: string
}

/**
 * Watch for the condition and stop the system when it holds.
 *
 * @returns what was decided, if anything.
 */
export const watchExitCondition = (
  condition: string,
  system: System,
  listeners: Set<(event: SysgEvent) => void>,
): (() => Verdict | undefined) => {
  let verdict: Verdict | undefined
  const decide = (next: Verdict) => {
    if (verdict !== undefined) return
    verdict = next
    void system.shutdown({ why: next.reason })
  }
  if (condition !== 'never') {
    listeners.add((event) => {
      const next = judge(condition, system, event)
      if (next !== undefined) decide(next)
    })
  }
  return () => verdict
}

const judge = (condition: string, system: System, { type, service: name }: SysgEvent): Verdict | undefined => {
  if (type !== 'service.failed' && type !== 'service.completed') return undefined
  const view = system.view().find((service) => service.name === name)
  const exitCode = exitCodeOf(view?.exit ?? null, type === 'service.failed')
  const reason = `${name ?? ''} ${type === 'service.failed' ? 'failed' : 'completed'}`
  if (condition === 'any-failed') return type === 'service.failed' ? { exitCode, reason } : undefined
  if (condition !== 'all-done') return condition === name ? { exitCode, reason } : undefined
  const views = system.view()
  const isDone = views.every(({ state }) => ['completed', 'failed', 'skipped', 'stopped', 'blocked'].includes(state))
  if (!isDone) return undefined
  const bad = views.find(({ state }) => state === 'failed')
  return { exitCode: bad === undefined ? 0 : exitCodeOf(bad.exit, true), reason: 'everything is done' }
}

/** A shell's number: the code, or 128 and the signal's number where only the signal is known. */
const exitCodeOf = (exit: Pick<Exit, 'code' | 'signal'> | null, isFailure: boolean): number => {
  if (exit?.code !== null && exit?.code !== undefined) return exit.code
  return isFailure ? 1 : 0
}
