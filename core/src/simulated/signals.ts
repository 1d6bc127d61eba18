/** What signals do to a program that has installed no handler. @see signal(7) */
import type { Signal } from '../host.ts'

const ignored: ReadonlySet<Signal> = new Set<Signal>(['SIGCHLD', 'SIGWINCH', 'SIGURG', 'SIGCONT'])

/** These suspend a program. Suspension is not simulated: they do nothing. */
const suspending: ReadonlySet<Signal> = new Set<Signal>(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'])

const unhandleable: ReadonlySet<Signal> = new Set<Signal>(['SIGKILL', 'SIGSTOP'])

export const endsByDefault = (signal: Signal): boolean => !ignored.has(signal) && !suspending.has(signal)

export const canBeHandled = (signal: Signal): boolean => !unhandleable.has(signal)
