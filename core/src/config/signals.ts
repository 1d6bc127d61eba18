/** Signals by name. */
import type { Signal } from '../host.ts'

/** Names a config may use, as signal(7) has them. Real-time signals are left out: Node can't send them. */
export const signalNames: readonly Signal[] = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU ' +
  'URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
)
  .split(' ')
  .map((name): Signal => `SIG${name}`)
