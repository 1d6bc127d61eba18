/** Which hooks there are, and the command of each. */
import type { ServiceHooks } from './options.ts'

/** A command, and how long it may take, ms. */
export interface HookCommand {
  readonly command: string
  readonly timeout: number
}

export const moments = ['on_start', 'on_stop', 'on_restart'] as const
export const outcomes = ['success', 'error'] as const

type Moment = (typeof moments)[number]
type HookOutcome = (typeof outcomes)[number]

/** `on_start.success`: as people write it, and as `SYSG_EVENT` has it. */
export type HookName = `${Moment}.${HookOutcome}`

/** The command for a hook, if there is one. */
export const commandFor = (hooks: ServiceHooks, name: HookName): HookCommand | undefined => {
  const [moment, how] = name.split('.') as [Moment, HookOutcome]
  return hooks?.[moment]?.[how]
}
