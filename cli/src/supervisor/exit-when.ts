/** `exit_when`: when a foreground system ends by itself, and with which exit code. */
import { constants } from 'node:os'
import type { Exit, ServiceView, SysgEvent, System } from '@systemg/core'

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
  // A config knows nothing of services that are not in it.
  const views = system.view().filter(({ ad_hoc: adHoc }) => adHoc !== true)
  const view = views.find((service) => service.name === name)
  if (view === undefined) return undefined
  const exitCode = exitCodeOf(view.exit, type === 'service.failed')
  const reason = `${name ?? ''} ${type === 'service.failed' ? 'failed' : 'completed'}`
  if (condition === 'any-failed') return type === 'service.failed' ? { exitCode, reason } : undefined
  if (condition !== 'all-done') return condition === name ? { exitCode, reason } : undefined
  return allDone(views)
}

const allDone = (views: readonly ServiceView[]): Verdict | undefined => {
  const isDone = views.every(({ state }) => ['completed', 'failed', 'skipped', 'stopped', 'blocked'].includes(state))
  if (!isDone) return undefined
  const bad = views.find(({ state }) => state === 'failed')
  return { exitCode: bad === undefined ? 0 : exitCodeOf(bad.exit, true), reason: 'everything is done' }
}

/** A terminal's system without a config is there for its programs: it ends when all of them are done. */
export const endWhenAllDone = (running: {
  readonly system: System
  onEvent(listener: (event: SysgEvent) => void): unknown
}): (() => Verdict | undefined) => {
  const { system } = running
  let verdict: Verdict | undefined
  const look = () => {
    if (verdict !== undefined) return
    verdict = allDone(system.view())
    if (verdict !== undefined) void system.shutdown({ why: verdict.reason })
  }
  running.onEvent(({ type }) => {
    if (['service.failed', 'service.completed', 'service.stopped'].includes(type)) look()
  })
  look()
  return () => verdict
}

/** A shell's number: the code, or 128 and the signal's number where only the signal is known. */
const exitCodeOf = (exit: Pick<Exit, 'code' | 'signal'> | null, isFailure: boolean): number => {
  if (exit?.code !== null && exit?.code !== undefined) return exit.code
  if (isFailure && exit?.signal !== null && exit?.signal !== undefined) return 128 + signalNumber(exit.signal)
  return isFailure ? 1 : 0
}

const signalNumber = (signal: string): number => new Map(Object.entries(constants.signals)).get(signal) ?? 0
