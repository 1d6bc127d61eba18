/** Signals by name. */
import { z } from 'zod'
import type { Signal } from '../host.ts'
import { nearest } from './nearest.ts'

/** Names a config may use, as signal(7) has them. Real-time signals are left out: Node can't send them. */
export const signalNames: readonly Signal[] = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU ' +
  'URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
)
  .split(' ')
  .map((name): Signal => `SIG${name}`)

/** Schema of a signal: `SIGTERM`, `TERM` and `sigterm` are the same. */
export const signal = z
  .string()
  .transform((text, context): Signal => {
    const name: Signal = `SIG${text.trim().toUpperCase().replace(/^SIG/, '')}`
    if (signalNames.includes(name)) return name
    const near = nearest(name, signalNames)
    const hint = near === undefined ? 'See signal(7) for the names.' : `Did you mean \`${near}\`?`
    context.addIssue({ code: 'custom', message: 'must be a signal such as `SIGTERM`', params: { hint } })
    return z.NEVER
  })
  .describe('A signal by name, for example `SIGTERM`.')
